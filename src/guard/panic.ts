/**
 * Stage: kill. The reaction that gives up instead of killing: stop admitting work, hand off, and after a delay end the
 * process, the machine, or whatever a command ends. The plan comes in as data, the ways to act as an interface.
 */
import type { PanicPlan } from '../policy/panic-plan.js';
import { callWithin, reasonOf } from './bounded-call.js';
import { type Clock, systemClock } from './clock.js';
import type { Pressure } from './round-events.js';

/** What the kernel module of 2003 panicked with. */
export const PANIC_TEXT = 'Out-Of-Memory';

/** The ways a panic can end. Any of them may throw; none of them is tried twice. */
export interface PanicActions {
  /** Ends the application with that exit code. */
  exit(code: number): void;
  /** Restarts the machine, now. */
  reboot(): void;
  /** Starts a program with arguments, without a shell. Resolves when it has started. */
  run(command: readonly string[]): void | Promise<void>;
}

/**
 * `calm` → `handing-off` → `waiting` → `ended`. `staying`: handed off, and the plan says to stay. `failed`: the last act
 * threw, so the process is still here. `cancel` leads back to `calm` as long as nothing has ended.
 */
export type PanicState = 'calm' | 'handing-off' | 'waiting' | 'staying' | 'ended' | 'failed';

/** A change of state of a panic, as everybody hears it. */
export interface PanicReport {
  readonly text: typeof PANIC_TEXT;
  readonly state: PanicState;
  /** What went wrong on the way here: a hand-off that threw or took too long, an act that failed. */
  readonly problem: string | null;
}

/** What a panic is to do, and by which means. */
export interface PanicOptions {
  readonly plan: PanicPlan;
  readonly actions: PanicActions;
  /** Stop admitting work and pass it on. Waited for as long as the plan says; what it throws is reported. */
  readonly handOff?: (event: Pressure, signal: AbortSignal) => unknown;
  readonly clock?: Clock;
  /** Hears every change of state. */
  readonly report?: (report: PanicReport) => void;
}

/** One for each process: a panic is not a matter of one domain. */
export class Panic {
  readonly #options: PanicOptions;
  readonly #clock: Clock;
  #state: PanicState = 'calm';
  #begun: Promise<void> | null = null;
  /** Number of the panic; one that was cancelled finds that it is no longer the current one. */
  #number = 0;
  #stopTimer = (): void => {};

  constructor(options: PanicOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get state(): PanicState {
    return this.#state;
  }

  /** False from the first moment of a panic on: for the place where work is let in. */
  get admitting(): boolean {
    return this.#state === 'calm';
  }

  /** Begins, unless it has begun. Resolves when the hand-off is over and the delay runs; never rejects. */
  start(event: Pressure): Promise<void> {
    this.#begun ??= this.#run(event, ++this.#number);
    return this.#begun;
  }

  /** Back to calm, while nothing has ended. Returns whether there was a panic to cancel. */
  cancel(): boolean {
    if (this.#state === 'calm' || this.#state === 'ended') return false;
    this.#stopTimer();
    this.#begun = null;
    ++this.#number;
    this.#enter('calm', null);
    return true;
  }

  async #run(event: Pressure, number: number): Promise<void> {
    this.#enter('handing-off', null);
    const problem = await this.#handOff(event);
    if (number !== this.#number) return;
    const { delayS } = this.#options.plan;
    if (delayS === 0) return this.#enter('staying', problem);
    this.#enter('waiting', problem);
    if (delayS < 0) return this.#end();
    this.#stopTimer = this.#clock.after(delayS * 1000, () => {
      if (number === this.#number) void this.#end();
    });
  }

  /** Returns what went wrong, or null. */
  async #handOff(event: Pressure): Promise<string | null> {
    const { handOff, plan } = this.#options;
    if (!handOff) return null;
    const settled = await callWithin({
      clock: this.#clock,
      limitMs: plan.handOffMs,
      call: (signal) => handOff(event, signal),
    });
    if (!settled) return `the hand-off did not end within ${plan.handOffMs} ms`;
    return 'thrown' in settled ? `the hand-off threw ${reasonOf(settled.thrown)}` : null;
  }

  async #end(): Promise<void> {
    const { actions, plan } = this.#options;
    // Said before the act: after it there may be nobody to say it.
    this.#enter('ended', null);
    try {
      if (plan.end === 'reboot') actions.reboot();
      else if ('exit' in plan.end) actions.exit(plan.end.exit);
      else await actions.run(plan.end.command);
    } catch (thrown) {
      this.#enter('failed', reasonOf(thrown));
    }
  }

  #enter(state: PanicState, problem: string | null): void {
    this.#state = state;
    try {
      this.#options.report?.({ text: PANIC_TEXT, state, problem });
    } catch {
      // A reporter that throws must not keep the panic from its end.
    }
  }
}
