/**
 * Stage: selection → report. The threads of badness whatif. They share the queue of recordings and the compiled engine; each reads its
 * recordings itself, so that no thread waits for another one. What they say comes out in the order of the recordings.
 */
import { readFileSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Looked } from '../recording/index.js';
import { type FromWhatIf, IDLE, IN_HAND, NEXT, type WhatIfWorkerData } from './whatif-queue.js';

export type WhatIfWork = Pick<WhatIfWorkerData, 'paths' | 'policy' | 'against' | 'all'> & { readonly jobs: number };

/** The largest first: nobody is left with a large one at the end. */
function bySize(paths: readonly string[]): number[] {
  const sizes = paths.map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  return [...paths.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
}

function compiledEngine(): WebAssembly.Module | null {
  const bytes = readFileSync(new URL('./badness.wasm', import.meta.url));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
}

class Pool {
  readonly #data: Omit<WhatIfWorkerData, 'thread'>;
  readonly #results: (Looked | undefined)[];
  readonly #told: () => void;
  #failure: Error | null = null;

  constructor({ paths, policy, against, all, jobs }: WhatIfWork, told: () => void) {
    const cells = new Int32Array(new SharedArrayBuffer(4 * (IN_HAND + jobs)));
    cells.fill(IDLE, IN_HAND);
    this.#data = { paths, order: bySize(paths), cells, module: compiledEngine(), policy, against, all };
    this.#results = paths.map(() => undefined);
    this.#told = told;
    for (let thread = 0; thread < jobs; ++thread) this.#start(thread);
  }

  /** Undefined as long as nothing came. Throws when a thread could not even begin. */
  result(index: number): Looked | undefined {
    if (this.#failure) throw this.#failure;
    return this.#results[index];
  }

  #start(thread: number): void {
    const worker = new Worker(new URL('./whatif-worker.js', import.meta.url), {
      workerData: { ...this.#data, thread } satisfies WhatIfWorkerData,
      execArgv: [],
    });
    worker.on('message', ({ index, looked }: FromWhatIf) => this.#take(index, looked));
    worker.on('error', (error) => this.#died(thread, error));
  }

  #take(index: number, looked: Looked): void {
    this.#results[index] = looked;
    this.#told();
  }

  /** A recording that is too large for a thread takes that thread along, and no other recording. */
  #died(thread: number, error: NodeJS.ErrnoException): void {
    const { cells, order } = this.#data;
    const inHand = Atomics.exchange(cells, IN_HAND + thread, IDLE);
    if (inHand === IDLE) {
      this.#failure = error;
      this.#told();
      return;
    }
    // It may have said what came of it, and died before it took the next.
    if (this.#results[inHand] === undefined) {
      this.#take(inHand, { kind: 'bad', code: error.code ?? null, words: `its thread has ended: ${error.message}` });
    }
    if (Atomics.load(cells, NEXT) < order.length) this.#start(thread);
  }
}

/** What came of each recording, in their order. */
export async function* lookAtAll(work: WhatIfWork): AsyncGenerator<Looked> {
  let wake = () => {};
  const pool = new Pool(work, () => wake());
  for (const index of work.paths.keys()) {
    let looked = pool.result(index);
    while (looked === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      looked = pool.result(index);
    }
    yield looked;
  }
}
