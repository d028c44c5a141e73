/** Stage: kill. Asks somebody who may throw, hang or answer late, and waits no longer than agreed. */
import { BadnessError } from '../errors.js';
import type { Clock } from './clock.js';

/** What came in time: an answer, or something thrown. */
export type Settled<T> = { readonly answer: T } | { readonly thrown: unknown };

export interface BoundedCall<T> {
  readonly clock: Clock;
  readonly limitMs: number;
  /** Given a signal that fires when nobody waits any more. */
  readonly call: (signal: AbortSignal) => T | Promise<T>;
  /** Told once the call has settled, however late that is. */
  readonly settled?: (late: boolean) => void;
}

/**
 * Resolves to what came of the call, or to undefined when nothing came within `limitMs`; never rejects. An answer that
 * comes later is dropped. A call that blocks the thread cannot be cut off, but its answer counts as late.
 */
export function callWithin<T>(options: BoundedCall<T>): Promise<Settled<T> | undefined> {
  const { clock, limitMs, call, settled } = options;
  const abort = new AbortController();
  const start = clock.now();
  return new Promise((resolve) => {
    let waiting = true;
    const giveUp = () => {
      waiting = false;
      abort.abort(new BadnessError('ETIMEDOUT', `no answer within ${limitMs} ms`));
      resolve(undefined);
    };
    const cancel = clock.after(limitMs, () => waiting && giveUp());
    const settle = (result: Settled<T>) => {
      cancel();
      // A call that blocked the thread kept the timer from firing, and settles before it: the clock tells.
      if (waiting && clock.now() - start > limitMs) giveUp();
      settled?.(!waiting);
      waiting = false;
      resolve(result);
    };
    Promise.resolve(abort.signal)
      .then(call)
      .then(
        (answer) => settle({ answer }),
        (thrown: unknown) => settle({ thrown }),
      );
  });
}

/** Words for what was thrown; even asking it may throw. */
export function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return 'something that cannot be printed';
  }
}
