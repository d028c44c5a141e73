/** Stage: all of them, of a machine that does not exist: its time, as the parts of a guard are given it. */
import type { Clock } from '../guard/clock.js';
import type { Machine } from './machine.js';

/** Promises of a guard that has nothing to wait for but each other are done after so many turns. */
const TURNS = 100;

export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; ++turn) await Promise.resolve();
}

/** Timers of notifiers. */
export class SimClock implements Clock {
  readonly #machine: Machine;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  now(): number {
    return this.#machine.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.now() + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  fire(): void {
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.now() || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}

/** Ends when its time has come, or when it is woken. */
export class SimWaiter {
  readonly #machine: Machine;
  #untilMs = Number.POSITIVE_INFINITY;
  #end: (() => void) | null = null;
  #woken = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** When somebody is to be let go on. */
  get untilMs(): number {
    return this.#untilMs;
  }

  wait(_wakeUps: unknown, ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    this.#untilMs = this.#machine.nowMs + ms;
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
    if (this.#end === null || this.#machine.nowMs < this.#untilMs) return false;
    this.#finish();
    return true;
  }

  #finish(): void {
    const end = this.#end;
    this.#end = null;
    this.#untilMs = Number.POSITIVE_INFINITY;
    end?.();
  }
}
