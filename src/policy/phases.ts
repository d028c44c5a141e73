/** Stage: kill. The phases of a round in which others are asked, and how long they may take. */
import { type Check, integer, object } from './checks.js';

/** In the order of a round. */
export const PHASES = ['warn', 'relieve', 'beforeKill', 'react', 'afterKill'] as const;

/** A moment of a round at which notifiers are called. */
export type Phase = (typeof PHASES)[number];

/** Milliseconds, 0 … 86,400,000. */
export interface PhaseLimit {
  /** How long the round waits for one notifier. */
  readonly eachMs: number;
  /** How long it waits for all of them together; whoever has not been called by then is skipped. */
  readonly wholeMs: number;
}

/** How long notifiers of each phase may take. */
export type PhaseLimits = { readonly [phase in Phase]: PhaseLimit };

const DAY_MS = 86_400_000;

function limit(eachMs: number, wholeMs: number): readonly [Check<PhaseLimit>, object] {
  return [object<PhaseLimit>({ eachMs: [integer(0, DAY_MS), eachMs], wholeMs: [integer(0, DAY_MS), wholeMs] }), {}];
}

/**
 * Short where memory is running out while the round waits. `react` holds a kill with its escalation, which has limits of
 * its own (3 s and 10 s by default), so this one is only for reactions that hang.
 */
export const phaseLimits = object<PhaseLimits>({
  warn: limit(1000, 5000),
  relieve: limit(250, 500),
  beforeKill: limit(100, 250),
  react: limit(30_000, 60_000),
  afterKill: limit(1000, 5000),
});

export const PHASE_LIMITS_DEFAULT: PhaseLimits = phaseLimits({}, 'limits');
