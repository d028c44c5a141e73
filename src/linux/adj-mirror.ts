/**
 * Stage: table → selection, before points. The protected set in the kernel's own terms: oom_score_adj = −1000, which its killer
 * heeds too. The value from before is kept, on disk as well, and put back when protection ends: in the task and in the children
 * that the kernel handed −1000 down to. A value that somebody else has set meanwhile is theirs.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import * as L from '../../assembly/layout.js';
import { parseTaskStat } from '../proc/task-stat.js';
import { errorCode } from './identity.js';
import { isGone } from './proc-files.js';

/** What did not go well, by errno name. */
export interface MirrorNews {
  /** The kernel refuses: EACCES without CAP_SYS_RESOURCE. */
  readonly refused: string | null;
  /** The state file cannot be written. */
  readonly unsaved: string | null;
}

interface Saved {
  readonly startTicks: number;
  /** oom_score_adj before. */
  readonly adj: number;
}

const VERSION = 1;
const ROOT_UID = 0;
const GONE = 'ESRCH';
const NOTHING: MirrorNews = { refused: null, unsaved: null };

export class AdjMirror {
  readonly #path: string | null;
  readonly #root: string;
  readonly #saved = new Map<number, Saved>();
  #changed = false;

  /** `path`: the state file, or null for none. `root`: where /proc is. */
  constructor(path: string | null, root = '/proc') {
    this.#path = path;
    this.#root = root;
  }

