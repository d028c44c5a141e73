/** Stage: selection → report. A what-if over the recordings of a fleet: puts jobs into the queue, and gathers what workers say of them. */
import { randomBytes } from 'node:crypto';
import type { JetStreamClient } from '@nats-io/jetstream';
import { BadnessError } from '../../errors.js';
import { parsePolicy } from '../../policy/index.js';
import type { FleetConnection } from '../servers.js';
import {
  type FleetLooked,
  InOrder,
  RESULT_STREAM,
  ResultGatherer,
  resultSubject,
  runSubject,
  type WhatIfJob,
  type WhatIfRun,
  WORK_SCHEMA,
  WORK_STREAM,
  workSubject,
} from '../what-if.js';
import { natsOf } from './connect.js';
import { loadJetstream } from './packages.js';
import { FleetRecordings, type KeptRecording } from './recordings.js';

/** What a what-if over a fleet's recordings is asked. */
export interface FleetWhatIf {
  /** The text of a policy file, and of the old one; null: that of each recording, else the default one. */
  readonly policy: string;
  readonly against?: string | null;
  /** Decide at every snapshot, as though memory were short at each. Default false. */
  readonly all?: boolean;
  /** Which recordings, as a pattern of names. Default: all. */
  readonly recordings?: string;
  /** Ends it before it is whole. */
  readonly signal?: AbortSignal;
  /** Hears how many recordings are done, of how many; first with none. */
  readonly progress?: (done: number, total: number) => void;
}

const AT_ONCE = 256;
/** A server that was killed is noticed within seconds. */
const SOON = { expires: 5000, idle_heartbeat: 1000 };
const TRIES = 30;
const PAUSE_MS = 1000;

/** A server may be away for a while. What is put again has the same id, and is there once. */
async function insist(put: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES; ; --left) {
    try {
      await put();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function putJobs(client: JetStreamClient, run: string, recordings: readonly KeptRecording[]): Promise<void> {
  // The largest first: nobody is left with a large one at the end.
  const order = [...recordings.keys()].sort((a, b) => recordings[b]!.bytes - recordings[a]!.bytes || a - b);
  for (let from = 0; from < order.length; from += AT_ONCE) {
    const some = order.slice(from, from + AT_ONCE).map((index) => {
      const { name, digest } = recordings[index]!;
      const job: WhatIfJob = { schema: WORK_SCHEMA, run, index, recording: name, digest };
      return insist(() => client.publish(workSubject(run), JSON.stringify(job), { msgID: `${run}.${index}` }));
    });
    await Promise.all(some);
  }
}

/** Results as they come, each recording once. */
async function* gathered(
  client: JetStreamClient,
  run: string,
  recordings: readonly KeptRecording[],
  { progress = () => {}, signal }: FleetWhatIf,
): AsyncGenerator<FleetLooked> {
  const gatherer = new ResultGatherer(recordings.map(({ name }) => name));
  const consumer = await client.consumers.get(RESULT_STREAM, { filter_subjects: resultSubject(run) });
  const messages = await consumer.consume(SOON);
  const end = () => messages.stop();
  signal?.addEventListener('abort', end);
  try {
    if (signal?.aborted) end();
    progress(0, recordings.length);
    for await (const message of messages) {
      const result = gatherer.offer(message.string());
      if (result === null) continue;
      progress(gatherer.done, recordings.length);
      yield result;
      if (gatherer.isComplete) break;
    }
    if (!gatherer.isComplete) throw new BadnessError('EINTR', 'ended before all recordings were evaluated');
  } finally {
    signal?.removeEventListener('abort', end);
    await messages.close();
  }
}

/** Leaves nothing behind, whether it is whole or not. */
async function clear(client: JetStreamClient, run: string): Promise<void> {
  const { streams } = await client.jetstreamManager();
  await streams.purge(WORK_STREAM, { filter: workSubject(run) });
  for (const subject of [runSubject(run), resultSubject(run)]) await streams.purge(RESULT_STREAM, { filter: subject });
}

/**
 * What came of each recording, in the order of their names, each once; waits for workers as long as it takes. Whoever stops reading takes
 * what is left out of the queue. Rejects with PolicyFileError; BadnessError `ENOFLEET`, `ENOENT` without a recording of that name,
 * `EINTR` when `signal` ends it.
 */
export async function* fleetWhatIf(connection: FleetConnection, ask: FleetWhatIf): AsyncGenerator<FleetLooked> {
  const { policy, against = null, all = false, recordings: pattern = '*' } = ask;
  for (const text of [policy, against]) if (text !== null) await parsePolicy(text);
  const { jetstream } = await loadJetstream();
  const client = jetstream(natsOf(connection));
  const recordings = await (await FleetRecordings.open(connection)).list(pattern);
  if (recordings.length === 0) {
    throw new BadnessError(
      'ENOENT',
      `no recording is called ${pattern}; badness fleet recordings put is how one comes`,
    );
  }
  const run = `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}`;
  const settings: WhatIfRun = { schema: WORK_SCHEMA, run, policy, against, all };
  try {
    await insist(() => client.publish(runSubject(run), JSON.stringify(settings), { msgID: run }));
    await putJobs(client, run, recordings);
    const order = new InOrder();
    for await (const result of gathered(client, run, recordings, ask)) yield* order.put(result);
  } finally {
    await clear(client, run).catch(() => {});
  }
}
