/** Stage: kill. What those who are asked around a kill are told, by phase, and what they may answer. */
import type { Phase } from '../policy/phases.js';

/** The state of the domain when the round measured it. Bytes are integers up to 2^53; available ones below 0 where a budget is overdrawn. */
export interface Pressure {
  /** Name of the domain, as printed at start. */
  readonly domain: string;
  /** Number of the round in this guard, from 1. */
  readonly round: number;
  readonly availableBytes: number;
  readonly totalBytes: number;
}

/** The victim of a round as notifiers are told of it. */
export interface VictimFacts {
  readonly tgid: number;
  readonly comm: string;
  readonly uid: number;
  readonly points: number;
  /** What its end is expected to give back. */
  readonly expectedBytes: number;
}

/** `released`: the memory is back. `gone`: it had ended by itself. The others leave memory as short as it was. */
export type KillOutcome = 'released' | 'gone' | 'stuck' | 'refused' | 'no-victim';

/** What a reaction hears of the kill that it asked for. Memory in bytes. */
export interface KillResult {
  readonly outcome: KillOutcome;
  readonly freedBytes: number;
  /** Why, for the two that failed. */
  readonly reason?: string | null;
}

/** Handed to reactions: the facts of the round, and the two built-in ways to act. */
export interface ReactionContext extends Pressure {
  /** Null when nobody may be killed. */
  readonly victim: VictimFacts | null;
  /** Kills the victim of this round. At most once a round: every further call answers what the first one did. */
  kill(): Promise<KillResult>;
  /** Begins the panic. At most once in a process; answers when the hand-off is over. */
  panic(): Promise<void>;
}

/** The event of each phase. Phases have names, so that events of different makers cannot collide as numbers did. */
export interface PhaseEvents {
  /** Memory is getting short; nothing has been decided. */
  warn: Pressure & { readonly level: 'warn' | 'term' | 'kill' };
  /** Give memory back, if you can: the answer is pages freed, and enough of it calls the kill off. */
  relieve: Pressure & { readonly neededPages: number };
  /** The victim is known and nothing has been sent yet. */
  beforeKill: Pressure & { readonly victim: VictimFacts };
  /** Act. */
  react: ReactionContext;
  /** It is over, one way or the other. */
  afterKill: Pressure & { readonly victim: VictimFacts | null } & KillResult;
}

/** `stop`: nobody of lower priority is called in this walk. `freedPages`: 0 … 2^53, heeded in `relieve`. */
export interface Answer {
  readonly stop?: boolean;
  readonly freedPages?: number;
}

/** Answers, now or later. `signal` fires when nobody waits for the answer any more. */
export type Handler<P extends Phase> = (
  event: Readonly<PhaseEvents[P]>,
  signal: AbortSignal,
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is a handler
) => Answer | void | Promise<Answer | void>;
