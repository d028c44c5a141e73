/** Stage: all of them. Time that only passes when somebody says so: the clock of notifiers and the sleep of a guard in it. */
import type { Clock } from '../guard/clock.js';

/** Whose time it is. */
export interface TimeKeeper {
  /** Monotonic milliseconds; never falls. */
  readonly nowMs: number;
}

/** Promises of a guard that has nothing to wait for but each other are done after so many turns. */
const TURNS = 100;

export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; ++turn) await Promise.resolve();
}

/** Timers of notifiers. */
export class VirtualClock implements Clock {
  readonly #time: TimeKeeper;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  constructor(time: TimeKeeper) {
    this.#time = time;
  }

  now(): number {
    return this.#time.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.now() + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** When the next one is due; Infinity without any. */
  get dueMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...Array.from(this.#timers, ({ atMs }) => atMs));
  }

  /** True when a timer was due. */
  fire(): boolean {
    let fired = false;
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.now() || !this.#timers.delete(timer)) continue;
      timer.run();
      fired = true;
    }
    return fired;
  }
}

/** Ends when its time has come, or when it is woken. */
export class VirtualWaiter {
  readonly #time: TimeKeeper;
  #untilMs = Number.POSITIVE_INFINITY;
  #end: (() => void) | null = null;
  #woken = false;

  constructor(time: TimeKeeper) {
    this.#time = time;
  }

  /** When whoever sleeps goes on; Infinity while nobody sleeps. */
  get dueMs(): number {
    return this.#end === null ? Number.POSITIVE_INFINITY : this.#untilMs;
  }

  wait(_wakeUps: unknown, ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    this.#untilMs = this.#time.nowMs + ms;
    return new Promise((end) => {
      this.#end = end;
    });
  }

  wake(): void {
    if (this.#end === null) this.#woken = true;
    else this.#finish();
  }

  /** True when somebody was let go on. */
  tick(): boolean {
    if (this.#end === null || this.#time.nowMs < this.#untilMs) return false;
    this.#finish();
    return true;
  }

  #finish(): void {
    const end = this.#end;
    this.#end = null;
    end?.();
  }
}
