/**
 * Stage: kill. What happens to the chosen one. Reactions are entries of the notifier chain in its phase `react`: they
 * run in order of priority, and all of them unless one stops. A built-in one stops once it has done what it is for:
 * `kill` when the memory is back, `panic` when it has begun, `none` always. So whatever stands below `kill` is what
 * happens when the kill fails.
 */
import { BadnessError } from '../errors.js';
import type { Notifier, WalkReport } from './notifier.js';
import { NotifierChain } from './notifier-chain.js';
import type { Panic } from './panic.js';
import type { Handler, KillResult, Pressure, ReactionContext, VictimFacts } from './round-events.js';

/** `kill`: the victim of the round. `panic`: give up (panic.ts). `none`: nothing, on purpose. */
export type BuiltinReaction = 'kill' | 'panic' | 'none';

/** A reaction of your own: an entry of the chain with a handler for `react`. */
export interface UserReaction {
  readonly name: string;
  readonly react: Handler<'react'>;
}

/** What may happen to a victim: something built in, or of your own. */
export type Reaction = BuiltinReaction | UserReaction;

/** What a round knows when it comes to act. `victim` is null when nobody may be killed. */
export type RoundFacts = Pressure & { readonly victim: VictimFacts | null };

/** The chain that reactions are entries of, and the means that they have. */
export interface ReactionsOptions {
  readonly chain: NotifierChain;
  /** Kills the victim and waits for its memory. `signal` fires when the round goes on without it. */
  readonly kill: (facts: RoundFacts, signal: AbortSignal) => Promise<KillResult>;
  readonly panic: Panic;
  /** False (the default): nobody is called and nothing is done; the report says who would have been. */
  readonly enforce?: boolean;
  /** When nobody may be killed and no reaction ended the round. Default `none`. */
  readonly noVictim?: 'panic' | 'none' | UserReaction;
}

/** Which reactions were asked, or in a dry round would have been. */
export interface ReactionReport {
  /** Nothing was done because `enforce` is off. */
  readonly dry: boolean;
  /** The names that are, or in a dry round would be, asked, in order. */
  readonly planned: readonly string[];
  /** No reaction was ever chosen, so the victim is killed. */
  readonly lastResort: boolean;
  /** Null in a dry round. */
  readonly walk: WalkReport | null;
  /** The walk of the no-victim reaction, where it came to that. */
  readonly noVictim: WalkReport | null;
  /** What came of the kill; null when there was none, or it has not ended in time. */
  readonly kill: KillResult | null;
  /** True when a panic is under way. */
  readonly panicking: boolean;
}

const NOBODY: KillResult = Object.freeze({ outcome: 'no-victim', freedBytes: 0 });

const BUILTIN: { readonly [name in BuiltinReaction]: Handler<'react'> } = {
  async kill(context) {
    const { outcome } = await context.kill();
    return { stop: outcome === 'released' || outcome === 'gone' };
  },
  panic(context) {
    // Not waited for: the hand-off has a limit of its own, and nothing must run below a panic meanwhile.
    void context.panic();
    return { stop: true };
  },
  none: () => ({ stop: true }),
};

function notifierOf(reaction: Reaction, priority: number): Notifier {
  if (typeof reaction !== 'string') return { name: reaction.name, priority, react: reaction.react };
  if (!Object.hasOwn(BUILTIN, reaction)) {
    throw new RangeError(`reaction must be one of kill, panic, none or an object, got ${JSON.stringify(reaction)}`);
  }
  return { name: reaction, priority, react: BUILTIN[reaction] };
}

/** The reactions of one domain. */
export class Reactions {
  readonly #options: ReactionsOptions;
  readonly #lastResort: NotifierChain;
  readonly #noVictim: NotifierChain;

  constructor(options: ReactionsOptions) {
    this.#options = options;
    const { limits, clock } = options.chain;
    this.#lastResort = new NotifierChain({ limits, clock });
    this.#lastResort.register(notifierOf('kill', 0));
    this.#noVictim = new NotifierChain({ limits, clock });
    this.#noVictim.register(notifierOf(options.noVictim ?? 'none', 0));
  }

  /** Adds a reaction. Throws as NotifierChain.register: `EEXIST` when it is chosen already. */
  choose(reaction: Reaction, priority = 0): void {
    this.#options.chain.register(notifierOf(reaction, priority));
  }

  /** Puts a reaction in the place of the one named so, in one step. Throws as NotifierChain.replace. */
  replace(name: string, reaction: Reaction, priority = 0): void {
    this.#options.chain.replace(name, notifierOf(reaction, priority));
  }

  /**
   * Takes a reaction back. Without any left nothing happens in a round, and its report says so: the last resort is for
   * those who never chose. Throws `ENOENT`.
   */
  withdraw(name: string): void {
    this.#options.chain.unregister(name);
  }

  /** Carries out one round. Throws BadnessError `EDEADLK` when one is under way on the chain. */
  async react(facts: RoundFacts): Promise<ReactionReport> {
    const { chain, panic, enforce = false } = this.#options;
    const lastResort = !chain.everHad('react');
    const acting = lastResort ? this.#lastResort : chain;
    const planned = reactionNames(acting);
    const report = { dry: !enforce, planned, lastResort, walk: null, noVictim: null, kill: null };
    if (!enforce) return { ...report, panicking: !panic.admitting };
    const round = new Round(facts, this.#options);
    try {
      const walk = await acting.walk('react', round.context);
      const unanswered = facts.victim === null && walk.stoppedBy === null;
      const noVictim = unanswered ? await this.#noVictim.walk('react', round.context) : null;
      return { ...report, walk, noVictim, kill: round.result, panicking: !panic.admitting };
    } finally {
      round.close();
    }
  }
}

function reactionNames(chain: NotifierChain): string[] {
  return chain
    .list()
    .filter(({ phases }) => phases.includes('react'))
    .map(({ name }) => name);
}

/** The powers of one round, which end with it: a reaction that answers too late cannot kill any more. */
class Round {
  readonly context: ReactionContext;
  result: KillResult | null = null;
  readonly #facts: RoundFacts;
  readonly #options: ReactionsOptions;
  readonly #abort = new AbortController();
  #killing: Promise<KillResult> | null = null;

  constructor(facts: RoundFacts, options: ReactionsOptions) {
    this.#facts = Object.freeze({ ...facts });
    this.#options = options;
    this.context = { ...this.#facts, kill: () => this.#kill(), panic: () => this.#panic() };
  }

  close(): void {
    this.#abort.abort(new BadnessError('ESTALE', `round ${this.#facts.round} is over`));
  }

  #kill(): Promise<KillResult> {
    if (this.#abort.signal.aborted) return quiet(Promise.reject(this.#abort.signal.reason));
    this.#killing ??= quiet(this.#killOnce());
    return this.#killing;
  }

  async #killOnce(): Promise<KillResult> {
    const { victim } = this.#facts;
    this.result = victim ? Object.freeze(await this.#options.kill(this.#facts, this.#abort.signal)) : NOBODY;
    return this.result;
  }

  #panic(): Promise<void> {
    if (this.#abort.signal.aborted) return quiet(Promise.reject(this.#abort.signal.reason));
    return this.#options.panic.start(this.#facts);
  }
}

/** A reaction that does not wait for what it began must not bring the process down by an unhandled rejection. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
