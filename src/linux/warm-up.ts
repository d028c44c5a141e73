/**
 * Stage: watch. In: the parts of a guard. Out: the same, with the code of its loop compiled.
 *
 * V8 compiles what has run often. What runs eight times a second would be interpreted for many minutes, and each time out of
 * cold caches: a wake-up costs a third less once it is machine code (tests/bench/idle.mjs).
 */
import type { PressureSource } from '../pressure/pressure.js';
import type { Waiter } from './wait.js';

/** After so many V8 has compiled it all; with /proc/meminfo alone they take 60 ms. */
const TIMES = 10_000;
/** Other sources may take longer to read. */
const MOST_MS = 200;

export interface WarmUp {
  readonly source: { readonly source: PressureSource; readonly glance: (() => boolean) | null };
  readonly waiter: Pick<Waiter, 'waitSync'>;
  readonly suspend: { check(nowMs: number): number };
  readonly world: { nowMs(): number };
}

/** Reads, and waits no time, again and again. */
export function warmUp({ source: { source, glance }, waiter, suspend, world }: WarmUp): void {
  const endMs = world.nowMs() + MOST_MS;
  for (let time = 0; time < TIMES; time++) {
    const nowMs = world.nowMs();
    if (nowMs > endMs) break;
    suspend.check(nowMs);
    source.read(nowMs);
    source.nextDelayMs(nowMs);
    waiter.waitSync(source.wakeUps(), 0);
    glance?.();
  }
  // The rates of readings without a moment between them say nothing.
  source.forget();
}
