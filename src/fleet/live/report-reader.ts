/** Stage: report. Reads what machines have reported, each report once. */
import type { JsMsg } from '@nats-io/jetstream';
import { BadnessError } from '../../errors.js';
import { REPORT_STREAM, type ReportKind, reporterOf, reportSubject, reportSubjects } from '../names.js';
import { type FleetReport, parseReport, SeenIds } from '../report.js';
import type { FleetConnection } from '../servers.js';
import { natsOf } from './connect.js';
import { loadJetstream } from './packages.js';

/** Which reports are asked for. */
export interface ReadReports {
  readonly kind: ReportKind;
  /** Of one machine only. */
  readonly host?: string | undefined;
  /** Since then, ms since 1970; or only the last of each machine. Default: all that is kept. */
  readonly since?: number | 'last' | undefined;
}

/** What stands in a message; null for what no agent of that subject's machine has written. */
function reportOf({ subject, data }: JsMsg): FleetReport | null {
  const report = parseReport(new TextDecoder().decode(data));
  const reporter = reporterOf(subject);
  return report !== null && reporter?.host === report.host ? report : null;
}

const NO_STREAM = 10_059;

function noStream(cause: unknown): never {
  if ((cause as { code?: unknown }).code !== NO_STREAM) throw cause;
  const words = `expected the stream ${REPORT_STREAM}, found none; badness fleet setup makes it`;
  throw new BadnessError('ENOFLEET', words, { cause });
}

/** Reports that are there now, oldest first. What was sent twice comes once. Rejects with BadnessError `ENOFLEET`. */
export async function* readReports(connection: FleetConnection, ask: ReadReports): AsyncGenerator<FleetReport> {
  const { kind, host, since } = ask;
  const { jetstream, DeliverPolicy } = await loadJetstream();
  const from =
    since === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : since === 'last'
        ? { deliver_policy: DeliverPolicy.LastPerSubject }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(since).toISOString() };
  const filter = host === undefined ? reportSubjects(kind) : reportSubject(host, kind);
  const { consumers } = jetstream(natsOf(connection));
  const consumer = await consumers.get(REPORT_STREAM, { filter_subjects: filter, ...from }).catch(noStream);
  const { num_pending: pending } = await consumer.info(true);
  if (pending === 0) return;
  const seen = new SeenIds();
  const messages = await consumer.consume();
  try {
    for await (const message of messages) {
      const report = reportOf(message);
      if (report !== null && (!('id' in report) || seen.add(report.id))) yield report;
      if (message.info.pending === 0) break;
    }
  } finally {
    // Also of who stops reading: else the server goes on to send what nobody takes.
    await messages.close();
  }
}
