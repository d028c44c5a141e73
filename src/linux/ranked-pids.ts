/** Stage: table → selection. The worst tasks of a domain, as pids: what a user-space ranker writes into the candidate queue. */
import { QUEUE_MAX } from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { Policy } from '../policy/policy.js';
import type { RowRules } from '../policy/row-rules.js';
import { Chooser } from './chooser.js';
import { type LinuxDomain, systemDomain } from './linux-domain.js';
import { requireProc } from './machine.js';

/** Whose ranking is made into a list of pids, and how long that is. */
export interface RankedPidsOptions {
  /** Whose scheme, parameters, never list and rules count. */
  readonly policy: Policy;
  /** The rules of the policy (openRules). Must be given where it has some. */
  readonly rules?: RowRules | null;
  /** How many, 1 … 4,096. Default 10. */
  readonly count?: number;
  /** Whose members are ranked; it is not closed. Default: the system. */
  readonly domain?: LinuxDomain;
  /** Where /proc is. Default `/proc`. */
  readonly root?: string;
}

const COUNT_DEFAULT = 10;

/**
 * Ranks again and again. Keeps descriptors in between, as a guard does, and reads in full only who can be among the worst.
 * The engine's table is its own meanwhile: one table has one writer. Signals nobody.
 */
export class RankedPids {
  readonly #chooser: Chooser;
  readonly #count: number;
  readonly #domain: LinuxDomain;
  readonly #isOwnDomain: boolean;

  /** Throws RangeError for `count`, TypeError for a scheme from a module or rules that are not opened, BadnessError `ENOTLINUX` without /proc. */
  constructor(engine: Engine, options: RankedPidsOptions) {
    const { policy, count = COUNT_DEFAULT, root = '/proc' } = options;
    if (!(Number.isInteger(count) && count >= 1 && count <= QUEUE_MAX)) {
      throw new RangeError(`count must be an integer 1..${QUEUE_MAX}, got ${count}`);
    }
    requireProc(root);
    this.#count = count;
    this.#isOwnDomain = options.domain === undefined;
    this.#domain = options.domain ?? systemDomain(root);
    try {
      this.#chooser = new Chooser(engine, policy, this.#domain, () => 0, { rules: options.rules, root });
    } catch (error) {
      this.#closeOwn();
      throw error;
    }
  }

  /** The pids of the worst now, worst first, `count` or, among thousands of equals, fewer; never this process nor an ancestor of it. Throws what reading /proc throws. */
  read(): number[] {
    return this.#chooser.worst(this.#count, this.#chooser.choose());
  }

  /** Closes the descriptors that it keeps; a domain that it was given is its owner's. */
  close(): void {
    this.#chooser.close();
    this.#closeOwn();
  }

  #closeOwn(): void {
    if (this.#isOwnDomain) this.#domain.close();
  }
}

/** The worst once; as RankedPids. */
export function rankedPids(engine: Engine, options: RankedPidsOptions): number[] {
  const ranked = new RankedPids(engine, options);
  try {
    return ranked.read();
  } finally {
    ranked.close();
  }
}
