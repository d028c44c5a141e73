/** A clock that only tests move. */
import type { Clock } from '../../../src/guard/clock.js';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Lets everything that waits for nothing but a promise run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class ManualClock implements Clock {
  #nowMs = 1000;
  #timers: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Time passes without a timer having a chance to fire, as when a call blocks the thread. */
  block(ms: number): void {
    this.#nowMs += ms;
  }

  /** Time passes, timers fire in order, and what waits for them runs. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settle();
    for (let due = this.#next(end); due; due = this.#next(end)) {
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
      await settle();
    }
    this.#nowMs = end;
  }

  #next(end: number): Timer | undefined {
    return this.#timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
  }
}
