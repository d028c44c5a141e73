/** Stage: none (facts). How much of a guard those who ask it may take. Every number is one that tests/src/control-limits.test.ts holds it to. */

export interface ControlLimits {
  /** Connections at a time. One more takes the place of the one that has been idle longest; 1 … 4,096. */
  readonly connections: number;
  /** Readers of events among them, which are never idle. */
  readonly readers: number;
  /** Bytes of a body. */
  readonly bodyBytes: number;
  /** Bytes of a request line with its headers. */
  readonly headerBytes: number;
  /** From connecting to the end of the headers, ms. */
  readonly headersMs: number;
  /** From connecting to the end of the body, ms. */
  readonly requestMs: number;
  /** Without a byte of its answer being taken, ms. */
  readonly idleMs: number;
  /** Events that a reader has not taken yet, bytes; one that is further behind is dropped. */
  readonly backlogBytes: number;
}

/** The limits of a control socket that was given none. */
export const LIMITS: ControlLimits = {
  connections: 128,
  readers: 32,
  bodyBytes: 65_536,
  headerBytes: 8192,
  headersMs: 5000,
  requestMs: 10_000,
  idleMs: 10_000,
  backlogBytes: 262_144,
};
