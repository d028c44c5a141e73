/**
 * Stage: bytes of /proc. The tasks that a scanner knows, with the descriptor kept on each one's statm. Structure of
 * arrays, two buffers: bringing it up to date with a listing is one merge that allocates nothing a task.
 */
import { readFileSync } from 'node:fs';
import type { FileCalls } from './file-calls.js';
import { isOutOfDescriptors } from './proc-files.js';

/** Given back when the process has run out: for a directory, a file, and what its other parts may want meanwhile. */
const SPARE_DESCRIPTORS = 16;

/** Row of a task that the snapshot before does not hold. */
export const ROW_NEW = -1;
/** Row of a task that was found gone. */
export const ROW_GONE = -2;

/** Slab that the kernel holds for one descriptor kept under /proc, measured on 6.18 (tests/bench/RESULTS.md). */
export const DESCRIPTOR_KERNEL_BYTES = 4131;
const DESCRIPTORS_MAX = 4096;

/** How many descriptors a scanner may keep: a quarter of the hard limit, at most 4,096. */
export function descriptorBudget(root: string): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync(`${root}/self/limits`, 'utf8'));
  return Math.min(hard ? Math.floor(Number(hard[1]) / 4) : DESCRIPTORS_MAX, DESCRIPTORS_MAX);
}

interface Columns {
  /** Pid, as /proc spells it. */
  names: string[];
  tgids: Int32Array;
  /** Kept descriptor, or −1. */
  fds: Int32Array;
  /** Row in the current snapshot, or ROW_*. */
  rows: Int32Array;
}

function columns(capacity: number): Columns {
  return {
    names: [],
    tgids: new Int32Array(capacity),
    fds: new Int32Array(capacity),
    rows: new Int32Array(capacity),
  };
}

export class TaskList {
  count = 0;
  /** Descriptors open now. */
  kept = 0;
  /** Tasks before this one have been tried by openAll. */
  private opened = 0;
  private readonly root: string;
  private readonly capacity: number;
  private readonly files: FileCalls;
  private budget: number;
  private now: Columns;
  private next: Columns;

  constructor(root: string, capacity: number, budget: number, files: FileCalls) {
    this.root = root;
    this.files = files;
    this.capacity = capacity;
    this.budget = budget;
    this.now = columns(capacity);
    this.next = columns(capacity);
  }

  get names(): readonly string[] {
    return this.now.names;
  }

  get tgids(): Int32Array {
    return this.now.tgids;
  }

  get fds(): Int32Array {
    return this.now.fds;
  }

  get rows(): Int32Array {
    return this.now.rows;
  }

  /**
   * Takes over a listing; what lies beyond the capacity is left out. Both lists are in the order the system gives, so
   * the smaller name at a difference is the one that the other list lacks. Were they not, a task would only lose its
   * descriptor and be read as a new one.
   */
  update(listed: readonly string[]): void {
    const { now, next } = this;
    const count = Math.min(listed.length, this.capacity);
    let old = 0;
    for (let index = 0; index < count; ++index) {
      const name = listed[index]!;
      while (old < this.count && now.names[old]! < name) this.drop(old++);
      const known = old < this.count && now.names[old] === name;
      next.names[index] = name;
      next.tgids[index] = known ? now.tgids[old]! : Number(name);
      next.fds[index] = known ? now.fds[old]! : -1;
      next.rows[index] = known ? now.rows[old]! : ROW_NEW;
      if (known) old += 1;
    }
    while (old < this.count) this.drop(old++);
    next.names.length = count;
    this.count = count;
    this.opened = 0;
    this.now = next;
    this.next = now;
  }

  /** Whether a listing holds just the tasks known, in their order. */
  equals(listed: readonly string[]): boolean {
    const { names } = this.now;
    if (listed.length !== this.count) return false;
    for (let index = 0; index < this.count; ++index) if (listed[index] !== names[index]) return false;
    return true;
  }

