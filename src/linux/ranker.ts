/**
 * Stage: selection → candidate queue. The user-space ranker of the 2005 proposal (its `user_oom` program, which was never
 * posted): keeps the candidate queue filled by a chosen scheme and refreshes it at a stated age. When it stops, its last list
 * grows stale, and the guard chooses for itself again.
 */
import type { Engine } from '../engine.js';
import { reasonOf } from '../guard/bounded-call.js';
import { type Clock, idleClock, systemClock } from '../guard/clock.js';
import type { CandidateQueue } from '../queue.js';
import { monotonicMs } from './linux-world.js';
import { RankedPids, type RankedPidsOptions } from './ranked-pids.js';

/** What a ranker ranks, how often, and into which queue. */
export interface RankerOptions extends RankedPidsOptions {
  /** Where the lists go. One thread writes to a queue. */
  readonly queue: Pick<CandidateQueue, 'replace'>;
  /** Pause from one ranking to the next, ms, 20 … 60,000. Default 1,000. A list counts three times pause and ranking. */
  readonly everyMs?: number;
  /** Keeps the process alive between two rankings. Default false. */
  readonly keepAlive?: boolean;
  /** For tests. Its `now` is that of the rounds that take from the queue. */
  readonly clock?: Clock;
}

/** What a ranker has done so far. */
export interface RankerCounters {
  /** Lists written. */
  readonly refreshes: number;
  /** Rankings or writes that failed; the list before stays until its time is over. */
  readonly failures: number;
  /** Why, of the last one that failed. */
  readonly lastError: string | null;
  /** Candidates in the last list. */
  readonly queued: number;
}

export const EVERY_MS = 1000;
const EVERY_MOST_MS = 60_000;
/** A ranking takes milliseconds itself, tens of them where there are thousands of tasks. */
const EVERY_LEAST_MS = 20;
/** A ranking that is late, or fails once, does not yet make its list stale. */
const LIST_LASTS = 3;

/** Throws RangeError. */
export function checkEveryMs(everyMs: number): number {
  if (everyMs >= EVERY_LEAST_MS && everyMs <= EVERY_MOST_MS) return everyMs;
  throw new RangeError(`everyMs must be ${EVERY_LEAST_MS}..${EVERY_MOST_MS}, got ${everyMs}`);
}

/** Ranks with an engine of its own, whose table nobody else writes. */
export class Ranker {
  readonly #pids: RankedPids;
  readonly #queue: RankerOptions['queue'];
  readonly #everyMs: number;
  readonly #clock: Clock;
  #counters: RankerCounters = { refreshes: 0, failures: 0, lastError: null, queued: 0 };
  #cancel: (() => void) | null = null;

  /** Throws as RankedPids, RangeError for `everyMs`. */
  constructor(engine: Engine, options: RankerOptions) {
    const { queue, everyMs = EVERY_MS, keepAlive = false } = options;
    this.#everyMs = checkEveryMs(everyMs);
    this.#queue = queue;
    this.#clock = options.clock ?? { now: monotonicMs, after: (keepAlive ? systemClock : idleClock).after };
    this.#pids = new RankedPids(engine, options);
  }

  get counters(): RankerCounters {
    return this.#counters;
  }

  /** Ranks and replaces the list, now. False when that failed: counted, never thrown. */
  refresh(): boolean {
    const beganMs = this.#clock.now();
    const { refreshes, failures, lastError } = this.#counters;
    try {
      const pids = this.#pids.read();
      // From one list to the next it is the pause and the ranking, which takes long where there are thousands of tasks.
      const periodMs = this.#everyMs + this.#clock.now() - beganMs;
      const { count } = this.#queue.replace(pids.join(' '), { untilMs: beganMs + LIST_LASTS * periodMs });
      this.#counters = { refreshes: refreshes + 1, failures, lastError, queued: count };
      return true;
    } catch (error) {
      this.#counters = { ...this.#counters, failures: failures + 1, lastError: reasonOf(error) };
      return false;
    }
  }

  /** Refreshes now, and then again and again. `told` is called after each. */
  start(told: (counters: RankerCounters) => void = () => {}): void {
    this.#cancel?.();
    this.refresh();
    this.#cancel = this.#clock.after(this.#everyMs, () => this.start(told));
    told(this.#counters);
  }

  /** Stops, and empties the queue. */
  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#pids.close();
    this.#queue.replace('');
  }
}
