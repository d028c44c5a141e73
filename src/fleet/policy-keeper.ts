/**
 * Stage: none (settings). Which of the fleet's policies counts for a machine: the most specific key wins, within it the step of its
 * rollout. What is forged, meant for another key or older than what was seen before changes nothing.
 */
import { BadnessError } from '../errors.js';
import { openEnvelope, type PolicyStatement, type Verify } from './envelope.js';
import { policyKey } from './names.js';
import { isAmong } from './share.js';

/** Where a policy came from. */
export interface PolicyOrigin {
  readonly key: string;
  /** Of the bucket. */
  readonly revision: number;
  readonly sequence: number;
}

/** The policy of the fleet that counts for a machine. */
export interface FleetPolicy extends PolicyOrigin {
  /** `next`: the one on its way out, for the machines of its step. */
  readonly step: 'policy' | 'next';
  readonly text: string;
}

/** The policy that is evaluated beside it. */
export interface FleetShadow extends PolicyOrigin {
  readonly text: string;
}

/** What was wrong with the value of a key. */
export interface KeyRefusal {
  readonly key: string;
  readonly revision: number;
  /** `ESIGNATURE`, `EOLDER`, … */
  readonly code: string;
  readonly message: string;
}

/** For each key the largest sequence that this machine has seen. */
export type Sequences = { readonly [key: string]: number };

export interface KeeperOptions {
  readonly host: string;
  /** The earlier one counts where several have a policy. */
  readonly labels: readonly string[];
  readonly verify: Verify;
  /** What was seen before this process began. */
  readonly sequences?: Sequences;
}

export class PolicyKeeper {
  /** Keys that can concern this machine, most specific first. */
  readonly keys: readonly string[];
  readonly #options: KeeperOptions;
  readonly #stated = new Map<string, { statement: PolicyStatement; revision: number }>();
  readonly #refused = new Map<string, KeyRefusal>();
  readonly #sequences: Map<string, number>;

  /** Throws RangeError for a host or a label that cannot be one. */
  constructor(options: KeeperOptions) {
    const { host, labels, sequences = {} } = options;
    this.#options = options;
    this.#sequences = new Map(Object.entries(sequences));
    this.keys = [
      policyKey({ kind: 'host', name: host }),
      ...new Set(labels.map((name) => policyKey({ kind: 'label', name }))),
      'default',
    ];
  }

  get sequences(): Sequences {
    return Object.fromEntries(this.#sequences);
  }

  /** What stands at keys of this machine and does not count. */
  get refused(): readonly KeyRefusal[] {
    return [...this.#refused.values()];
  }

  /** What stands at a key now; null for nothing, which takes nothing back: only a signed statement does. */
  offer(key: string, value: { readonly revision: number; readonly text: string } | null): void {
    if (!this.keys.includes(key)) return;
    this.#refused.delete(key);
    if (value === null) return;
    const { revision, text } = value;
    try {
      const statement = openEnvelope(text, key, this.#options.verify);
      const seen = this.#sequences.get(key) ?? 0;
      if (statement.sequence < seen) {
        throw new BadnessError('EOLDER', `${key}: sequence ${statement.sequence} was followed by ${seen} before`);
      }
      this.#sequences.set(key, statement.sequence);
      this.#stated.set(key, { statement, revision });
    } catch (error) {
      const { code = 'EENVELOPE', message } = error as { code?: string; message: string };
      this.#refused.set(key, { key, revision, code, message });
    }
  }

  /** The policy that counts; null: that of the machine's own file. */
  policy(): FleetPolicy | null {
    for (const key of this.keys) {
      const stated = this.#stated.get(key);
      if (!stated) continue;
      const { statement, revision } = stated;
      const origin = { key, revision, sequence: statement.sequence };
      if (statement.next && this.#isEarly(key, statement.next)) {
        return { ...origin, step: 'next', text: statement.next.policy };
      }
      if (statement.policy !== null) return { ...origin, step: 'policy', text: statement.policy };
    }
    return null;
  }

  /** The shadow of the most specific key that has one. */
  shadow(): FleetShadow | null {
    for (const key of this.keys) {
      const stated = this.#stated.get(key);
      if (!stated || stated.statement.shadow === null) continue;
      const { statement, revision } = stated;
      return { key, revision, sequence: statement.sequence, text: statement.shadow! };
    }
    return null;
  }

  #isEarly(key: string, { labels, percent }: NonNullable<PolicyStatement['next']>): boolean {
    const { host, labels: own } = this.#options;
    return labels.some((label) => own.includes(label)) || isAmong(host, key, percent);
  }
}
