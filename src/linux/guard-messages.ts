/** Stage: all of them. What an application and the worker that guards it say to each other. Everything can be cloned between threads. */
import type { GuardEvent } from '../guard/guard-events.js';
import type { Answer, KillResult, PhaseEvents, ReactionContext } from '../guard/round-events.js';
import type { Phase } from '../policy/phases.js';
import type { Policy } from '../policy/policy.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import type { GuardFacts } from './guard-facts.js';

/** What the worker is started with. */
export interface GuardWorkerData {
  readonly policy: Policy;
  /** The engine's, shared; the worker has a window of its own in it. */
  readonly memory: WebAssembly.Memory;
  readonly maxTasks: number;
  readonly thread: number;
  readonly native: 'auto' | 'none' | undefined;
  readonly leastMs: number | undefined;
  readonly mostMs: number | undefined;
  /** What children of the application have in their environment; see subtree.ts. */
  readonly cookie: string | undefined;
}

/** A reaction's context without its functions, which cannot cross threads. */
export type ReactionFacts = Omit<ReactionContext, 'kill' | 'panic'>;

export type AskedEvent<P extends Phase> = P extends 'react' ? ReactionFacts : PhaseEvents[P];

export type ToWorker =
  | { readonly kind: 'close' }
  /** The gate, which all threads share, let a reported failure through. */
  | { readonly kind: 'allocation-failed' }
  | { readonly kind: 'report'; readonly level: PressureLevel }
  /** Notifiers of the application have handlers for these phases. */
  | { readonly kind: 'phases'; readonly phases: readonly Phase[] }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer | null; readonly error: string | null }
  /** A reaction of the application acts. */
  | { readonly kind: 'act'; readonly id: number; readonly act: 'kill' | 'panic' };

export type ToApplication =
  | {
      readonly kind: 'started';
      readonly facts: GuardFacts;
      readonly readings: SharedArrayBuffer;
      readonly domain: number;
    }
  | { readonly kind: 'refused'; readonly name: string; readonly code: string | null; readonly message: string }
  | { readonly kind: 'event'; readonly event: GuardEvent }
  | { readonly kind: 'ask'; readonly id: number; readonly phase: Phase; readonly event: AskedEvent<Phase> }
  | {
      readonly kind: 'acted';
      readonly id: number;
      readonly act: 'kill' | 'panic';
      readonly result: KillResult | null;
      readonly error: string | null;
    }
  /** A panic ends the process; a worker cannot. */
  | { readonly kind: 'exit'; readonly code: number };
