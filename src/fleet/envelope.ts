/**
 * Stage: none (settings). What stands at a key of the policy bucket: a statement, signed as the bytes that it is written in. It names its
 * key, so that it counts nowhere else, and has a sequence, so that an older one does not count again.
 */
import { BadnessError } from '../errors.js';
import { targetOf } from './names.js';
import { isText } from './plain-kinds.js';

/** Who gets the next policy of a key before everybody else. A machine gets it by either. */
export interface RolloutStep {
  readonly labels: readonly string[];
  /** 0 … 100, by the hash of the host. */
  readonly percent: number;
}

/** What is signed for one key: its policy, the next one and who has it already, and a shadow. */
export interface PolicyStatement {
  readonly version: 1;
  readonly key: string;
  /** Larger than that of every statement before it at this key. */
  readonly sequence: number;
  /** When it was signed, ms since 1970. Only told. */
  readonly signedMs: number;
  /** The text of a policy file; null: withdrawn, a less specific key counts. */
  readonly policy: string | null;
  /** A policy on its way out. */
  readonly next: ({ readonly policy: string } & RolloutStep) | null;
  /** Evaluated beside the one in force, and only told. */
  readonly shadow: string | null;
}

export const STATEMENT_VERSION = 1;
/** Of an envelope, in characters: three policies of 1 MiB do not fit a message anyway. */
export const ENVELOPE_MOST = 900_000;
/** What is signed begins so: a signature of this key over anything else is none of a policy. */
const DOMAIN = 'badness fleet policy 1\n';

interface Envelope {
  readonly statement: string;
  /** Base64. */
  readonly signature: string;
}

function bad(words: string): never {
  throw new BadnessError('EENVELOPE', `expected ${words}`);
}

/** The bytes that are signed. */
export function signedBytes(statement: string): Uint8Array {
  return new TextEncoder().encode(DOMAIN + statement);
}

function plainObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    bad(`${what} as JSON, got something else`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) bad(`${what} as an object`);
  return value as Record<string, unknown>;
}

const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);

function nextOf(value: unknown): PolicyStatement['next'] {
  if (value === null) return null;
  const { policy, labels, percent } = (value ?? {}) as Record<string, unknown>;
  const isPercent = typeof percent === 'number' && percent >= 0 && percent <= 100;
  if (isText(policy) && Array.isArray(labels) && labels.every(isText) && isPercent) return { policy, labels, percent };
  return bad('next to be null, or to have policy, labels and a percent of 0..100');
}

/** Reads a statement. Throws BadnessError `EENVELOPE` for what is none. */
export function parseStatement(text: string): PolicyStatement {
  const { version, key, sequence, signedMs, policy, next, shadow } = plainObject(text, 'the statement');
  if (version !== STATEMENT_VERSION) bad(`version ${STATEMENT_VERSION} of a statement, got ${JSON.stringify(version)}`);
  if (!isText(key) || targetOf(key) === null) return bad('the key of a policy in the statement');
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 1) bad('an integer above 0 as sequence');
  if (!Number.isSafeInteger(signedMs)) bad('an integer as signedMs');
  if (!isTextOrNull(policy) || !isTextOrNull(shadow)) return bad('policy and shadow to be text or null');
  const numbers = { sequence: sequence as number, signedMs: signedMs as number };
  return { version: STATEMENT_VERSION, key, ...numbers, policy, next: nextOf(next), shadow };
}

/** Signs by `sign`, which answers Base64. Throws RangeError for more than a message can hold. */
export function sealStatement(statement: PolicyStatement, sign: (bytes: Uint8Array) => string): string {
  const text = JSON.stringify(statement);
  const envelope: Envelope = { statement: text, signature: sign(signedBytes(text)) };
  const sealed = JSON.stringify(envelope);
  if (sealed.length <= ENVELOPE_MOST) return sealed;
  throw new RangeError(
    `a policy with its rollout and shadow must fit ${ENVELOPE_MOST} characters, got ${sealed.length}`,
  );
}

/** Says whether a key that is trusted made the signature (Base64) of these bytes. */
export type Verify = (bytes: Uint8Array, signature: string) => boolean;

/**
 * What an envelope at `key` states. Throws BadnessError `EENVELOPE` for what is none, `ESIGNATURE` when no trusted key made it, `EKEY` for
 * the statement of another key.
 */
export function openEnvelope(text: string, key: string, verify: Verify): PolicyStatement {
  if (text.length > ENVELOPE_MOST) bad(`at most ${ENVELOPE_MOST} characters, got ${text.length}`);
  const { statement, signature } = plainObject(text, 'an envelope');
  if (!isText(statement) || !isText(signature)) return bad('statement and signature in the envelope');
  // Before anything of it is read: what nobody vouches for is not parsed.
  if (!verify(signedBytes(statement), signature)) {
    throw new BadnessError('ESIGNATURE', `${key}: no key of fleet.trust has signed this policy`);
  }
  const stated = parseStatement(statement);
  if (stated.key === key) return stated;
  throw new BadnessError('EKEY', `${key}: the policy that stands here was signed for ${stated.key}`);
}
