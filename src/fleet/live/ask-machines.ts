/** Stage: report. Asks many machines at once, and takes what has come until the deadline. */

import { askSubject, type Gathered, gather, type PreviewAsk, QUESTION_SCHEMA } from '../questions.js';
import type { FleetConnection } from '../servers.js';
import { natsOf } from './connect.js';
import { readReports } from './report-reader.js';

/** What `fleet.whoDies` asks, and whom. */
export interface AskPreview {
  /** `5%`, `512MiB`. */
  readonly available: string;
  /** Default: none is free then. */
  readonly swapFree?: string;
  /** Deaths at most, 1 … 100. Default 100. */
  readonly most?: number;
  /** Only these machines. Default: all that have told how they stand, and not that they stop. */
  readonly hosts?: readonly string[];
  /** How long answers are waited for, ms. Default 3,000. */
  readonly deadlineMs?: number;
}

async function running(connection: FleetConnection): Promise<string[]> {
  const hosts: string[] = [];
  for await (const report of readReports(connection, { kind: 'state', since: 'last' })) {
    if (report.kind === 'state' && report.running) hosts.push(report.host);
  }
  return hosts;
}

/** Partial answers after the deadline; who said nothing is named. */
export async function askPreview(connection: FleetConnection, given: AskPreview): Promise<Gathered> {
  const { available, swapFree = null, most = 100, hosts = await running(connection), deadlineMs = 3000 } = given;
  const ask: PreviewAsk = { schema: QUESTION_SCHEMA, kind: 'preview', available, swap_free: swapFree, most };
  const text = JSON.stringify(ask);
  const nats = natsOf(connection);
  const replies = await Promise.all(
    [...new Set(hosts)].map(async (host) => {
      const subject = askSubject(host);
      try {
        return { host, text: (await nats.request(subject, text, { timeout: deadlineMs })).string() };
      } catch {
        // Nobody listens there, or not in time: both are silence.
        return { host, text: null };
      }
    }),
  );
  return gather(replies);
}
