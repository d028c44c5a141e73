/** Numbers that are the same for a seed, fast enough for millions of inputs (xorshift128 of Marsaglia). */
export class Random {
  readonly #state: Uint32Array;

  /** `seed` 0 … 2^32 − 1; `stream` tells targets apart that share a seed. */
  constructor(seed: number, stream = '') {
    let hash = (seed ^ 0x9e3779b9) >>> 0;
    for (const character of stream) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
    this.#state = new Uint32Array([hash | 1, seed >>> 0, 0x6c078965, 0x85ebca6b]);
    for (let times = 0; times < 20; times++) this.#next();
  }

  #next(): number {
    const state = this.#state;
    const first = state[0]! ^ (state[0]! << 11);
    const last = state[3]!;
    state.copyWithin(0, 1);
    state[3] = last ^ (last >>> 19) ^ first ^ (first >>> 8);
    return state[3]!;
  }

  /** 0 … below − 1. */
  below(below: number): number {
    return below <= 1 ? 0 : this.#next() % below;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
