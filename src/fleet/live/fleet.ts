/** Stage: none (network). A fleet as whoever keeps it sees it: its servers, its policies, its reports. */
import type { Gathered } from '../questions.js';
import type { FleetReport } from '../report.js';
import type { FleetConnection, FleetServers } from '../servers.js';
import type { FleetLooked } from '../what-if.js';
import { type AskPreview, askPreview } from './ask-machines.js';
import { connectServers } from './connect.js';
import { type FleetWorkOptions, workForFleet } from './fleet-evaluation.js';
import { FleetPolicies, type FleetPoliciesOptions } from './policies.js';
import { FleetRecordings } from './recordings.js';
import { type ReadReports, readReports } from './report-reader.js';
import { type SetupOptions, setUpFleet } from './setup.js';
import { type FleetWhatIf, fleetWhatIf } from './what-if-run.js';
import { setUpWhatIf, type WhatIfSetup } from './what-if-setup.js';

/** A connection of whoever keeps a fleet. */
export class Fleet implements AsyncDisposable {
  /** @internal */
  readonly connection: FleetConnection;

  private constructor(connection: FleetConnection) {
    this.connection = connection;
  }

  /** Rejects with BadnessError `ENOPACKAGE`, `ECREDENTIALS`, `EACCES`, `ECONNREFUSED`; RangeError without servers. */
  static async connect(servers: FleetServers): Promise<Fleet> {
    return new Fleet(await connectServers(servers));
  }

  /** Makes the stream of reports, the bucket of policies, and the queue, results and recordings of what-if runs, where they are not there. */
  async setUp(options?: SetupOptions & WhatIfSetup): Promise<void> {
    await setUpFleet(this.connection, options);
    await setUpWhatIf(this.connection, options);
  }

  /** Rejects with BadnessError `ENOFLEET`, `EKEYFILE`. */
  policies(options?: FleetPoliciesOptions): Promise<FleetPolicies> {
    return FleetPolicies.open(this.connection, options);
  }

  /** Reports that are there now, oldest first, each once. Rejects with BadnessError `ENOFLEET`. */
  reports(ask: ReadReports): AsyncGenerator<FleetReport> {
    return readReports(this.connection, ask);
  }

  /** Asks machines who would die if memory fell so low: what was answered until the deadline, and who was silent. Rejects with BadnessError `ENOFLEET`; RangeError for a host that cannot be one. */
  whoDies(ask: AskPreview): Promise<Gathered> {
    return askPreview(this.connection, ask);
  }

  /** The recordings that what-ifs look at. Rejects with BadnessError `ENOFLEET`. */
  recordings(): Promise<FleetRecordings> {
    return FleetRecordings.open(this.connection);
  }

  /** Evaluates recordings for whoever asks, until `signal` says otherwise. Rejects with BadnessError `ENOFLEET`, `ENOTHREAD`; RangeError. */
  work(options?: FleetWorkOptions): Promise<void> {
    return workForFleet(this.connection, options);
  }

  /**
   * What a policy changes in the recordings of the fleet: each recording once, in the order of their names. Rejects with PolicyFileError;
   * BadnessError `ENOFLEET`, `ENOENT` without a recording of that name.
   */
  whatIf(ask: FleetWhatIf): AsyncGenerator<FleetLooked> {
    return fleetWhatIf(this.connection, ask);
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (!this.connection.isClosed()) await this.connection.close();
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
