/** Stage: token → selection → kill → report. The rounds of one domain: what stays from one to the next is token, chain and reactions. */
import { KillToken } from '../token.js';
import { Reactions } from './reactions.js';
import { Round, type RoundAsk, type RoundsOptions } from './round.js';
import type { RoundReport } from './round-report.js';

/** The rounds of one domain, one after the other. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #token: KillToken;
  readonly #reactions: Reactions;
  #current: Round | null = null;
  #count = 0;

  constructor(options: RoundsOptions) {
    const { engine, domain, policy, chain, panic } = options;
    this.#options = options;
    this.#token = new KillToken(engine, domain);
    this.#reactions = new Reactions({
      chain,
      panic,
      kill: (_facts, signal) => this.#current!.kill(signal),
      enforce: policy.enforce,
      noVictim: typeof policy.noVictim === 'string' ? policy.noVictim : 'none',
    });
    if (typeof policy.reaction === 'string') this.#reactions.choose(policy.reaction);
  }

  /** For whoever chooses other reactions than the policy names. */
  get reactions(): Reactions {
    return this.#reactions;
  }

  /** Carries out one round. One at a time. Never rejects for what the world does. */
  async run(ask: RoundAsk): Promise<RoundReport> {
    const round = new Round(this.#options, this.#token, this.#reactions, ask, ++this.#count);
    this.#current = round;
    try {
      return await round.run();
    } finally {
      this.#current = null;
      round.close();
    }
  }
}
