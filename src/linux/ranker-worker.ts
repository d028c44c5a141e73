/**
 * Stage: selection → candidate queue. The thread of a ranker: ranks with a memory of its own, because a table has one writer,
 * and writes the list into the queue of the memory that it was given.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, openEngine } from '../engine.js';
import type { Policy } from '../policy/policy.js';
import { endThread } from './end-thread.js';
import type { LinuxDomain } from './linux-domain.js';
import { openLinuxDomain } from './open-domain.js';
import { openQueue } from './queue-tasks.js';
import { Ranker, type RankerCounters, type RankerOptions } from './ranker.js';
import { openRules } from './rules.js';
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
  const own = await openEngine({ maxTasks });
  const { rules } = await openRules(own, policy.rules);
  const { domain } = openLinuxDomain(policy.domain, { for: whose, native: null });
  const ranker = openRanker(own, { policy, rules, domain, queue, everyMs, count });
  port.once('message', () => {
    ranker.close();
    domain.close();
    endThread(port);
  });
  ranker.start((counters) => say({ kind: 'refreshed', counters }));
}

/** Descriptors of a thread are the process's: those of the domain would stay when it is refused. */
function openRanker(engine: Engine, options: RankerOptions & { readonly domain: LinuxDomain }): Ranker {
  try {
    return new Ranker(engine, options);
  } catch (error) {
    options.domain.close();
    throw error;
  }
}

start().catch((error) => {
  say({ kind: 'refused', ...refusalOf(error) });
  endThread(port);
});
