/** Stage: none (settings). What what-if runs need on the servers of a fleet: a queue of work, the results, the recordings. */

import type { FleetConnection } from '../servers.js';
import { RECORDINGS_BUCKET, RESULT_STREAM, WORK_STREAM, WORKERS } from '../what-if.js';
import { natsOf } from './connect.js';
import { loadJetstream, loadObjects } from './packages.js';

/** Of the queue, when it is made. */
export interface WhatIfSetup {
  /** A job whose worker was not heard of for so long goes to another one, ms, 1,000 … 600,000. Default 30,000. Counts when it is made. */
  readonly redeliverMs?: number;
}

const DAY_NS = 86_400e9;
const DUPLICATE_NS = 600e9;
const WORK_BYTES = 2 ** 28;
const RESULT_BYTES = 2 ** 30;

/** Makes what is not there, and leaves what is. */
export async function setUpWhatIf(
  connection: FleetConnection,
  { redeliverMs = 30_000 }: WhatIfSetup = {},
): Promise<void> {
  const { jetstreamManager, AckPolicy, DiscardPolicy, RetentionPolicy, StorageType } = await loadJetstream();
  const { Objm } = await loadObjects();
  const jsm = await jetstreamManager(natsOf(connection));
  const known = new Set<string>();
  for await (const name of jsm.streams.names()) known.add(name);
  const both = { storage: StorageType.File, duplicate_window: DUPLICATE_NS };
  if (!known.has(WORK_STREAM)) {
    await jsm.streams.add({
      ...{ ...both, name: WORK_STREAM, subjects: [`${WORK_STREAM}.*`], retention: RetentionPolicy.Workqueue },
      // A run that does not fit is refused, not shortened.
      ...{ discard: DiscardPolicy.New, max_bytes: WORK_BYTES, max_age: 7 * DAY_NS },
    });
  }
  // A set-up that was cut off may have made the one and not the other.
  const consumers = new Set<string>();
  for await (const { name } of jsm.consumers.list(WORK_STREAM)) consumers.add(name);
  if (!consumers.has(WORKERS)) {
    await jsm.consumers.add(WORK_STREAM, {
      ...{ durable_name: WORKERS, ack_policy: AckPolicy.Explicit, ack_wait: redeliverMs * 1e6, max_deliver: -1 },
    });
  }
  if (!known.has(RESULT_STREAM)) {
    await jsm.streams.add({
      ...{ ...both, name: RESULT_STREAM, subjects: ['badness-result.*.*'], retention: RetentionPolicy.Limits },
      ...{ discard: DiscardPolicy.Old, max_bytes: RESULT_BYTES, max_age: DAY_NS, allow_direct: true },
    });
  }
  if (!known.has(`OBJ_${RECORDINGS_BUCKET}`)) {
    await new Objm(natsOf(connection)).create(RECORDINGS_BUCKET, { storage: StorageType.File });
  }
}
