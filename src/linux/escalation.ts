// Stage: kill. In: the time and what was asked. Out: which signal is due. Pure: no clock, no system.

/** The escalation of one kill: TERM → KILL → stuck, each once, by time. */
export type EscalationPhase = 'start' | 'term' | 'kill' | 'stuck';

export interface Escalation {
  readonly phase: EscalationPhase;
  /** When the next phase is due, in milliseconds of the caller's clock; Infinity after `stuck`. */
  readonly nextMs: number;
}

export interface EscalationPlan {
  readonly signal: 'SIGTERM' | 'SIGKILL';
  /** A holder of CAP_SYS_RAWIO gets SIGTERM first even when SIGKILL is asked: it may have hardware in hand (2.6.10). */
  readonly rawio: boolean;
  /** SIGTERM → SIGKILL. */
  readonly termMs: number;
  /** SIGTERM → SIGKILL for a RAWIO holder when SIGKILL is asked. */
  readonly rawioMs: number;
  /** SIGKILL → stuck. */
  readonly stuckMs: number;
}

export const ESCALATION_START: Escalation = { phase: 'start', nextMs: Number.NEGATIVE_INFINITY };

/**
 * The state at `nowMs`: the same object when nothing is due, otherwise the next one. One phase a call, however late it comes:
 * a task is never declared stuck without having had stuckMs after its SIGKILL.
 */
export function stepEscalation(state: Escalation, nowMs: number, plan: EscalationPlan): Escalation {
  if (nowMs < state.nextMs) return state;
  if (state.phase === 'start' && plan.signal === 'SIGTERM') return { phase: 'term', nextMs: nowMs + plan.termMs };
  if (state.phase === 'start' && plan.rawio) return { phase: 'term', nextMs: nowMs + plan.rawioMs };
  if (state.phase === 'start' || state.phase === 'term') return { phase: 'kill', nextMs: nowMs + plan.stuckMs };
  if (state.phase === 'kill') return { phase: 'stuck', nextMs: Number.POSITIVE_INFINITY };
  return state;
}
