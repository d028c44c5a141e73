/** Stage: none (network). A fleet as whoever keeps it sees it: its servers, its policies, its reports. */
import type { FleetReport } from '../report.js';
import type { FleetConnection, FleetServers } from '../servers.js';
import { connectServers } from './connect.js';
import { FleetPolicies, type FleetPoliciesOptions } from './policies.js';
import { type ReadReports, readReports } from './report-reader.js';
import { type SetupOptions, setUpFleet } from './setup.js';

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

  /** Makes the stream of reports and the bucket of policies, where they are not there. */
  setUp(options?: SetupOptions): Promise<void> {
    return setUpFleet(this.connection, options);
  }

  /** Rejects with BadnessError `ENOFLEET`, `EKEYFILE`. */
  policies(options?: FleetPoliciesOptions): Promise<FleetPolicies> {
    return FleetPolicies.open(this.connection, options);
  }

  /** Reports that are there now, oldest first, each once. */
  reports(ask: ReadReports): AsyncGenerator<FleetReport> {
    return readReports(this.connection, ask);
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
