// Stage: kill. In: the time and what was asked. Out: which signal is due. Pure: no clock, no system.

/** The escalation of one kill: TERM → KILL → stuck, each once, by time. */
export type EscalationPhase = 'start' | 'term' | 'kill' | 'stuck';

export interface Escalation {
  readonly phase: EscalationPhase;
  /** When this phase began, and when the next is due, in milliseconds of the caller's clock; Infinity after `stuck`. */
  readonly sinceMs: number;
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
  /** Memory has become shorter since: what is asked now is SIGKILL. */
  readonly hurry: boolean;
  /** SIGKILL → stuck. */
  readonly stuckMs: number;
}

export const ESCALATION_START: Escalation = {
  phase: 'start',
  sinceMs: Number.NEGATIVE_INFINITY,
  nextMs: Number.NEGATIVE_INFINITY,
};

/** When the next phase is due: in a hurry, a SIGTERM has only the time that it has before a SIGKILL. */
export function dueMs({ phase, sinceMs, nextMs }: Escalation, { hurry, rawio, rawioMs }: EscalationPlan): number {
  return hurry && phase === 'term' ? Math.min(nextMs, sinceMs + (rawio ? rawioMs : 0)) : nextMs;
}

/**
 * The state at `nowMs`: the same object when nothing is due, otherwise the next one. One phase a call, however late it comes:
 * a task is never declared stuck without having had stuckMs after its SIGKILL.
 */
export function stepEscalation(state: Escalation, nowMs: number, plan: EscalationPlan): Escalation {
  if (nowMs < dueMs(state, plan)) return state;
  const enter = (phase: EscalationPhase, forMs: number): Escalation => ({
    phase,
    sinceMs: nowMs,
    nextMs: nowMs + forMs,
  });
  const sigkill = plan.signal === 'SIGKILL' || plan.hurry;
  if (state.phase === 'start' && !sigkill) return enter('term', plan.termMs);
  if (state.phase === 'start' && plan.rawio) return enter('term', plan.rawioMs);
  if (state.phase === 'start' || state.phase === 'term') return enter('kill', plan.stuckMs);
  if (state.phase === 'kill') return enter('stuck', Number.POSITIVE_INFINITY);
  return state;
}
