/**
 * Stage: selection → report. A worker of a fleet: takes jobs from the queue, says what came of each, and only then that it is done. A job whose
 * worker dies goes to another one.
 */
import { createHash } from 'node:crypto';
import type { Consumer, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import { BadnessError } from '../../errors.js';
import type { Looked } from '../../recording/index.js';
import type { FleetConnection } from '../servers.js';
import {
  RESULT_STREAM,
  resultParts,
  resultSubject,
  runSubject,
  type WhatIfJob,
  type WhatIfRun,
  WORK_SCHEMA,
  WORK_STREAM,
  WORKERS,
} from '../what-if.js';
import { natsOf } from './connect.js';
import { Evaluator } from './evaluator.js';
import { loadJetstream } from './packages.js';
import { FleetRecordings } from './recordings.js';

/** How a worker works, and who hears of it. */
export interface FleetWorkOptions {
  /** Recordings at a time, a thread each, 1 … 64. Default 1. */
  readonly jobs?: number;
  /** Ends it; what is in hand is finished first. */
  readonly signal?: AbortSignal;
  /** Hears of each job that is done. */
  readonly done?: (job: WhatIfJob, looked: Looked) => void;
  /** Hears of what is not as it should be, in words. */
  readonly note?: (words: string) => void;
}

const JOBS_MOST = 64;
/** One request to the queue stands so long. */
const EXPIRES_MS = 5000;
const PAUSE_MS = 1000;
const STILL_AT_IT_MS = 2000;
/** Whoever ends so many workers is not tried with another one. */
const DELIVERIES_MOST = 5;

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Null as soon as `signal` ends it. Nothing is left at a signal that lives for long. */
function orEnded<T>(working: Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
  if (!signal) return working;
  return new Promise((resolve, reject) => {
    const end = () => resolve(null);
    signal.addEventListener('abort', end);
    working.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

class FleetWorker {
  readonly #options: FleetWorkOptions;
  readonly #jetstream: JetStreamClient;
  readonly #consumer: Consumer;
  readonly #recordings: FleetRecordings;
  /** Settings of the run that was worked at last. */
  #run: WhatIfRun | null = null;

  constructor(options: FleetWorkOptions, jetstream: JetStreamClient, consumer: Consumer, recordings: FleetRecordings) {
    this.#options = options;
    this.#jetstream = jetstream;
    this.#consumer = consumer;
    this.#recordings = recordings;
  }

  /** One job after the other. A server that is away is waited for. */
  async lane(): Promise<void> {
    const { signal, note } = this.#options;
    const evaluator = new Evaluator();
    try {
      while (!signal?.aborted) {
        try {
          // Without a server that request ends nowhere: whoever is to end does not wait for it.
          const message = await orEnded(this.#consumer.next({ expires: EXPIRES_MS }), signal);
          if (message) await this.#work(message, evaluator);
        } catch (error) {
          const { code, message } = error as { code?: string; message: string };
          if (code === 'ENOTHREAD') throw error;
          note?.(message);
          await pause(PAUSE_MS);
        }
      }
    } finally {
      await evaluator.close();
    }
  }

  async #work(message: JsMsg, evaluator: Evaluator): Promise<void> {
    const job = JSON.parse(message.string()) as WhatIfJob;
    if (job.schema !== WORK_SCHEMA) return message.nak(PAUSE_MS);
    const timer = setInterval(() => message.working(), STILL_AT_IT_MS);
    try {
      const looked = await this.#look(job, message.info.deliveryCount, evaluator);
      await this.#tell(job, looked);
      // Not known to be done: it comes once more, and says the same.
      await message.ackAck();
      this.#options.done?.(job, looked);
    } catch (error) {
      message.nak(PAUSE_MS);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  async #look(job: WhatIfJob, deliveries: number, evaluator: Evaluator): Promise<Looked> {
    const { recording, digest } = job;
    if (deliveries > DELIVERIES_MOST) {
      return { kind: 'bad', code: 'EWORKERS', words: `${DELIVERIES_MOST} workers have begun it and not ended it` };
    }
    const [{ policy, against, all }, bytes] = await Promise.all([
      this.#settings(job.run),
      this.#recordings.read(recording, digest),
    ]);
    if (bytes === null) return { kind: 'bad', code: 'ENODATA', words: 'it is not there any more, or another one is' };
    return evaluator.look({ bytes, policy, against, all });
  }

  async #settings(run: string): Promise<WhatIfRun> {
    if (this.#run?.run === run) return this.#run;
    const manager = await this.#jetstream.jetstreamManager();
    const stored = await manager.direct.getMessage(RESULT_STREAM, { last_by_subj: runSubject(run) });
    if (!stored) throw new BadnessError('ENODATA', `the settings of run ${run} are not there any more`);
    this.#run = JSON.parse(stored.string()) as WhatIfRun;
    return this.#run;
  }

  async #tell(job: WhatIfJob, looked: Looked): Promise<void> {
    for (const { id, text } of resultParts(job, looked, sha256)) {
      await this.#jetstream.publish(resultSubject(job.run), text, { msgID: id });
    }
  }
}

/** Works until `signal` says otherwise. Rejects with BadnessError `ENOFLEET` without a queue, `ENOTHREAD`; RangeError. */
export async function workForFleet(connection: FleetConnection, options: FleetWorkOptions = {}): Promise<void> {
  const { jobs = 1 } = options;
  if (!(Number.isInteger(jobs) && jobs >= 1 && jobs <= JOBS_MOST)) {
    throw new RangeError(`jobs must be an integer 1..${JOBS_MOST}, got ${jobs}`);
  }
  const { jetstream } = await loadJetstream();
  const client = jetstream(natsOf(connection));
  const consumer = await client.consumers.get(WORK_STREAM, WORKERS).catch((cause: unknown) => {
    const words = `expected the queue ${WORK_STREAM}, found none; badness fleet setup makes it`;
    throw new BadnessError('ENOFLEET', words, { cause });
  });
  const worker = new FleetWorker(options, client, consumer, await FleetRecordings.open(connection));
  await Promise.all(Array.from({ length: jobs }, () => worker.lane()));
}
