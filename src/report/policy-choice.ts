/**
 * Stage: table → points → selection → report. Whom the policies of a user would have chosen from the table of a report: by their scheme,
 * their parameters, their rules and their list `never`, as far as a kernel log tells what these ask for.
 */
import { type Engine, loadTasks, type Outcome, type RankedTask, type SchemeName } from '../index.js';
import {
  builtInScheme,
  type DomainSpec,
  NO_TEXTS,
  pluginName,
  RowRules,
  type RuleHit,
  rankBy,
  rowBy,
} from '../policy/index.js';
import { type AskedDomain, type AskedPolicy, domainFor, type UntoldCondition } from './asked-policy.js';
import type { OomEvent } from './event.js';
import type { Reranking } from './rerank.js';
import { type Missing, machineOf, missingFor, tasksOf } from './tasks.js';

/** Conditions of a rule that no log tells; `rule` is its place in the policy, from 1. */
export interface UnknownRule {
  readonly rule: number;
  readonly conditions: readonly UntoldCondition[];
}

/**
 * As Outcome; or `no-domain`: no domain of the file is what was short; `no-table`: there is nobody to choose from; `not-told`: the scheme
 * counts sessions, which no report has.
 */
export type PolicyOutcome = Outcome | 'no-domain' | 'no-table' | 'not-told';

/** Whom one policy would have chosen. */
export interface PolicyChoice {
  readonly file: string;
  /** The domain of the file that was asked, as --domain has it (`memcg:/a`, `node:0`); null where none fits. */
  readonly domain: string | null;
  /** Where it is a plug-in, its fallback. */
  readonly scheme: SchemeName | null;
  /** The plug-in that was not asked: it runs on the machine that it is for. */
  readonly plugin: string | null;
  readonly outcome: PolicyOutcome;
  /** With what the rules did to it; rule 0 is the list `never`. */
  readonly victim: RankedTask | null;
  /** Whom the kernel chose, as the policy ranks it; null where the table does not have it. */
  readonly kernels: RankedTask | null;
  /** Whether the two are the same; null where the table does not have whom the kernel chose, or nobody was asked. */
  readonly same: boolean | null;
  /** What the scheme reckons with and the report does not have. */
  readonly missing: readonly Missing[];
  /** Rules that may match somebody in the table, and nobody can say. */
  readonly unknown: readonly UnknownRule[];
  /** Whether it is the same whatever the total is that shares are of, where the report leaves that open. */
  readonly settled: boolean;
}

/** Asks a policy about one table. */
class PolicyTable {
  readonly #engine: Engine;
  readonly #event: OomEvent;
  readonly #reranking: Reranking;
  readonly #domain: AskedDomain;
  readonly #scheme: SchemeName;

  constructor(engine: Engine, event: OomEvent, reranking: Reranking, domain: AskedDomain) {
    this.#engine = engine;
    this.#event = event;
    this.#reranking = reranking;
    this.#domain = domain;
    this.#scheme = builtInScheme(domain.policy.scheme);
  }

  rank(totalPages: number): Pick<PolicyChoice, 'outcome' | 'victim' | 'kernels' | 'same'> {
    const { page, chosenSlot } = this.#reranking;
    const engine = this.#engine;
    // The rules before have marked whom they exclude.
    loadTasks(engine, tasksOf(this.#event.rows, page.pageSize), machineOf(page.pageSize, totalPages));
    const compiled = this.#domain.rules.map((rule) => rule.compiled);
    const rules = compiled.length === 0 ? null : new RowRules(engine, compiled, NO_TEXTS);
    const options = { ...this.#domain.policy.parameters, scheme: this.#scheme, totalPages };
    const { ranking } = rankBy(engine, { ...options, limit: 0 }, { rules });
    const { outcome, victim } = ranking;
    const kernels = chosenSlot < 0 ? null : this.#rowOf(chosenSlot, rules);
    const same = kernels && victim?.slot === chosenSlot;
    return { outcome, victim: victim && this.#numbered(victim), kernels, same };
  }

  #rowOf(slot: number, rules: RowRules | null): RankedTask {
    rules?.settle(slot);
    return this.#numbered(rowBy(this.#engine, slot, this.#scheme, rules));
  }

  /** The list `never` has no place among the rules. */
  #numbered(task: RankedTask): RankedTask {
    if (!task.rules) return task;
    const last = this.#domain.policy.rules.length;
    const rules = task.rules.map((hit): RuleHit => (hit.rule > last ? { ...hit, rule: 0 } : hit));
    return { ...task, rules };
  }

  /** What the log tells of a rule must hold for somebody, or nobody misses the rest. */
  unknown(): UnknownRule[] {
    const { rows } = this.#event;
    const open = this.#domain.rules.filter(({ untold, compiled: { comm, uid } }) => {
      if (untold.length === 0) return false;
      return rows.some((row) => (uid === null || uid === row.uid) && (comm === null || comm(row.comm)));
    });
    return open.map(({ compiled: { number }, untold }) => ({ rule: number, conditions: untold }));
  }
}

function domainText(domain: DomainSpec): string {
  if (typeof domain === 'string') return domain;
  return 'memcg' in domain ? `memcg:${domain.memcg}` : `node:${(domain as { numaNode: number }).numaNode}`;
}

function choiceOf(engine: Engine, event: OomEvent, reranking: Reranking, asked: AskedPolicy): PolicyChoice {
  const { file } = asked;
  const domain = domainFor(asked, event);
  const nobody = { victim: null, kernels: null, same: null, missing: [], unknown: [], settled: true };
  if (!domain) return { file, domain: null, scheme: null, plugin: null, outcome: 'no-domain', ...nobody };
  const { scheme: spec } = domain.policy;
  const scheme = builtInScheme(spec);
  const plugin = typeof spec === 'string' ? null : pluginName(spec);
  const known = { file, domain: domainText(domain.policy.domain), scheme, plugin };
  if (event.header === null || event.rows.length === 0) return { ...known, outcome: 'no-table', ...nobody };
  const missing = missingFor(scheme, event.header);
  if (missing.includes('sessions')) return { ...known, outcome: 'not-told', ...nobody, missing };
  const table = new PolicyTable(engine, event, reranking, domain);
  const { low, high } = reranking.totalPages;
  const found = table.rank(low);
  const settled = low === high || table.rank(high).victim?.slot === found.victim?.slot;
  return { ...known, ...found, missing, unknown: table.unknown(), settled };
}

/**
 * Whom each policy would have chosen in place of the kernel, from the table of an event that was just reranked in `engine`. The engine's
 * snapshot is another one afterwards. Throws RangeError when the event has more rows than the engine has room for.
 */
export function policyChoices(
  engine: Engine,
  event: OomEvent,
  reranking: Reranking,
  policies: readonly AskedPolicy[],
): PolicyChoice[] {
  return policies.map((asked) => choiceOf(engine, event, reranking, asked));
}