  /** Forgets the tasks marked ROW_GONE; the others keep their order. */
  sweep(): void {
    const { names, tgids, fds, rows } = this.now;
    let to = 0;
    for (let index = 0; index < this.count; ++index) {
      if (rows[index] === ROW_GONE) {
        this.drop(index);
        continue;
      }
      names[to] = names[index]!;
      tgids[to] = tgids[index]!;
      fds[to] = fds[index]!;
      rows[to] = rows[index]!;
      to += 1;
    }
    this.count = to;
    this.opened = to;
    names.length = to;
  }

  /** Opens the statm of every task that has none, while the budget lasts. What fails is tried again by `open`. */
  openAll(): void {
    const { names, fds } = this.now;
    const { root, count, files } = this;
    // A loop of its own with one call in it: it runs cold, and what a JIT learns here would be wrong for every round to come.
    for (let index = this.opened; index < count && this.kept < this.budget; ++index) {
      if (fds[index]! >= 0) continue;
      try {
        fds[index] = files.open(`${root}/${names[index]}/statm`);
        this.kept += 1;
      } catch (error) {
        if (isOutOfDescriptors(error)) break;
      }
    }
    this.opened = count;
  }

  /**
   * Where there are more tasks than descriptors to keep, gives them to the largest: who may win is read most surely.
   * `sizes` says how large each is, in the order of the list.
   */
  favour(sizes: Float64Array): void {
    if (this.count <= this.budget) return;
    const { fds } = this.now;
    const order = Int32Array.from({ length: this.count }, (_, index) => index);
    order.sort((a, b) => sizes[b]! - sizes[a]!);
    for (const index of order.subarray(this.budget)) this.drop(index);
    for (const index of order.subarray(0, this.budget)) {
      if (fds[index]! >= 0) continue;
      try {
        fds[index] = this.files.open(`${this.root}/${this.now.names[index]}/statm`);
        this.kept += 1;
      } catch {
        // Gone, hidden, or no descriptor left: it is read by name as before.
      }
    }
  }

  /** Opens the statm of one task, for the caller to close. */
  open(index: number): number {
    return this.relieved(() => this.files.open(`${this.root}/${this.now.names[index]}/statm`));
  }

  /** Runs what needs descriptors. When there are none left it is tried again with some of those kept here. */
  relieved<T>(open: () => T): T {
    try {
      return open();
    } catch (error) {
      if (!isOutOfDescriptors(error) || this.kept === 0) throw error;
      this.giveBack();
      return open();
    }
  }

  /** Gives back of those kept here until so many can be opened, as far as they go. */
  makeRoom(descriptors: number): void {
    const opened: number[] = [];
    try {
      while (opened.length < descriptors) opened.push(this.relieved(() => this.files.open('/')));
    } catch (error) {
      // Whoever wants them will see how far he comes.
      if (!isOutOfDescriptors(error)) throw error;
    } finally {
      for (const fd of opened) this.files.close(fd);
    }
  }

  /** The rows of the snapshot just made are those of this list, in order. */
  number(): void {
    const { rows } = this.now;
    for (let index = 0; index < this.count; ++index) rows[index] = index;
  }

  /** The task is not the one that it was: closes its descriptor and makes it a new one. */
  release(index: number): void {
    this.drop(index);
    this.now.rows[index] = ROW_NEW;
  }

  /** Closes every descriptor and forgets every task. */
  clear(): void {
    for (let index = 0; index < this.count; ++index) this.drop(index);
    this.count = 0;
    this.now.names.length = 0;
  }

  /** Others in this process need descriptors too: keeps fewer from now on. */
  private giveBack(): void {
    this.budget = Math.max(this.kept - SPARE_DESCRIPTORS, 0);
    for (let index = this.count - 1; index >= 0 && this.kept > this.budget; --index) this.drop(index);
  }

  private drop(index: number): void {
    const fd = this.now.fds[index]!;
    if (fd < 0) return;
    this.files.close(fd);
    this.kept -= 1;
    this.now.fds[index] = -1;
  }
}
