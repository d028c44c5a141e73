/**
 * Stage: selection → report. The threads of badness whatif. They share the queue of recordings and the compiled engine; each reads its
 * recordings itself, so that no thread waits for another one. What they say comes out in the order of the recordings.
 */
import { readFileSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Looked, LookOptions } from '../recording/index.js';
import { type FromWhatIf, IDLE, IN_HAND, NEXT, type WhatIfWorkerData } from './whatif-queue.js';

/** Which recordings, by how many threads, and by which policies: threads need as long to start as policies to be read. */
export interface WhatIfWork {
  readonly paths: readonly string[];
  readonly jobs: number;
  readonly options: Promise<LookOptions>;
}

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
  readonly #options: Promise<LookOptions>;
  readonly #workers = new Set<Worker>();
  #failure: Error | null = null;
  #wake = () => {};

  constructor({ paths, jobs, options }: WhatIfWork) {
    const cells = new Int32Array(new SharedArrayBuffer(4 * (IN_HAND + jobs)));
    cells.fill(IDLE, IN_HAND);
    this.#data = { paths, order: bySize(paths), cells, module: compiledEngine() };
    this.#options = options;
    this.#results = paths.map(() => undefined);
    for (let thread = 0; thread < jobs; ++thread) this.#start(thread);
  }

  /** Undefined as long as nothing came. Throws when a thread could not even begin, and for policies that cannot be had. */
  result(index: number): Looked | undefined {
    if (this.#failure) throw this.#failure;
    return this.#results[index];
  }

  /** Resolves when there is another result, or a failure. */
  told(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #start(thread: number): void {
    const worker = new Worker(new URL('./whatif-worker.js', import.meta.url), {
      workerData: { ...this.#data, thread } satisfies WhatIfWorkerData,
      execArgv: [],
    });
    worker.on('message', ({ index, looked }: FromWhatIf) => this.#take(index, looked));
    worker.on('error', (error) => this.#died(thread, error));
    worker.on('exit', () => this.#workers.delete(worker));
    this.#workers.add(worker);
    this.#options.then(
      (options) => worker.postMessage(options),
      (error) => this.#fail(error),
    );
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.close();
    this.#wake();
  }

  /** Whoever is still at work is not waited for. */
  close(): void {
    for (const worker of this.#workers) worker.terminate();
  }

  #take(index: number, looked: Looked): void {
    this.#results[index] = looked;
    this.#wake();
  }

  /** A recording that is too large for a thread takes that thread along, and no other recording. */
  #died(thread: number, error: NodeJS.ErrnoException): void {
    const { cells, order } = this.#data;
    const inHand = Atomics.exchange(cells, IN_HAND + thread, IDLE);
    if (inHand === IDLE) {
      this.#fail(error);
      return;
    }
    // It may have said what came of it, and died before it took the next.
    if (this.#results[inHand] === undefined) {
      this.#take(inHand, { kind: 'bad', code: error.code ?? null, words: `its thread has ended: ${error.message}` });
    }
    if (Atomics.load(cells, NEXT) < order.length) this.#start(thread);
  }
}

async function* inOrder(pool: Pool, paths: readonly string[]): AsyncGenerator<Looked> {
  try {
    for (const index of paths.keys()) {
      let looked = pool.result(index);
      while (looked === undefined) {
        await pool.told();
        looked = pool.result(index);
      }
      yield looked;
    }
  } finally {
    pool.close();
  }
}

/** What came of each recording, in their order; threads start at once. Throws what `options` rejects with. */
export function lookAtAll(work: WhatIfWork): AsyncGenerator<Looked> {
  return inOrder(new Pool(work), work.paths);
}
