/** Stage: none. Numbers that look random and are the same on every runtime, from a seed. */

/** Integers of 0 … 2^32 − 1 (xorshift32 of George Marsaglia, 2003). */
export class Chance {
  #state: number;

  /** `seed`: 0 … 2^32 − 1. */
  constructor(seed: number) {
    // Zero would stay zero.
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** An integer `low` … `high`, both included. */
  between(low: number, high: number): number {
    return low + (this.next() % (high - low + 1));
  }
}
