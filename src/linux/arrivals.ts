/**
 * Stage: bytes of /proc. Which processes are new since the look before. Those that are known are not opened again: they are told apart by
 * pid and start time, and read anew only when their pid may have been handed out to another (pid-cursor.ts).
 */
import { ForkWatch } from './fork-watch.js';
import { PidCursor } from './pid-cursor.js';
import { isForbidden, listPids } from './proc-files.js';
import { readStat } from './subtree-member.js';

/** A process seen for the first time. */
export interface Newcomer {
  readonly pid: number;
  /** 1/100 s since boot. */
  readonly startTicks: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** Start time of a process that may not be looked at. */
const HIDDEN = -1;

export class Arrivals {
  readonly #root: string;
  readonly #since: number;
  readonly #forks: ForkWatch;
  readonly #cursor: PidCursor;
  /** Pid and start time of those that were let go. */
  #known = new Map<number, number>();
  #listed = 0;

  /** Processes started before `sinceTicks` are never new. */
  constructor(root: string, sinceTicks: number) {
    this.#root = root;
    this.#since = sinceTicks;
    this.#forks = new ForkWatch(root);
    this.#cursor = new PidCursor(root);
  }

  /** False only when nobody can have appeared since the question before. A look that follows must follow it at once. */
  mayHaveForked(): boolean {
    return this.#forks.mayHaveForked(this.#listed);
  }

  /**
   * Lists, and reads whoever is neither known nor kept by the caller. `isKept` is told whether the pid may be another's by now.
   * @throws errno names when /proc cannot be listed or read.
   */
  look(isKept: (pid: number, doubtful: boolean) => boolean): Newcomer[] {
    this.#cursor.advance(this.#forks.count);
    try {
      return this.#list(isKept);
    } catch (error) {
      this.#cursor.forget();
      throw error;
    }
  }

  #list(isKept: (pid: number, doubtful: boolean) => boolean): Newcomer[] {
    const listed = listPids(this.#root);
    this.#listed = listed.length;
    const found: Newcomer[] = [];
    const known = new Map<number, number>();
    for (const name of listed) {
      const pid = Number(name);
      const doubtful = this.mayBeNew(pid);
      if (isKept(pid, doubtful)) continue;
      const start = this.#known.get(pid);
      if (start !== undefined && !doubtful) known.set(pid, start);
      else this.#meet(pid, start, known, found);
    }
    this.#known = known;
    return found;
  }

  /** False only when the pid was not handed out between the last two looks. */
  mayBeNew(pid: number): boolean {
    return this.#cursor.mayBeNew(pid);
  }

  /** Not to be told of this one again. */
  letGo({ pid, startTicks }: { readonly pid: number; readonly startTicks: number }): void {
    this.#known.set(pid, startTicks);
  }

  /** Start time of one that was let go, or undefined. */
  startOf(pid: number): number | undefined {
    return this.#known.get(pid);
  }

  /** The next look tells of everybody again who started then or later. */
  forgetSince(startTicks: number): void {
    for (const [pid, start] of this.#known) if (start >= startTicks) this.#known.delete(pid);
  }

  close(): void {
    this.#forks.close();
    this.#cursor.close();
    this.#known.clear();
  }

  #meet(pid: number, start: number | undefined, known: Map<number, number>, found: Newcomer[]): void {
    try {
      const stat = readStat(this.#root, pid);
      if (stat === null) return;
      const { startTicks, ppid: parent, pgrp: group, sid: session } = stat;
      if (startTicks === start || startTicks < this.#since) known.set(pid, startTicks);
      else found.push({ pid, startTicks, parent, group, session });
    } catch (error) {
      if (!isForbidden(error)) throw error;
      known.set(pid, HIDDEN);
    }
  }
}
