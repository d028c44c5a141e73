/**
 * Stage: table → selection, before points. Protection on this machine: the protected set with descriptors on /proc, the children
 * that inherit it, and, where the kernel permits, the same in oom_score_adj.
 */
import { readFileSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { parseTaskStat } from '../proc/task-stat.js';
import { ProtectedSet, type ProtectedTask } from '../protected.js';
import { AdjMirror, type MirrorNews } from './adj-mirror.js';
import type { Exempt } from './exempt.js';
import { errorCode } from './identity.js';
import { readUptime } from './machine.js';
import { queueTasks } from './queue-tasks.js';
import { listThreads } from './thread-group.js';

/** How protection is told to the kernel, and where its earlier values are kept. */
export interface ProtectorOptions {
  /** Mirrors protection into oom_score_adj = −1000, where that may be done. Default true. */
  readonly mirror?: boolean;
  /** Where the earlier values are kept, for whoever comes after a crash. Default: nowhere. */
  readonly statePath?: string;
  /** Hears once when the mirror is refused, and of whatever else is not as it should be. */
  readonly tell?: (words: string) => void;
}

/** Descendants that inherited, found in one look, at most: a bomb of protected children must not stop a round. */
const INHERIT_MOST = 1024;

export class Protector {
  readonly set: ProtectedSet;
  readonly #mirror: AdjMirror | null;
  readonly #tell: (words: string) => void;
  #refused = false;
  #missing = false;

  /** Takes up what a state file of an earlier guard says, and restores it. */
  constructor(engine: Engine, options: ProtectorOptions = {}) {
    this.set = new ProtectedSet(engine, queueTasks);
    this.#tell = options.tell ?? (() => {});
    this.#mirror = options.mirror === false ? null : new AdjMirror(options.statePath ?? null);
    const restored = this.#mirror?.recover() ?? 0;
    if (restored > 0)
      this.#tell(`restored oom_score_adj of ${restored} tasks that an earlier guard had left protected`);
  }

  /**
   * Protects a task from now on, by the id of its process or of a thread of it. False when it is already.
   * Throws BadnessError `ESRCH`, `EPERM` for a kernel thread, `E2BIG`.
   */
  protect(id: number): boolean {
    if (isKernelThread(id)) throw new BadnessError('EPERM', `${id} is a kernel thread, which is never killed anyway`);
    const tgid = this.set.protect(id, nowTicks());
    if (tgid === undefined) return false;
    this.#report(this.#mirror?.protect(tgid));
    return true;
  }

  /** Ends the protection of a task and of the children that inherited it from it. False when it was not protected. */
  unprotect(id: number): boolean {
    const family = this.#familyOf(id);
    const was = this.set.unprotect(id);
    for (const tgid of family) this.set.unprotect(tgid);
    if (was) this.#report(this.#mirror?.unprotect([id, ...family]));
    return was;
  }

  /**
   * Takes in children forked since they were looked for, and lets go of whoever has ended. Call it before a choice. What cannot be done
   * (E2BIG, EMFILE) is told once, until it can: a guard that ended for it would protect nobody.
   */
  refresh(): void {
    try {
      this.#follow();
      this.#missing = false;
    } catch (error) {
      if (errorCode(error) === 'UNKNOWN') throw error;
      if (!this.#missing) this.#tell(`not every child of a protected task is protected: ${(error as Error).message}`);
      this.#missing = true;
    }
    this.#report(this.#mirror?.save());
  }

  /** Flags for a task that is read in full. */
  readonly exempt: Exempt = ({ fields }) => {
    const [tgid, ppid, start] = [fields[L.FIELD_TGID]!, fields[L.FIELD_PPID]!, fields[L.FIELD_START_TIME_TICKS]!];
    return this.set.covers(tgid, ppid, start) ? L.TASK_PROTECTED : 0;
  };

  /** Restores every value that it changed, and lets go of all. */
  close(): void {
    this.#mirror?.close();
    this.set.clear();
  }

  #follow(): void {
    for (const { tgid } of this.set.prune()) this.#mirror?.forget(tgid);
    const parents = this.set.list();
    const known = new Set(parents.map(({ tgid }) => tgid));
    let left = INHERIT_MOST;
    // Those found are put behind the others, so their children are looked for in the same walk.
    for (const parent of parents) {
      for (const child of childrenOf(parent.tgid)) {
        const heir = known.has(child) ? null : this.#inherit(parent, child);
        if (heir === null) continue;
        parents.push(heir);
        left -= 1;
      }
      if (left <= 0) return;
    }
  }

  /** Null for a child that did not inherit, and for one that is gone. */
  #inherit(parent: ProtectedTask, child: number): ProtectedTask | null {
    const sinceTicks = startOf(child);
    if (sinceTicks === null || !this.set.inherits(parent.tgid, sinceTicks)) return null;
    try {
      // From its beginning: what it forked before it was seen is protected as well.
      if (this.set.protect(child, sinceTicks, parent.tgid) === undefined) return null;
      // The kernel has handed −1000 down already; what it was before is what the parent's was.
      this.#mirror?.inherit(parent.tgid, child);
      return { tgid: child, sinceTicks, parent: parent.tgid };
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return null;
      throw error;
    }
  }

  /** Those that inherited from a task, or from one that did. */
  #familyOf(tgid: number): number[] {
    const family = [tgid];
    for (const { tgid: one, parent } of this.set.list()) if (family.includes(parent)) family.push(one);
    return family.slice(1);
  }

  #report(news: MirrorNews | undefined): void {
    if (news?.refused && !this.#refused) {
      this.#refused = true;
      this.#tell(
        `oom_score_adj cannot be set (${news.refused}): the kernel's own killer does not know who is protected here`,
      );
    }
    if (news?.unsaved) this.#tell(`the state of protection cannot be saved: ${news.unsaved}`);
  }
}

/** 1/100 s since boot. */
function nowTicks(): number {
  return Math.floor(readUptime('/proc') * L.USER_HZ);
}

function statOf(pid: number) {
  try {
    return parseTaskStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

function startOf(pid: number): number | null {
  return statOf(pid)?.startTicks ?? null;
}

function isKernelThread(pid: number): boolean {
  return statOf(pid)?.kernelThread ?? false;
}

/** Children of all threads of a task, where the kernel tells them (CONFIG_PROC_CHILDREN); else none are known before they are read. */
function childrenOf(tgid: number): number[] {
  const children: number[] = [];
  for (const tid of listThreads(tgid)) {
    try {
      const text = readFileSync(`/proc/${tgid}/task/${tid}/children`, 'latin1');
      children.push(...text.split(' ').filter(Boolean).map(Number));
    } catch {
      // Gone, or a kernel that does not tell.
    }
  }
  return children;
}
