/** Stage: all of them. Time, as the host's parts are given it, so that tests can own it. */

export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  now(): number;
  /** Calls `run` once, `ms` from now or a little later. Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** What setTimeout can hold; it takes anything longer for 1 ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The clock of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, TIMER_MAX_MS));
    return () => clearTimeout(timer);
  },
};

/** The same, whose timers do not keep the process alive where the runtime lets them say so. */
export const idleClock: Clock = {
  now: systemClock.now,
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, TIMER_MAX_MS)) as unknown as { unref?(): void };
    timer.unref?.();
    return () => clearTimeout(timer as never);
  },
};
