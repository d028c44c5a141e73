/**
 * Stage: points → selection. A policy file, ready to be asked about the tables of kernel logs. What a rule wants to know and no log tells
 * is never known here; it counts in favour of the task, as with a guard that may not look.
 */
import {
  type CompiledRule,
  compileRules,
  type DomainSpec,
  everyRule,
  type Policy,
  type PolicyFile,
  type Rule,
} from '../policy/index.js';
import { constraintOf, type OomEvent } from './event.js';

/** What rules ask for and no log tells. Of users it has the numbers; only that of root is the same everywhere. */
const UNTOLD = ['exe', 'cmdline', 'cgroup', 'ancestor', 'age', 'user'] as const;
/** A condition of rules that no kernel log tells of. */
export type UntoldCondition = (typeof UNTOLD)[number];

/** A rule as a log can answer it. */
export interface AskedRule {
  readonly compiled: CompiledRule;
  readonly untold: readonly UntoldCondition[];
}

/** The policy of one domain. */
export interface AskedDomain {
  readonly policy: Policy;
  /** Those of the policy in their order, then its list `never`. */
  readonly rules: readonly AskedRule[];
}

/** The policies of one file, as a report asks them whom they would have chosen. */
export interface AskedPolicy {
  readonly file: string;
  readonly domains: readonly AskedDomain[];
}

function untoldOf(rule: Rule): UntoldCondition[] {
  return UNTOLD.filter((key) => rule[key] !== undefined && (key !== 'user' || typeof rule.user === 'string'));
}

/** The uid of a name, as far as every machine agrees. */
function uidOf(name: string): number | undefined {
  return name === 'root' ? 0 : undefined;
}

/** Nobody can answer it: a condition on a file that is never read, of which it does not matter what it says. */
const UNANSWERABLE = ['cmdline', () => false] as const;

/** Age and the names of users are known at once where there is a machine; here they are left open. */
function askedRule(rule: Rule, compiled: CompiledRule): AskedRule {
  const untold = untoldOf(rule).filter((key) => key !== 'user' || rule.user !== 'root');
  const isOpen = untold.includes('age') || untold.includes('user');
  if (!isOpen) return { compiled, untold };
  const { age: _, ...timeless } = rule;
  const uid = untold.includes('user') ? null : compiled.uid;
  return { compiled: { ...compiled, rule: timeless, uid, files: [...compiled.files, UNANSWERABLE] }, untold };
}

async function askedDomain(policy: Policy): Promise<AskedDomain> {
  const rules = everyRule(policy);
  const compiled = await compileRules(rules, { uidOf });
  return { policy, rules: rules.map((rule, index) => askedRule(rule, compiled[index]!)) };
}

/** Makes a policy file ready for `policyChoices`; `file` is its name in what is said. */
export async function askPolicy(file: string, { policies }: Pick<PolicyFile, 'policies'>): Promise<AskedPolicy> {
  return { file, domains: await Promise.all(policies.map(askedDomain)) };
}

/** How closely a domain fits what was short of memory: 0 for one of the whole machine, null where it does not at all. */
function closeness(domain: DomainSpec, event: OomEvent): number | null {
  if (typeof domain === 'string') return 0;
  const constraint = constraintOf(event);
  const { context, limit, cgroup } = event;
  if ('memcg' in domain) {
    const path = context?.oomMemcg ?? limit?.oomMemcg ?? cgroup.path;
    const above = domain.memcg === '/' ? '/' : `${domain.memcg}/`;
    return constraint === 'CONSTRAINT_MEMCG' && path !== null && `${path}/`.startsWith(above) ? above.length : null;
  }
  if (!('numaNode' in domain)) return null;
  const node = String(domain.numaNode);
  const nodes = constraint === 'CONSTRAINT_CPUSET' ? context?.memsAllowed : context?.nodemask;
  const isPart = constraint === 'CONSTRAINT_CPUSET' || constraint === 'CONSTRAINT_MEMORY_POLICY';
  return isPart && nodes === node ? 1 : null;
}

/** The domain of the file that fits the event most closely; the first of the whole machine where nothing else does; else null. */
export function domainFor({ domains }: AskedPolicy, event: OomEvent): AskedDomain | null {
  let best: AskedDomain | null = null;
  let most = -1;
  for (const domain of domains) {
    const close = closeness(domain.policy.domain, event);
    if (close === null || close <= most) continue;
    best = domain;
    most = close;
  }
  return best;
}
