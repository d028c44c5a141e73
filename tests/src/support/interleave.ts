/** One operation in the middle of another, at every place where another thread could come in between. */

const OPERATIONS = ['load', 'store', 'add', 'exchange', 'compareExchange'] as const;

/**
 * Runs `outer`, and each of `inner` as a whole right before the atomic operation of `outer` that `steps` names for it,
 * counted from 0, in ascending order. Answers how many atomic operations `outer` made: a step at or behind that came too late to run.
 */
export function interleave(outer: () => void, inner: readonly (() => void)[], steps: readonly number[]): number {
  const real = Object.fromEntries(OPERATIONS.map((name) => [name, Atomics[name]]));
  const waiting = steps.map((step, index) => ({ step, run: inner[index]! }));
  let made = 0;
  let inside = false;
  for (const name of OPERATIONS) {
    (Atomics as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
      if (!inside) {
        inside = true;
        while (waiting[0]?.step === made) waiting.shift()!.run();
        inside = false;
        made++;
      }
      return (real[name] as (...args: unknown[]) => unknown)(...args);
    };
  }
  try {
    outer();
  } finally {
    Object.assign(Atomics, real);
  }
  return made;
}
