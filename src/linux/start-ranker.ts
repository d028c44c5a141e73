/** Stage: selection → candidate queue. The ranker in a thread of its own, over the memory of a guard. */
import { Worker } from 'node:worker_threads';
import { THREADS_MAX } from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import type { Policy } from '../policy/policy.js';
import { checkEveryMs, EVERY_MS, type RankerCounters } from './ranker.js';
import type { FromRanker, RankerWorkerData } from './ranker-worker.js';
import { threadFile } from './thread-file.js';
import { errorOf } from './thread-refusal.js';

/** What the thread of a ranker ranks, and how often. */
export interface StartRankerOptions {
  /** Whose domain is ranked, by whose scheme, parameters, never list and rules. Another scheme than the guard's is the point of it. */
  readonly policy: Policy;
  /** What domain `auto` means. Default `library`. */
  readonly for?: 'daemon' | 'library';
  /** Pause from one ranking to the next, ms, 20 … 60,000. Default 1,000. A list counts three times pause and ranking. */
  readonly everyMs?: number;
  /** Candidates in a list, 1 … 4,096. Default 10. */
  readonly count?: number;
  /** Number of a window of the engine's memory that no other thread uses, 0 … 15. Default 15. */
  readonly thread?: number;
  /** Keeps the process alive. Default false. */
  readonly keepAlive?: boolean;
  /** Where the program of its thread is, for bundles: that of `badness/ranker-worker.js`. Default: beside this package's own files. */
  readonly worker?: URL;
}

/** A ranker that runs in its own thread. */
export class RunningRanker implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #counters: RankerCounters = { refreshes: 0, failures: 0, lastError: null, queued: 0 };

  /** @internal */
  constructor(worker: Worker) {
    this.#worker = worker;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (message: FromRanker) => {
      if (message.kind === 'refreshed') this.#counters = message.counters;
    });
    // The last list grows stale and the guard chooses for itself: no reason to end the process.
    worker.on('error', ({ message }) => {
      this.#counters = { ...this.#counters, lastError: `the thread has ended: ${message}` };
    });
  }

  /** As of its last ranking. */
  get counters(): RankerCounters {
    return this.#counters;
  }

  /** Ends the ranker, and empties the queue. */
  async close(): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.#ended;
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a thread that keeps the candidate queue of `engine` filled. Resolves when the first list is in force, or could not be made
 * (`counters`). Rejects with RangeError or TypeError for options, BadnessError `ENOTSUP` without shared memory, `EDOMAIN`, `ENOTLINUX`,
 * `ENOTHREAD` where a bundler has left its thread behind.
 */
export async function startRanker(engine: Engine, options: StartRankerOptions): Promise<RunningRanker> {
  if (engine.build !== 'shared') {
    throw new BadnessError('ENOTSUP', 'startRanker needs an engine of the shared build, got baseline; use Ranker');
  }
  const { policy, everyMs = EVERY_MS, count = 10, thread = THREADS_MAX - 1, keepAlive = false } = options;
  const data: RankerWorkerData = {
    policy,
    for: options.for ?? 'library',
    memory: engine.memory,
    maxTasks: engine.capacity,
    thread,
    everyMs: checkEveryMs(everyMs),
    count,
  };
  const worker = new Worker(threadFile('ranker-worker.js', options.worker), {
    workerData: data,
    execArgv: [],
    // Descriptors of the queue are the process's: opened here, closed by whoever takes them. Node would close their numbers again.
    trackUnmanagedFds: false,
  });
  const ranker = new RunningRanker(worker);
  await firstList(worker);
  // Not before: an application that waits for nothing else would end in the middle of the start.
  if (!keepAlive) worker.unref();
  return ranker;
}

function firstList(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromRanker) => {
      worker.off('error', reject);
      if (message.kind === 'refreshed') resolve();
      else reject(errorOf(message));
    });
  });
}
