/** Stage: report. The connection to the fleet as its parts are given it, so that tests can own it; nats-link.ts makes one of a server. */

/** A message that somebody subscribed to. */
export interface LinkMessage {
  readonly subject: string;
  readonly text: string;
  /** Answers whoever asked; nothing for a message that nobody waits for. */
  respond(text: string): void;
}

/** The value of a key of the policy bucket, as it stands there. */
export interface StoredPolicy {
  /** Of the bucket. */
  readonly revision: number;
  readonly text: string;
}

/** A way to the servers of a fleet, which may be gone at any moment. */
export interface FleetLink {
  /** Whether there is a server at the moment. */
  readonly isUp: boolean;
  /** Bytes that a message may have; what a server told last. */
  readonly messageBytes: number;
  /** Hears of each time a server was found again, and lost. Answers what ends that. */
  onChange(hear: (isUp: boolean) => void): () => void;
  /** Hears messages until what it answers is called, over reconnections. */
  subscribe(subject: string, hear: (message: LinkMessage) => void): () => void;
  /** Stores a report; resolves once the server has it. `id`: the same again is not stored twice. Rejects when it is not known to be stored. */
  store(subject: string, text: string, id?: string): Promise<void>;
  /** What stands at a key of the policy bucket; null for nothing. Rejects when that cannot be asked. */
  policyAt(key: string): Promise<StoredPolicy | null>;
  /** For good. */
  close(): Promise<void>;
}
