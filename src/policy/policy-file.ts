/**
 * Stage: none (files). The text of a policy file (TOML) comes in; frozen policies go out, one for each domain, or an error
 * with a line for everything that is wrong. Keys are those of definePolicy in small letters with `_`; what each may hold is
 * said there and nowhere else.
 */
import { isPlain } from './checks.js';
import { compileRule } from './compiled-rule.js';
import { type ControlInput, type ControlSettings, control } from './control.js';
import { domainSpec } from './domain-spec.js';
import { type FleetInput, type FleetSettings, fleet } from './fleet-settings.js';
import { notifyRule } from './notify.js';
import { definePolicy, type Policy, type PolicyInput, policyShape } from './policy.js';
import { POLICY_KIND, Problems } from './policy-problems.js';
import { DOMAIN_KEYS, FILE_KEYS, knownKeys, merged, type Table } from './policy-tables.js';
import { rule } from './rule.js';
import { checkVersion, parseToml } from './toml-text.js';

/** Of the policy files that this badness reads. */
export const POLICY_VERSION = 1;

/** Frozen. */
export interface PolicyFile {
  /** One for each domain, at least one. */
  readonly policies: readonly Policy[];
  readonly control: ControlSettings;
  readonly fleet: FleetSettings;
  /** What the file says itself: for each policy, for `control`, and for `fleet`, where it says anything of one. */
  readonly given: {
    readonly policies: readonly PolicyInput[];
    readonly control: ControlInput;
    readonly fleet?: FleetInput | undefined;
  };
}

/** What is to become a policy, and the table of its domain (`domain[0]`), if it has one. */
interface Draft {
  readonly input: Table;
  readonly within: string;
}

/** A rule is right when it can be used: its regular expressions are compiled. */
async function checkRule(value: unknown, path: string): Promise<void> {
  await compileRule(rule(value, path), 1, path);
}

/** Lists, by how an item of them is checked. */
const ITEMS: { readonly [key: string]: (value: unknown, path: string) => unknown } = {
  rules: checkRule,
  notify: notifyRule,
};

/** What a `[[domain]]` says, over what stands above. */
async function domainDraft(value: unknown, within: string, base: Table, problems: Problems): Promise<Draft[]> {
  if (!isPlain(value)) {
    problems.add(within, `must be a table with keys ${DOMAIN_KEYS.join(', ')}`);
    return [];
  }
  const { of, ...own } = knownKeys(value, within, DOMAIN_KEYS, problems);
  // Checked here, where its name is `of`. When it is refused nobody gets the policy, and any domain will do.
  let domain: unknown = 'system';
  await problems.attempt(() => {
    domain = domainSpec(of, `policy.${within}.of`);
  });
  return [{ input: { ...merged(base, own), domain }, within }];
}

/** One for each domain. */
async function draftsOf(table: Table, problems: Problems): Promise<Draft[]> {
  const { version: _, control: __, fleet: ___, domain, ...others } = table;
  if (!Array.isArray(domain)) return [{ input: knownKeys({ ...others, domain }, '', FILE_KEYS, problems), within: '' }];
  const base = knownKeys(others, '', FILE_KEYS, problems);
  if (domain.length === 0) problems.add('domain', 'must be an array of at least 1, got an array');
  const drafts: Draft[] = [];
  for (const [index, value] of domain.entries()) {
    drafts.push(...(await domainDraft(value, `domain[${index}]`, base, problems)));
  }
  return drafts;
}

/** Each key and each item of a list by itself, so that one error does not hide the others. */
async function checkKeys({ input, within }: Draft, problems: Problems): Promise<void> {
  for (const [key, [check]] of Object.entries(policyShape)) {
    const value = input[key];
    const item = ITEMS[key];
    if (value === undefined) continue;
    if (!item || !Array.isArray(value)) {
      await problems.attempt(() => check(value, `policy.${key}`), within);
      continue;
    }
    for (const [index, one] of value.entries()) {
      await problems.attempt(() => item(one, `policy.${key}[${index}]`), within);
    }
  }
}

/** The policy of a draft; nothing when something in it is wrong, by itself or together. */
async function policyOf(draft: Draft, problems: Problems): Promise<Policy[]> {
  const before = problems.count;
  await checkKeys(draft, problems);
  if (problems.count > before) return [];
  const defined: Policy[] = [];
  await problems.attempt(() => defined.push(definePolicy(draft.input as PolicyInput)), draft.within);
  return defined;
}

function checkDistinct(policies: readonly Policy[], problems: Problems): void {
  const texts = new Set<string>();
  for (const [index, { domain }] of policies.entries()) {
    const text = JSON.stringify(domain);
    if (!texts.has(text)) texts.add(text);
    else problems.add(`domain[${index}].of`, `must be a domain that no other table is of, got ${text}`);
  }
}

/**
 * Reads the text of a policy file. `name` stands in messages. Rejects with PolicyFileError, which names for each problem
 * the line, the key, what was expected, and the nearest key. Nothing else happens, so whatever was in force still is.
 */
export async function parsePolicy(text: string, name = 'policy'): Promise<PolicyFile> {
  const table = await parseToml(text, name, POLICY_KIND);
  const problems = new Problems(text);
  checkVersion(table.version, POLICY_VERSION, problems);
  // Of a newer file nobody knows what its keys mean.
  problems.throwIfAny(name);
  const drafts = await draftsOf(table, problems);
  const given = knownKeys({ control: table.control, fleet: table.fleet }, '', FILE_KEYS, problems);
  await problems.attempt(() => control(given.control ?? {}, 'policy.control'));
  await problems.attempt(() => fleet(given.fleet ?? {}, 'policy.fleet'));
  const policies: Policy[] = [];
  for (const draft of drafts) policies.push(...(await policyOf(draft, problems)));
  problems.throwIfAny(name);
  checkDistinct(policies, problems);
  problems.throwIfAny(name);
  return Object.freeze({
    policies: Object.freeze(policies),
    control: control(given.control ?? {}, 'control'),
    fleet: fleet(given.fleet ?? {}, 'fleet'),
    given: Object.freeze({
      policies: Object.freeze(drafts.map(({ input }) => input as PolicyInput)),
      control: (given.control ?? {}) as ControlInput,
      fleet: given.fleet as FleetInput | undefined,
    }),
  });
}
