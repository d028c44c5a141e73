/**
 * Stage: bytes of /proc → selection. What rules ask about a task beyond stat and status: its program, its arguments, its
 * cgroups, its ancestors. The arguments lie in the memory of the task, so reading those of one that is swapped out waits for
 * the disk: they are read of at most 64 tasks a round, and nothing of a further task after 100 ms. A single read cannot be
 * cut off; of the arguments it brings in two pages at most, as it asks for 4 KiB.
 */
import type { FileCondition } from '../policy/compiled-rule.js';
import type { TaskTexts } from '../policy/row-rules.js';
import type { ProcFiles } from './proc-files.js';
import { parseTaskStat } from './task-stat.js';

const CMDLINES_MAX = 64;
const LIMIT_MS = 100;
const ANCESTORS_MAX = 64;

export interface TextOptions {
  /** Where /proc is. Default `/proc`. */
  root?: string;
  /** Monotonic milliseconds. Default performance.now. */
  now?: () => number;
  /** Of how many tasks a round the arguments are read. Default 64: of a live task that may wait for the disk. */
  cmdlines?: number;
}

/** What a file said, or what a link names, as it was read. */
export interface LookedAt {
  readonly kind: 'file' | 'link';
  readonly text: string;
}

/** `0::/user.slice/a b` and `4:memory:/a`, one hierarchy a line: the path is what follows the second colon. */
function cgroupPaths(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, path] = /^\d+:[^:]*:(.*)$/.exec(line) ?? [];
    return path ? [path] : [];
  });
}

/** Files of tasks, within the budget of a round. */
export class ProcTexts implements TaskTexts {
  readonly #files: ProcFiles;
  readonly #root: string;
  readonly #now: () => number;
  readonly #cmdlinesMost: number;
  #looked = new Map<string, LookedAt>();
  #cmdlines = 0;
  /** When the round may look at nobody else. The time runs from the first look: until then nothing was waited for. */
  #endMs = Number.NaN;

  constructor(files: ProcFiles, options: TextOptions = {}) {
    const { root = '/proc', now = () => performance.now(), cmdlines = CMDLINES_MAX } = options;
    this.#files = files;
    this.#root = root;
    this.#now = now;
    this.#cmdlinesMost = cmdlines;
  }

  /** What was looked at since `begin`, by path. Another object in each round. */
  get looked(): ReadonlyMap<string, LookedAt> {
    return this.#looked;
  }

  begin(): void {
    if (this.#looked.size > 0) this.#looked = new Map();
    this.#cmdlines = 0;
    this.#endMs = Number.NaN;
  }

  mayLook(): boolean {
    const nowMs = this.#now();
    if (Number.isNaN(this.#endMs)) this.#endMs = nowMs + LIMIT_MS;
    return nowMs < this.#endMs;
  }

  read(tgid: number, ppid: number, condition: FileCondition): readonly string[] | null {
    try {
      switch (condition) {
        case 'exe':
          // A program that was replaced by a newer one is still that program.
          return [this.#program(tgid).replace(/ \(deleted\)$/, '')];
        case 'cmdline':
          return this.#cmdline(tgid);
        case 'cgroup':
          return cgroupPaths(this.#file(tgid, 'cgroup'));
        case 'ancestor':
          return this.#ancestors(ppid);
      }
    } catch {
      // Gone, forbidden or without descriptors: it is not known, which is what null says.
      return null;
    }
  }

  #program(tgid: number): string {
    const path = `${this.#root}/${tgid}/exe`;
    const text = this.#files.link(path);
    this.#looked.set(path, { kind: 'link', text });
    return text;
  }

  #cmdline(tgid: number): string[] | null {
    if (this.#cmdlines >= this.#cmdlinesMost) return null;
    this.#cmdlines += 1;
    return [this.#file(tgid, 'cmdline').replace(/\0+$/, '').replaceAll('\0', ' ')];
  }

  #file(tgid: number, name: string): string {
    const path = `${this.#root}/${tgid}/${name}`;
    const text = this.#files.start(path);
    this.#looked.set(path, { kind: 'file', text });
    return text;
  }

  /** The comms from the parent up to where parents end; null when that is too far, or one is gone meanwhile. */
  #ancestors(ppid: number): string[] | null {
    const comms: string[] = [];
    for (let pid = ppid; pid > 0; ) {
      const stat = parseTaskStat(this.#file(pid, 'stat'));
      if (!stat || comms.length >= ANCESTORS_MAX) return null;
      comms.push(stat.comm);
      pid = stat.ppid;
    }
    return comms;
  }
}
