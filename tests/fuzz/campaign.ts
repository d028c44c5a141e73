/** Inputs for one target, for as long or as many as asked: mutated ones, and every fifth with the structure of the format. */
import fc from 'fast-check';
import { mutate } from './mutate.js';
import { Random } from './random.js';
import type { Target } from './target.js';

export interface Extent {
  /** CPU and wall time pass unevenly on a busy machine; this is wall time, ms. */
  readonly mostMs: number;
  readonly mostInputs: number;
}

export interface Outcome {
  readonly inputs: number;
  readonly ms: number;
  /** Different answers that were seen. */
  readonly answers: number;
  /** What the parser is wrong about. */
  readonly found: string | null;
}

const POOL_MOST = 512;
const INPUT_MOST = 4096;
const SHAPED_AT_ONCE = 64;
const SHAPED_EVERY = 5;
/** Between two looks at the clock. */
const INPUTS_A_LOOK = 32;

/** Draws inputs that have the structure of a format, some at a time: fast-check takes long to begin. */
class Shaped {
  readonly #arbitrary: fc.Arbitrary<string>;
  readonly #random: Random;
  #drawn: string[] = [];

  constructor(arbitrary: fc.Arbitrary<string>, random: Random) {
    this.#arbitrary = arbitrary;
    this.#random = random;
  }

  next(): string {
    if (this.#drawn.length === 0) {
      this.#drawn = fc.sample(this.#arbitrary, { numRuns: SHAPED_AT_ONCE, seed: this.#random.below(2 ** 31) });
    }
    return this.#drawn.pop()!;
  }
}

/** The same seed gives the same inputs in the same order; how far it gets depends on the time. */
export async function campaign(target: Target, seed: number, { mostMs, mostInputs }: Extent): Promise<Outcome> {
  const random = new Random(seed, target.name);
  const shaped = target.shaped ? new Shaped(target.shaped, random) : null;
  const most = target.most ?? INPUT_MOST;
  const pool = [...target.seeds];
  const answers = new Set<string | number>();
  const start = performance.now();
  const outcome = (inputs: number, found: Outcome['found'] = null): Outcome => ({
    ...{ inputs, found },
    ms: performance.now() - start,
    answers: answers.size,
  });
  // A stack is most of what a refusal costs; whoever finds something tries it again with one.
  Error.stackTraceLimit = 0;
  for (let inputs = 0; inputs < mostInputs; ) {
    if (inputs % INPUTS_A_LOOK === 0 && performance.now() - start >= mostMs) return outcome(inputs);
    const isShaped = shaped !== null && inputs % SHAPED_EVERY === 0;
    const whole = inputs < target.seeds.length ? target.seeds[inputs]! : null;
    const made = isShaped ? shaped.next() : mutate(random, random.of(pool), target.words, random.of(pool));
    const input = (whole ?? made).slice(0, most);
    inputs += 1;
    try {
      const answer = target.check(input);
      const seen = typeof answer === 'object' ? await answer : answer;
      if (answers.has(seen)) continue;
      answers.add(seen);
      if (pool.length < POOL_MOST) pool.push(input);
    } catch {
      return outcome(inputs, input);
    }
  }
  return outcome(mostInputs);
}
