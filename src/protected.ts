/**
 * Stage: table → selection, before points. The protected set of the 2006 proposal: tasks that no scheme and no queue may
 * choose, in the engine's shared memory. A task is held by a descriptor, so a pid that was reused protects nobody; what it forks
 * while it is protected is protected too, what it had forked before is not. An exec changes nothing, an exit ends it.
 *
 * One thread changes the set, every thread may ask.
 */
import * as L from '../assembly/layout.js';
import { BadnessError } from './errors.js';
import type { TaskHandles } from './queue.js';

export interface ProtectedTask {
  readonly tgid: number;
  /** 1/100 s since boot: what it forks from then on is protected too. */
  readonly sinceTicks: number;
  /** The protected task that forked it, 0 when it was asked for. */
  readonly parent: number;
}

interface ProtectedEngine {
  readonly memory: WebAssembly.Memory;
}

const COUNT_MASK = L.PROTECTED_EPOCH - 1;

export class ProtectedSet {
  readonly #view: DataView;
  readonly #state: Int32Array<ArrayBufferLike>;
  readonly #tasks: TaskHandles;

  constructor(engine: ProtectedEngine, tasks: TaskHandles) {
    this.#view = new DataView(engine.memory.buffer);
    this.#state = new Int32Array(engine.memory.buffer, L.H_PROTECTED, 1);
    this.#tasks = tasks;
  }

  /** Entries, dead ones included until `prune`; 0 … 4,096. */
  get count(): number {
    return Atomics.load(this.#state, 0) & COUNT_MASK;
  }

  /**
   * Protects a task, by the id of its process or of one of its threads. Returns its tgid, or undefined when it is protected already.
   * Throws BadnessError `ESRCH` when there is no such task, `E2BIG` when there are 4,096.
   */
  protect(id: number, sinceTicks: number, parent = 0): number | undefined {
    const opened = this.#tasks.open(id);
    if (!opened) throw new BadnessError('ESRCH', `no task has the id ${id}`);
    const { tgid, handle } = opened;
    if (this.has(tgid)) {
      this.#tasks.close(handle);
      return undefined;
    }
    // An entry of the same number that is dead is in the way of nobody, but of the reader of a list.
    this.#remove(tgid);
    const { count } = this;
    if (count === L.PROTECTED_MAX) {
      this.#tasks.close(handle);
      throw new BadnessError('E2BIG', `protected tasks must be at most ${L.PROTECTED_MAX}`);
    }
    this.#change(count + 1, () => {
      const at = entryAt(count);
      this.#view.setInt32(at + L.PE_TGID, tgid, true);
      this.#view.setUint32(at + L.PE_HANDLE, handle, true);
      this.#view.setFloat64(at + L.PE_SINCE_TICKS, sinceTicks, true);
      this.#view.setInt32(at + L.PE_PARENT, parent, true);
    });
    return tgid;
  }

  /** Ends the protection of a task, not of its children. False when it was not protected. */
  unprotect(tgid: number): boolean {
    const was = this.has(tgid);
    this.#remove(tgid);
    return was;
  }

  /** Drops the tasks that have ended. Returns them. */
  prune(): ProtectedTask[] {
    const dead = this.#read(() => this.#entries().filter(({ handle }) => !this.#tasks.isAlive(handle)));
    for (const { tgid } of dead) this.#remove(tgid);
    return dead.map(taskOf);
  }

  /** True while that very task is protected and alive. */
  has(tgid: number): boolean {
    return this.#read(() => {
      const at = this.#find(tgid);
      return at >= 0 && this.#tasks.isAlive(this.#view.getUint32(at + L.PE_HANDLE, true));
    });
  }

  /** True for a protected task, and for a child of one that started since: asked of each task that is read. */
  covers(tgid: number, ppid: number, startTicks: number): boolean {
    if (this.count === 0) return false;
    return this.has(tgid) || this.inherits(ppid, startTicks);
  }

  /** True when a child of this parent that started then is protected by it. */
  inherits(ppid: number, startTicks: number): boolean {
    return this.#read(() => {
      const at = this.#find(ppid);
      if (at < 0 || startTicks < this.#view.getFloat64(at + L.PE_SINCE_TICKS, true)) return false;
      return this.#tasks.isAlive(this.#view.getUint32(at + L.PE_HANDLE, true));
    });
  }

  /** The tasks protected now, in the order in which they came. */
  list(): ProtectedTask[] {
    const entries = this.#read(() => this.#entries());
    return entries.filter(({ handle }) => this.#tasks.isAlive(handle)).map(taskOf);
  }

  /** Ends all protection and closes what is held. */
  clear(): void {
    for (const { tgid } of this.#entries()) this.#remove(tgid);
  }

  #entries() {
    return Array.from({ length: this.count }, (_, index) => {
      const at = entryAt(index);
      return {
        tgid: this.#view.getInt32(at + L.PE_TGID, true),
        handle: this.#view.getUint32(at + L.PE_HANDLE, true),
        sinceTicks: this.#view.getFloat64(at + L.PE_SINCE_TICKS, true),
        parent: this.#view.getInt32(at + L.PE_PARENT, true),
      };
    });
  }

  /** Address of the entry of a task, −1 without one. */
  #find(tgid: number): number {
    for (let index = 0; index < this.count; ++index) {
      const at = entryAt(index);
      if (this.#view.getInt32(at + L.PE_TGID, true) === tgid) return at;
    }
    return -1;
  }

  #remove(tgid: number): void {
    const at = this.#find(tgid);
    if (at < 0) return;
    const handle = this.#view.getUint32(at + L.PE_HANDLE, true);
    const { count } = this;
    const bytes = new Uint8Array(this.#view.buffer);
    // Those behind move up, so that the list stays in its order.
    this.#change(count - 1, () => bytes.copyWithin(at, at + L.PROTECTED_ENTRY_BYTES, entryAt(count)));
    this.#tasks.close(handle);
  }

  /** One change. While it is made the epoch is odd, and whoever reads waits for these few instructions. */
  #change(count: number, write: () => void): void {
    const state = Atomics.load(this.#state, 0);
    Atomics.store(this.#state, 0, state + L.PROTECTED_EPOCH);
    write();
    const epoch = (state & ~COUNT_MASK) + 2 * L.PROTECTED_EPOCH;
    Atomics.store(this.#state, 0, epoch | count);
  }

  /** What `read` finds while nobody changes the set. A descriptor that was closed meanwhile may make it throw: then once more. */
  #read<T>(read: () => T): T {
    for (;;) {
      const before = Atomics.load(this.#state, 0);
      if ((before & L.PROTECTED_EPOCH) !== 0) continue;
      try {
        const found = read();
        if (Atomics.load(this.#state, 0) === before) return found;
      } catch (error) {
        if (Atomics.load(this.#state, 0) === before) throw error;
      }
    }
  }
}

function entryAt(index: number): number {
  return L.PROTECTED + index * L.PROTECTED_ENTRY_BYTES;
}

function taskOf({ tgid, sinceTicks, parent }: ProtectedTask): ProtectedTask {
  return { tgid, sinceTicks, parent };
}