  /** Restores what a guard that ended without doing so had left. Returns how many tasks. A file that may be somebody else's is left alone. */
  recover(): number {
    const text = this.#path === null ? null : ownText(this.#path);
    if (text === null) return 0;
    let restored = 0;
    for (const [tgid, saved] of readState(text, bootOf(this.#root)))
      if (restore(this.#root, tgid, saved)) restored += 1;
    this.#remove();
    return restored;
  }

  protect(tgid: number): MirrorNews {
    const before = adjOf(this.#root, tgid);
    const startTicks = startOf(this.#root, tgid);
    // Already there, by somebody else's doing: not ours to take away later.
    if (before === null || startTicks === null || before === L.ADJ_MIN) return NOTHING;
    this.#saved.set(tgid, { startTicks, adj: before });
    // First on disk: a crash in between restores a value that was never changed, which harms nobody.
    const unsaved = this.#save();
    const refused = writeAdj(this.#root, tgid, startTicks, L.ADJ_MIN);
    if (refused !== null) this.#saved.delete(tgid);
    return { refused: refused === GONE ? null : refused, unsaved };
  }

  /** A child that was forked since: where it has −1000 from its parent, it gets the parent's earlier value when protection ends. To be saved. */
  inherit(parent: number, child: number): void {
    const from = this.#saved.get(parent);
    const startTicks = startOf(this.#root, child);
    if (!from || startTicks === null || adjOf(this.#root, child) !== L.ADJ_MIN) return;
    this.#saved.set(child, { startTicks, adj: from.adj });
    this.#changed = true;
  }

  unprotect(tgids: readonly number[]): MirrorNews {
    for (const tgid of tgids) {
      const saved = this.#saved.get(tgid);
      if (saved) restore(this.#root, tgid, saved);
      this.#saved.delete(tgid);
    }
    return { refused: null, unsaved: this.#save() };
  }

  /** The task has ended. To be saved. */
  forget(tgid: number): void {
    if (this.#saved.delete(tgid)) this.#changed = true;
  }

  /** Writes what was inherited and forgotten: one file for a thousand children that come at once. */
  save(): MirrorNews {
    return this.#changed ? { refused: null, unsaved: this.#save() } : NOTHING;
  }

  close(): void {
    this.unprotect([...this.#saved.keys()]);
    this.#remove();
  }

  /** A file that stays restores nothing but what is still as it says. */
  #remove(): void {
    try {
      if (this.#path !== null) rmSync(this.#path, { force: true });
    } catch {
      // ENOTDIR, EROFS: nor could it be written.
    }
  }

  /** In one step: a crash leaves the old file or the new. Returns the errno name when it cannot be written. */
  #save(): string | null {
    this.#changed = false;
    if (this.#path === null) return null;
    const tasks = [...this.#saved].map(([tgid, { startTicks, adj }]) => ({
      tgid,
      start_ticks: startTicks,
      oom_score_adj: adj,
    }));
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o755 });
      const next = `${this.#path}.new`;
      // Not through a link that somebody laid there.
      rmSync(next, { force: true });
      writeFileSync(next, `${JSON.stringify({ version: VERSION, boot: bootOf(this.#root), tasks })}\n`, {
        mode: 0o600,
        flag: 'wx',
      });
      renameSync(next, this.#path);
      return null;
    } catch (error) {
      return errorCode(error);
    }
  }
}

/** Which boot it is: a file may outlive it, and after it the same pid may have started at the same tick. Null where it is not told. */
function bootOf(root: string): string | null {
  try {
    return readFileSync(`${root}/sys/kernel/random/boot_id`, 'latin1').trim();
  } catch {
    return null;
  }
}

/** 4,096 tasks take a quarter of it. */
const STATE_BYTES = 1 << 20;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The text of a state file that nobody but root or this user can have written: what it says takes protection from tasks. Null for any
 * other; a link is not followed, a pipe not waited for, and no more read than such a file has.
 */
function ownText(path: string): string | null {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd = -1;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const found = fstatSync(fd);
    const isOwn = found.uid === ROOT_UID || found.uid === process.geteuid?.();
    if (!found.isFile() || !isOwn || (found.mode & WRITABLE_BY_OTHERS) !== 0 || found.size > STATE_BYTES) return null;
    return readFileSync(fd, 'utf8');
  } catch {
    return null;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** What is no state of this version, or of another boot, restores nothing. */
function readState(text: string, thisBoot: string | null): [tgid: number, saved: Saved][] {
  try {
    const {
      version,
      boot = null,
      tasks,
    } = JSON.parse(text) as {
      version: number;
      boot?: string | null;
      tasks: Record<string, unknown>[];
    };
    if (version !== VERSION || boot !== thisBoot) return [];
    return tasks.flatMap(({ tgid, start_ticks: startTicks, oom_score_adj: adj }) =>
      isPid(tgid) && Number.isSafeInteger(startTicks) && isAdj(adj)
        ? [[tgid, { startTicks: startTicks as number, adj }]]
        : [],
    );
  } catch {
    return [];
  }
}

function isPid(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > L.PID_INIT && (value as number) <= L.PID_MAX;
}

function isAdj(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > L.ADJ_MIN && (value as number) <= L.ADJ_MAX;
}

/** Puts a value back, unless the task is another or somebody has changed it since. */
function restore(root: string, tgid: number, { startTicks, adj }: Saved): boolean {
  if (startOf(root, tgid) !== startTicks || adjOf(root, tgid) !== L.ADJ_MIN) return false;
  return writeAdj(root, tgid, startTicks, adj) === null;
}

function startOf(root: string, tgid: number): number | null {
  try {
    return parseTaskStat(readFileSync(`${root}/${tgid}/stat`, 'latin1'))?.startTicks ?? null;
  } catch {
    return null;
  }
}

function adjOf(root: string, tgid: number): number | null {
  try {
    const adj = Number.parseInt(readFileSync(`${root}/${tgid}/oom_score_adj`, 'latin1'), 10);
    return Number.isNaN(adj) ? null : adj;
  } catch {
    return null;
  }
}

/** Null when it was written, else the errno name; ESRCH when the task is gone. Another may have its pid, at any moment. */
function writeAdj(root: string, tgid: number, startTicks: number, adj: number): string | null {
  let fd = -1;
  try {
    fd = openSync(`${root}/${tgid}/oom_score_adj`, 'w');
    // Opened first: then what is written is written to the task that began then.
    if (startOf(root, tgid) !== startTicks) return GONE;
    writeSync(fd, String(adj));
    return null;
  } catch (error) {
    return isGone(error) ? GONE : errorCode(error);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
