/** Stage: none (network). The servers of a fleet, as data, and a connection to them as others see it. */

/** Where the servers of a fleet are, and who asks. */
export interface FleetServers {
  /** Addresses such as `nats://10.0.0.1:4222`; at least one. */
  readonly servers: readonly string[];
  /** What the connection is called in the server's lists. */
  readonly name?: string;
  /** A file of credentials (`.creds`), or of the seed of an nkey. */
  readonly credentials?: string | undefined;
  /** Paths: who may have signed the server's certificate; the own certificate and its key. */
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Anything else that the client of NATS takes (`user`, `pass`, `token`, `inboxPrefix`, …); goes over the rest. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Made by `Fleet.connect`. */
export interface FleetConnection {
  /** Whether it has ended for good. */
  isClosed(): boolean;
  /** For good. */
  close(): Promise<void>;
}
