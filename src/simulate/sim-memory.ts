/**
 * Stage: bytes, of a machine that does not exist: who has how much of its memory and swap. Whole bytes, so that what is handed
 * out and what there is always add up.
 */
import type { MemoryState } from '../pressure/memory-state.js';
import type { SimMachine } from './scenario.js';
import type { SimTask } from './sim-task.js';

/** Below this share of memory the kernel swaps out, */
const RESERVE_SHARE = 32;
/** and below this everybody waits for memory. */
const STALL_SHARE = 128;
/** Page tables: one entry of 8 bytes a page. */
export const TABLES_SHARE = 512;

/** Takes `amount` from shares that are together `total`, in proportion; nobody gives more than its share. Returns what was taken. */
function takeFrom(
  tasks: Iterable<SimTask>,
  amount: number,
  total: number,
  share: (task: SimTask) => number,
  take: (task: SimTask, bytes: number) => void,
): number {
  let left = Math.min(amount, total);
  const wanted = left;
  for (const task of tasks) {
    if (left === 0) break;
    const mine = share(task);
    const bytes = Math.min(left, mine, Math.ceil((wanted * mine) / total));
    if (bytes <= 0) continue;
    take(task, bytes);
    left -= bytes;
  }
  return wanted - left;
}

export class SimMemory {
  readonly tasks = new Map<number, SimTask>();
  readonly #machine: SimMachine;
  readonly #reserve: number;
  #anon = 0;
  #swapped = 0;
  #cached = 0;
  /** What the disk can still move in this step. */
  #disk = 0;

  constructor(machine: SimMachine) {
    this.#machine = machine;
    this.#reserve = Math.floor(machine.memory / RESERVE_SHARE);
  }

  /** What can be had without a kill, caches included. */
  get available(): number {
    return this.#machine.memory - this.#machine.used - (this.#anon - this.#swapped);
  }

  get swapFree(): number {
    return this.#machine.swap - this.#swapped;
  }

  /** Nobody gets on as usual. */
  get isStalled(): boolean {
    return this.available < this.#machine.memory / STALL_SHARE;
  }

  /** What may be taken before the kernel has anything to do. */
  get ease(): number {
    return this.available - 2 * this.#reserve;
  }

  begin(ms: number): void {
    this.#disk = Math.floor((this.#machine.disk * ms) / 1000);
  }

  state(): MemoryState {
    const { memory, swap, used } = this.#machine;
    const kib = (bytes: number) => Math.floor(bytes / 1024);
    return {
      totalKib: kib(memory),
      availableKib: kib(this.available),
      // As of a real machine: what processes can have at most.
      basisKib: Math.max(1, kib(memory - used)),
      swapTotalKib: kib(swap),
      swapFreeKib: kib(this.swapFree),
    };
  }

  /** Gives a task what it is owed, as far as there is any. False when nothing is left to be given to anybody. */
  grant(task: SimTask): boolean {
    const missing = task.owed - this.available;
    if (missing > 0) this.#swapOut(missing);
    const got = Math.min(task.owed, this.available);
    this.#dropCache(got - (this.available - this.#cached));
    task.owed -= got;
    task.bytes += got;
    this.#anon += got;
    return task.owed === 0 || this.swapFree > 0;
  }

  /** A task gives some of its memory back: what is on swap last. */
  giveBack(task: SimTask, bytes: number): void {
    const fromSwap = Math.max(0, bytes - (task.bytes - task.swapped));
    task.bytes -= bytes;
    task.swapped -= fromSwap;
    this.#anon -= bytes;
    this.#swapped -= fromSwap;
  }

  /** A task's files are read again, as fast as the disk can and as far as there is room. `warm`: they have been there before. */
  readFiles(task: SimTask, warm = false): void {
    const room = this.available - this.#cached - this.#reserve;
    const bytes = Math.max(0, Math.min(task.cast.cache - task.cached, room, warm ? room : this.#disk));
    task.cached += bytes;
    this.#cached += bytes;
    if (!warm) this.#disk -= bytes;
  }

  /** What the kernel does by itself: keeps a little free, while there is swap. */
  balance(): void {
    if (this.available < this.#reserve) this.#swapOut(this.#reserve - this.available);
  }

  /** Everything a task had is free. */
  release(task: SimTask): void {
    this.tasks.delete(task.tgid);
    this.giveBack(task, task.bytes);
    this.#cached -= task.cached;
    task.cached = 0;
  }

  #swapOut(wanted: number): void {
    const bytes = Math.min(wanted, this.#disk, this.swapFree);
    const resident = ({ bytes: all, swapped }: SimTask) => all - swapped;
    const moved = takeFrom(this.tasks.values(), bytes, this.#anon - this.#swapped, resident, (task, share) => {
      task.swapped += share;
    });
    this.#swapped += moved;
    this.#disk -= moved;
  }

  #dropCache(wanted: number): void {
    if (wanted <= 0) return;
    const dropped = takeFrom(
      this.tasks.values(),
      wanted,
      this.#cached,
      ({ cached }) => cached,
      (task, share) => {
        task.cached -= share;
      },
    );
    this.#cached -= dropped;
  }
}
