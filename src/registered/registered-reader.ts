/** Stage: watch. In: what the registered tasks hold, and their budget. Out: memory as every other reader tells it. */
import type { MemoryReader } from '../pressure/memory-source.js';
import type { MemoryState } from '../pressure/memory-state.js';
import type { TaskRegistry } from './registry.js';

const KIB = 1024;

/** Available is what the budget leaves: below 0 where it is overdrawn. There is no swap. */
export class RegisteredReader implements MemoryReader {
  readonly #registry: TaskRegistry;
  readonly #budgetBytes: number;

  /** `budgetBytes`: 1 … 2^53. */
  constructor(registry: TaskRegistry, budgetBytes: number) {
    this.#registry = registry;
    this.#budgetBytes = budgetBytes;
  }

  read(): MemoryState {
    const totalKib = this.#budgetBytes / KIB;
    const availableKib = (this.#budgetBytes - this.#registry.measure()) / KIB;
    return { totalKib, availableKib, basisKib: totalKib, swapTotalKib: 0, swapFreeKib: 0 };
  }
}
