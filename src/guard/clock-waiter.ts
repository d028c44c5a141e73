/** Stage: watch. Sleeps by a clock alone, for those whose numbers are in memory: nothing else can wake them but a call. */
import type { Clock } from './clock.js';

/** One wait at a time. */
export class ClockWaiter {
  readonly #clock: Clock;
  #woken = false;
  #end: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after so many milliseconds, or at `wake`. */
  wait(ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => this.#end?.());
      this.#end = () => {
        this.#end = null;
        cancel();
        resolve();
      };
    });
  }

  /** Ends the wait under way, or the next one. */
  wake(): void {
    if (this.#end) this.#end();
    else this.#woken = true;
  }
}
