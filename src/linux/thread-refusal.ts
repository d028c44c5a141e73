/** Stage: all of them. An error at the start of a thread, on its way to whoever started it: classes do not survive a message. */
import { BadnessError } from '../errors.js';

/** Can be cloned between threads. */
export interface Refusal {
  readonly name: string;
  /** Of a BadnessError, or an errno name. */
  readonly code: string | null;
  readonly message: string;
}

const KINDS: Readonly<Record<string, new (message: string) => Error>> = { TypeError, RangeError };

export function refusalOf(error: unknown): Refusal {
  const { name = 'Error', code = null, message = String(error) } = (error ?? {}) as Partial<Refusal>;
  return { name, code, message };
}

/** TypeError and RangeError again; BadnessError for what has a code. */
export function errorOf({ name, code, message }: Refusal): Error {
  if (code !== null) return new BadnessError(code, message);
  return new (KINDS[name] ?? Error)(message);
}
