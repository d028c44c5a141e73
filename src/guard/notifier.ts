/** Stage: kill. One who is asked around a kill, the record that a chain keeps of it, and the reports of its calls. */
import { QUANTITY_MAX } from '../../assembly/layout.js';
import { PHASES, type Phase } from '../policy/phases.js';
import type { Handler } from './round-events.js';

/** A name, a priority, and a handler for each phase that it cares for. */
export type Notifier = {
  /** Unique in the chain; it stands in reports. */
  readonly name: string;
  /** An integer; higher is called earlier, ties in the order of registration. Default 0. */
  readonly priority?: number | undefined;
} & { readonly [P in Phase]?: Handler<P> | undefined };

/**
 * `ok`: answered in time. `stopped`: answered, and ended the walk. `threw`: threw, rejected, or answered what is no
 * answer. `timed-out`: no answer in time; a later one is ignored and counted. `skipped`: not called, because it has yet
 * to answer an earlier call of this phase, or because the time of the phase was used up.
 */
export type CallOutcome = 'ok' | 'stopped' | 'threw' | 'timed-out' | 'skipped';

/** What came of one call of a notifier. Times in milliseconds, memory in pages. */
export interface CallReport {
  readonly name: string;
  /** Time until the answer, or until the walk went on without it. */
  readonly ms: number;
  readonly outcome: CallOutcome;
  /** Pages that it says it freed; 0 outside `relieve` and for any outcome but `ok` and `stopped`. */
  readonly freedPages: number;
  /** Why, for `threw` and `skipped`. */
  readonly reason: string | null;
}

/** What came of one walk of a phase through the chain. */
export interface WalkReport {
  readonly phase: Phase;
  readonly ms: number;
  /** In the order of the calls. Those behind a stop are not in it. */
  readonly calls: readonly CallReport[];
  /** Sum of what the calls freed, at most 2^53. */
  readonly freedPages: number;
  /** Name of the notifier that ended the walk. */
  readonly stoppedBy: string | null;
}

/** What a registered notifier has done so far. */
export interface NotifierState {
  readonly name: string;
  readonly priority: number;
  readonly phases: readonly Phase[];
  readonly calls: number;
  readonly threw: number;
  readonly timedOut: number;
  readonly skipped: number;
  /** Answers that came after the walk had gone on. */
  readonly late: number;
  /** Phases in which a call has not been answered until now. */
  readonly unanswered: readonly Phase[];
}

/** A registration. Made anew each time, so that one that was removed stays removed. */
export interface Entry {
  readonly name: string;
  readonly priority: number;
  readonly notifier: Notifier;
  registered: boolean;
  readonly unanswered: Set<Phase>;
  readonly counts: { calls: number; threw: number; timedOut: number; skipped: number; late: number };
}

/** Throws TypeError or RangeError for what is no notifier. */
export function entryOf(notifier: Notifier): Entry {
  const { name, priority = 0 } = notifier;
  if (typeof name !== 'string' || !name) {
    throw new TypeError(`name of a notifier must be text, got ${JSON.stringify(name) ?? 'nothing'}`);
  }
  if (!Number.isSafeInteger(priority)) {
    throw new RangeError(`priority of notifier ${name} must be an integer, got ${String(priority)}`);
  }
  const phases = PHASES.filter((phase) => notifier[phase] !== undefined);
  if (phases.length === 0) throw new TypeError(`notifier ${name} must have one of ${PHASES.join(', ')}, got none`);
  const wrong = phases.find((phase) => typeof notifier[phase] !== 'function');
  if (wrong) throw new TypeError(`${wrong} of notifier ${name} must be a function, got ${typeof notifier[wrong]}`);
  const counts = { calls: 0, threw: 0, timedOut: 0, skipped: 0, late: 0 };
  return { name, priority, notifier, registered: true, unanswered: new Set(), counts };
}

export function stateOf({ name, priority, notifier, counts, unanswered }: Entry): NotifierState {
  const phases = PHASES.filter((phase) => notifier[phase] !== undefined);
  return { name, priority, phases, ...counts, unanswered: [...unanswered] };
}

/** Reads an answer, which may be anything. Throws TypeError or RangeError when it is none. */
export function readAnswer(phase: Phase, answer: unknown): { stop: boolean; freedPages: number } {
  if (answer === undefined || answer === null) return { stop: false, freedPages: 0 };
  if (typeof answer !== 'object') {
    throw new TypeError(`an answer must be an object or nothing, got ${String(answer)}`);
  }
  const { stop, freedPages = 0 } = answer as { stop?: unknown; freedPages?: unknown };
  if (stop !== undefined && typeof stop !== 'boolean') {
    throw new TypeError(`stop must be true or false, got ${String(stop)}`);
  }
  const pages = phase === 'relieve' ? (freedPages as number) : 0;
  if (!Number.isInteger(pages) || pages < 0 || pages > QUANTITY_MAX) {
    throw new RangeError(`freedPages must be an integer 0..2^53, got ${String(pages)}`);
  }
  return { stop: stop === true, freedPages: pages };
}
