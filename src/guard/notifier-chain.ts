/**
 * Stage: kill. The notifier chain of the 2003 proposal: those who want to be asked around a kill come in, with
 * priorities; a walk calls them in order and a report of who did what goes out. What went wrong in the original cannot
 * happen here: no lock is held during a call (a walk has a snapshot), an entry exists once, one that was removed is not
 * called, one that throws or hangs is left behind, and a walk within a walk is refused.
 */
import { QUANTITY_MAX } from '../../assembly/layout.js';
import { BadnessError } from '../errors.js';
import { PHASE_LIMITS_DEFAULT, type Phase, type PhaseLimits } from '../policy/phases.js';
import { callWithin, reasonOf } from './bounded-call.js';
import { type Clock, systemClock } from './clock.js';
import {
  type CallReport,
  type Entry,
  entryOf,
  type Notifier,
  type NotifierState,
  readAnswer,
  stateOf,
  type WalkReport,
} from './notifier.js';
import type { Handler, PhaseEvents } from './round-events.js';

/** Limits and clock of a chain; both have defaults. */
export interface ChainOptions {
  /** How long a walk waits, by phase. Default: those of a default policy. */
  readonly limits?: PhaseLimits;
  readonly clock?: Clock;
}

/** A chain serves one domain: its walks come one after the other, as its rounds do. */
export class NotifierChain {
  readonly limits: PhaseLimits;
  readonly clock: Clock;
  /** Highest priority first. Replaced, never changed: a walk keeps the one that it began with. */
  #entries: readonly Entry[] = [];
  #walking: Phase | null = null;
  readonly #ever = new Set<Phase>();

  constructor(options: ChainOptions = {}) {
    this.limits = options.limits ?? PHASE_LIMITS_DEFAULT;
    this.clock = options.clock ?? systemClock;
  }

  /** The phase of the walk under way, or null. */
  get walking(): Phase | null {
    return this.#walking;
  }

  /** True when a notifier with a handler for `phase` was ever registered, whether or not it still is. */
  everHad(phase: Phase): boolean {
    return this.#ever.has(phase);
  }

  /**
   * Adds a notifier. During a walk it takes effect after it. Throws BadnessError `EEXIST` when the name is registered,
   * TypeError or RangeError for what is no notifier.
   */
  register(notifier: Notifier): void {
    const entry = entryOf(notifier);
    this.#refuseTaken(entry.name);
    this.#insert(entry);
  }

  /** Removes a notifier; during a walk, it is not called in it any more. Throws BadnessError `ENOENT`. */
  unregister(name: string): void {
    const gone = this.#find(name);
    gone.registered = false;
    this.#entries = this.#entries.filter((entry) => entry !== gone);
  }

  /** Puts a notifier in the place of another in one step. Errors as of register and unregister; then nothing changed. */
  replace(name: string, notifier: Notifier): void {
    this.#find(name);
    const entry = entryOf(notifier);
    if (entry.name !== name) this.#refuseTaken(entry.name);
    this.unregister(name);
    this.#insert(entry);
  }

  /**
   * Registers everybody of this chain in another, with what they have done, but for those of these names. Throws BadnessError `EEXIST`
   * for a name that is registered there.
   */
  copyTo(next: NotifierChain, except: readonly string[]): void {
    const entries = this.#entries.filter(({ name }) => !except.includes(name));
    for (const { name } of entries) next.#refuseTaken(name);
    for (const entry of entries) next.#insert(entry);
  }

  /** The notifiers in the order of a walk, with what they have done. */
  list(): NotifierState[] {
    return this.#entries.map(stateOf);
  }

  /**
   * Calls everybody who has a handler for `phase`, one after the other; whatever they do, it does not reject for it.
   * Throws BadnessError `EDEADLK` when a walk is under way: the caller is inside it, or shares a chain that it must not.
   */
  async walk<P extends Phase>(phase: P, event: PhaseEvents[P]): Promise<WalkReport> {
    if (this.#walking) {
      throw new BadnessError('EDEADLK', `a walk (${phase}) within a walk (${this.#walking}) of the same chain`);
    }
    const shown: PhaseEvents[P] = { ...event };
    Object.freeze(shown);
    this.#walking = phase;
    try {
      return await this.#walk(phase, shown);
    } finally {
      this.#walking = null;
    }
  }

  async #walk<P extends Phase>(phase: P, event: PhaseEvents[P]): Promise<WalkReport> {
    const { eachMs, wholeMs } = this.limits[phase];
    const start = this.clock.now();
    const calls: CallReport[] = [];
    let stoppedBy: string | null = null;
    for (const entry of this.#entries) {
      if (!entry.registered || !entry.notifier[phase]) continue;
      const leftMs = wholeMs - (this.clock.now() - start);
      const call = await this.#ask(entry, phase, event, Math.min(eachMs, leftMs));
      calls.push(call);
      if (call.outcome !== 'stopped') continue;
      stoppedBy = call.name;
      break;
    }
    const freedPages = calls.reduce((sum, call) => Math.min(sum + call.freedPages, QUANTITY_MAX), 0);
    return { phase, ms: this.clock.now() - start, calls, freedPages, stoppedBy };
  }

  async #ask<P extends Phase>(entry: Entry, phase: P, event: PhaseEvents[P], limitMs: number): Promise<CallReport> {
    const { name, notifier, counts, unanswered } = entry;
    const report: CallReport = { name, ms: 0, outcome: 'ok', freedPages: 0, reason: null };
    if (limitMs <= 0 || unanswered.has(phase)) {
      ++counts.skipped;
      const reason = limitMs <= 0 ? 'the time of the phase is used up' : 'an earlier call has not been answered';
      return { ...report, outcome: 'skipped', reason };
    }
    ++counts.calls;
    unanswered.add(phase);
    const start = this.clock.now();
    const settled = await callWithin<unknown>({
      clock: this.clock,
      limitMs,
      call: (signal) => (notifier[phase] as Handler<P>)(event, signal),
      settled: (late) => {
        unanswered.delete(phase);
        if (late) ++counts.late;
      },
    });
    const ms = this.clock.now() - start;
    if (!settled) {
      ++counts.timedOut;
      return { ...report, ms, outcome: 'timed-out' };
    }
    try {
      if ('thrown' in settled) throw settled.thrown;
      const { stop, freedPages } = readAnswer(phase, settled.answer);
      return { ...report, ms, outcome: stop ? 'stopped' : 'ok', freedPages };
    } catch (thrown) {
      ++counts.threw;
      return { ...report, ms, outcome: 'threw', reason: reasonOf(thrown) };
    }
  }

  #find(name: string): Entry {
    const entry = this.#entries.find((one) => one.name === name);
    if (!entry) throw new BadnessError('ENOENT', `no notifier ${name} is registered`);
    return entry;
  }

  #refuseTaken(name: string): void {
    if (this.#entries.some((entry) => entry.name === name)) {
      throw new BadnessError('EEXIST', `notifier ${name} is registered already`);
    }
  }

  #insert(entry: Entry): void {
    const found = this.#entries.findIndex(({ priority }) => priority < entry.priority);
    const at = found < 0 ? this.#entries.length : found;
    this.#entries = [...this.#entries.slice(0, at), entry, ...this.#entries.slice(at)];
    for (const phase of stateOf(entry).phases) this.#ever.add(phase);
  }
}
