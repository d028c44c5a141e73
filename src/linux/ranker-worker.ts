/**
 * Stage: selection → candidate queue. The thread of a ranker: ranks with a memory of its own, because a table has one writer,
 * and writes the list into the queue of the memory that it was given.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from '../engine.js';
import type { Policy } from '../policy/policy.js';
import { endThread } from './end-thread.js';
import { openLinuxDomain } from './open-domain.js';
import { openQueue } from './queue-tasks.js';
import { Ranker, type RankerCounters } from './ranker.js';
import { type Refusal, refusalOf } from './thread-refusal.js';

/** Everything can be cloned between threads. */
export interface RankerWorkerData {
  readonly policy: Policy;
  readonly for: 'daemon' | 'library';
  readonly memory: WebAssembly.Memory;
  readonly maxTasks: number;
  /** Number of its window in `memory`. */
  readonly thread: number;
  readonly everyMs: number;
  readonly count: number;
}

export type FromRanker =
  | { readonly kind: 'refreshed'; readonly counters: RankerCounters }
  /** It did not even begin. */
  | ({ readonly kind: 'refused' } & Refusal);

const port = parentPort!;
const say = (message: FromRanker) => port.postMessage(message);

async function start(): Promise<void> {
  const { policy, memory, maxTasks, thread, everyMs, count, for: whose } = workerData as RankerWorkerData;
  const queue = openQueue(await openEngine({ memory, maxTasks, thread }));
  const { domain } = openLinuxDomain(policy.domain, { for: whose, native: null });
  const ranker = new Ranker(await openEngine({ maxTasks }), { policy, domain, queue, everyMs, count });
  port.once('message', () => {
    ranker.close();
    domain.close();
    endThread(port);
  });
  ranker.start((counters) => say({ kind: 'refreshed', counters }));
}

start().catch((error) => {
  say({ kind: 'refused', ...refusalOf(error) });
  endThread(port);
});
