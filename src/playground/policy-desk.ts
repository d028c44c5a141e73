/** Stage: points → selection, for a page. The text of a policy becomes what it does to a ranking. Loaded by the first who has one. */
import type { Engine, SchemeName } from '../index.js';
import {
  compileRules,
  definePolicy,
  NO_TEXTS,
  type Policy,
  PolicyFileError,
  type PolicyProblem,
  parsePolicy,
  RowRules,
  type Rule,
  type RuleHit,
  type SchemeParameters,
} from '../policy/index.js';
import type { Surroundings } from './story.js';

/** What a policy comes to. */
export interface PolicySummary {
  readonly scheme: SchemeName;
  readonly parameters: SchemeParameters;
  /** Whether the text says which scheme or parameters itself. */
  readonly saysScoring: boolean;
  readonly rules: number;
  readonly never: number;
  /** Domains in the text; the first is the one that is shown. */
  readonly domains: number;
}

export interface PolicyVerdict {
  readonly problems: readonly PolicyProblem[];
  /** Null where there is no policy, or none that is good: then the one before stays in force. */
  readonly inForce: PolicySummary | null;
}

/** Where tasks have no files: what rules ask of them is not known, and counts in favour of the task. */
const NOTHING: Surroundings = { texts: NO_TEXTS, uidOf: () => undefined };

/** The rules of a policy, the patterns of `never` first: here they are one more reason why somebody is not chosen. */
export class PolicyInForce {
  readonly policy: Policy;
  readonly #input: readonly Rule[];
  #engine: Engine | null = null;
  #surroundings: Surroundings | null = null;
  #rules: RowRules | null = null;

  constructor(policy: Policy) {
    this.policy = policy;
    const names = policy.never.map((comm) => ({ comm, never: true as const }));
    this.#input = definePolicy({ ...policy, rules: [...names, ...policy.rules] }).rules;
  }

  /** The rules at work on an engine, among tasks of which so much is known; null where there are none. */
  async rulesOn(engine: Engine, surroundings: Surroundings = NOTHING): Promise<RowRules | null> {
    if (this.#input.length === 0) return null;
    if (this.#engine !== engine || this.#surroundings !== surroundings || !this.#rules) {
      const compiled = await compileRules(this.#input, { uidOf: surroundings.uidOf });
      this.#rules = new RowRules(engine, compiled, surroundings.texts);
      this.#engine = engine;
      this.#surroundings = surroundings;
    }
    return this.#rules;
  }

  /** What the rules did to a task when it was last ranked, numbered as the policy does; 0 is the list `never`. */
  hitsOf(slot: number): RuleHit[] {
    const before = this.policy.never.length;
    const hits = this.#rules?.hitsOf(slot) ?? [];
    return hits.map((hit) => ({ ...hit, rule: Math.max(hit.rule - before, 0) }));
  }
}

function refused(problems: readonly PolicyProblem[]): { policy: null; verdict: PolicyVerdict } {
  return { policy: null, verdict: { problems, inForce: null } };
}

/** Reads and compiles a policy. Never rejects for what is in the text. */
export async function readPolicy(text: string): Promise<{ policy: PolicyInForce | null; verdict: PolicyVerdict }> {
  try {
    const { policies, given } = await parsePolicy(text);
    const [policy] = policies;
    if (typeof policy!.scheme !== 'string') {
      return refused([{ line: 1, text: 'scheme must be one by name: a page loads no modules' }]);
    }
    const input = given.policies[0] ?? {};
    const inForce = {
      scheme: policy!.scheme,
      parameters: policy!.parameters,
      saysScoring: input.scheme !== undefined || input.parameters !== undefined,
      rules: policy!.rules.length,
      never: policy!.never.length,
      domains: policies.length,
    };
    return { policy: new PolicyInForce(policy!), verdict: { problems: [], inForce } };
  } catch (error) {
    if (error instanceof PolicyFileError) return refused(error.problems);
    throw error;
  }
}
