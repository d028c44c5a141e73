/** Stage: none. Who comes when, the next first. */
import type { Cast, Scenario } from './scenario.js';

export interface Arrival {
  readonly atMs: number;
  readonly cast: Cast;
  /** Whose place is kept for it; null for one that was not there before. */
  readonly lineage: number | null;
}

export class Arrivals {
  /** The next is the last. */
  readonly #queue: Arrival[];

  constructor({ task }: Scenario) {
    const all = task.flatMap((cast) =>
      Array.from({ length: cast.count }, (_, index) => ({
        atMs: cast.at + index * cast.apart,
        cast,
        lineage: null,
      })),
    );
    // Of those that come at one moment the first that was written is the first.
    this.#queue = all.sort((a, b) => a.atMs - b.atMs).reverse();
  }

  get nextMs(): number {
    return this.#queue.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Comes after those of the same moment. */
  add(arrival: Arrival): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle]!.atMs > arrival.atMs) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, arrival);
  }

  /** The next one whose time has come. */
  take(nowMs: number): Arrival | null {
    return this.nextMs <= nowMs ? this.#queue.pop()! : null;
  }
}
