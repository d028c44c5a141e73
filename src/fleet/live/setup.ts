/** Stage: none (settings). What a fleet needs on its servers: the stream of reports and the bucket of policies. */
import { POLICY_BUCKET, POLICY_STREAM, REPORT_KINDS, REPORT_STREAM, reportSubjects } from '../names.js';
import type { FleetConnection } from '../servers.js';
import { natsOf } from './connect.js';
import { loadJetstream, loadKv } from './packages.js';

/** How much of the reports is kept. */
export interface SetupOptions {
  /** How long reports are kept, days, 1 … 3,650. Default 30. */
  readonly days?: number;
  /** Bytes of reports that are kept; the oldest go first. Default 1 GiB. */
  readonly bytesMost?: number;
}

const DAY_NS = 86_400e9;
/** A report that is sent again within this is not stored twice; readers know its id besides. */
const DUPLICATE_NS = 600e9;
/** Values of a key that a rollback can reach. */
export const HISTORY = 64;

/** Makes what is not there, and leaves what is. */
export async function setUpFleet(connection: FleetConnection, options: SetupOptions = {}): Promise<void> {
  const { days = 30, bytesMost = 2 ** 30 } = options;
  const { jetstreamManager, DiscardPolicy, RetentionPolicy, StorageType } = await loadJetstream();
  const { Kvm } = await loadKv();
  const jsm = await jetstreamManager(natsOf(connection));
  const known = new Set<string>();
  for await (const name of jsm.streams.names()) known.add(name);
  if (!known.has(REPORT_STREAM)) {
    await jsm.streams.add({
      ...{ name: REPORT_STREAM, subjects: REPORT_KINDS.map(reportSubjects), storage: StorageType.File },
      ...{ retention: RetentionPolicy.Limits, discard: DiscardPolicy.Old, max_bytes: bytesMost },
      ...{ max_age: days * DAY_NS, duplicate_window: DUPLICATE_NS, allow_direct: true },
    });
  }
  if (!known.has(POLICY_STREAM)) {
    await new Kvm(natsOf(connection)).create(POLICY_BUCKET, {
      history: HISTORY,
      storage: StorageType.File,
      allow_direct: true,
    });
  }
}
