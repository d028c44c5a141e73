/** Stage: watch → round. What the loop of a guard is made with: what it reads, sleeps by, acts through, and whom it tells. */
import type { OomSignals } from '../oom-signals.js';
import type { OomReason } from '../oom-state.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import type { PressureSource, WakeUp } from '../pressure/pressure.js';
import type { GuardEvent } from './guard-events.js';
import type { NotifierChain } from './notifier-chain.js';
import type { RoundAsk } from './round.js';
import type { RoundReport } from './round-report.js';
import type { World } from './world.js';

type Sleep = (wakeUps: readonly WakeUp[], timeoutMs: number) => unknown;

/** What a guard watches, with, and whom it tells. */
export interface GuardOptions {
  readonly source: PressureSource;
  readonly world: Pick<World, 'name' | 'nowMs' | 'measure' | 'pressureBegins' | 'shortageEnds'>;
  readonly rounds: {
    /** One round; never rejects for what the world does. */
    run(ask: RoundAsk): Promise<RoundReport>;
  };
  /**
   * Sleeps until a wake-up, the time, or `wake`, and promises to say so; by `rest`, which may hold up the rest of this thread and need
   * not promise anything, while nothing is under way.
   */
  readonly waiter: {
    wait: Sleep;
    rest?: Sleep;
    /** Ends the sleep that is under way. */
    wake(): void;
  };
  /** Whose `warn` is called when memory begins to run short. Not the chain of the rounds: a walk must not hold one up. */
  readonly warnings: NotifierChain;
  /** Hears every event. What it throws ends the guard. */
  readonly tell: (event: GuardEvent) => void;
  /** What must be given back until memory is not short any more, bytes. */
  readonly neededBytes?: () => number;
  /**
   * Asked in place of a whole look, while nothing is short, after a sleep that was blocked through: true when nothing can have changed. So
   * long at most, ms, there is no whole look.
   */
  readonly glance?: {
    readonly mostMs: number;
    /** True when nothing can have changed since the last reading. */
    isSame(): boolean;
  };
  /** Called after each sleep: milliseconds that the machine was suspended. */
  readonly sleptMs?: (nowMs: number) => number;
  /** Hears when the domain comes to be short of memory, so that a round begins, and when it is over. */
  readonly signals?: Pick<OomSignals, 'begin' | 'recovered'>;
  /** What makes it short at this moment. Default `memory`. */
  readonly reason?: () => OomReason;
  /** Called after each reading. */
  readonly onReading?: (level: PressureLevel, nowMs: number) => void;
}
