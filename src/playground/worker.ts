/**
 * Stage: all of them, for a page. The thread of the desk where the page may share memory: rankings are written into memory that
 * the page reads as well, two of them in turn, so that the one on the screen stays as it is while the next is made.
 */
import { Desk } from './desk.js';
import type { DeskCalls, Ranked } from './desk-calls.js';

/** What the page posts, and what it gets. */
export interface Ask {
  readonly id: number;
  readonly call: keyof DeskCalls;
  readonly args: readonly unknown[];
}

export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

const BYTES_A_TASK = 20;

/** Two pieces of shared memory for rankings. */
class Shelf {
  readonly #places = [new SharedArrayBuffer(0), new SharedArrayBuffer(0)];
  #next = 0;

  put(ranked: Ranked): Ranked {
    const count = ranked.points.length;
    this.#next = 1 - this.#next;
    if (this.#places[this.#next]!.byteLength < count * BYTES_A_TASK) {
      this.#places[this.#next] = new SharedArrayBuffer(Math.ceil(count * 1.5) * BYTES_A_TASK);
    }
    const place = this.#places[this.#next]!;
    const points = new Float64Array(place, 0, count);
    const chargePages = new Float64Array(place, count * 8, count);
    const order = new Uint32Array(place, count * 16, ranked.order.length);
    points.set(ranked.points);
    chargePages.set(ranked.chargePages);
    order.set(ranked.order);
    return { ...ranked, points, chargePages, order };
  }
}

const desk = new Desk();
const shelf = new Shelf();

async function answer({ id, call, args }: Ask): Promise<Answer> {
  try {
    const value = await (desk[call] as (...args: readonly unknown[]) => Promise<unknown>).call(desk, ...args);
    return { id, value: call === 'rank' ? shelf.put(value as Ranked) : value };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

// One after the other: a policy that is read must not change the table under a ranking.
let last: Promise<void> = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  last = last.then(async () => postMessage(await answer(data)));
});
