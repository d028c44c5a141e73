/** Stage: token → selection → kill → report. The rounds of one domain: what stays from one to the next is token, chain and reactions. */
import { KillToken } from '../token.js';
import { Reactions } from './reactions.js';
import { Round, type RoundAsk, type RoundsOptions } from './round.js';
import type { RoundReport } from './round-report.js';

/** The rounds of one domain, one after the other. */
export class Rounds {
  #options: RoundsOptions;
  readonly #token: KillToken;
  #reactions: Reactions;
  #current: Round | null = null;
  #count = 0;

  constructor(options: RoundsOptions) {
    const { engine, domain } = options;
    this.#options = options;
    this.#token = new KillToken(engine, domain);
    this.#reactions = this.#reactionsOf(options);
  }

  /** Goes on by another policy. Between two rounds; throws as NotifierChain.register, and then nothing has changed. */
  change(more: Pick<RoundsOptions, 'policy' | 'chain' | 'panic'>): void {
    const options = { ...this.#options, ...more };
    this.#reactions = this.#reactionsOf(options);
    this.#options = options;
  }

  #reactionsOf({ policy, chain, panic }: RoundsOptions): Reactions {
    const reactions = new Reactions({
      chain,
      panic,
      kill: (_facts, signal) => this.#current!.kill(signal),
      enforce: policy.enforce,
      noVictim: typeof policy.noVictim === 'string' ? policy.noVictim : 'none',
    });
    if (typeof policy.reaction === 'string') reactions.choose(policy.reaction);
    return reactions;
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
