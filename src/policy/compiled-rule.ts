/**
 * Stage: selection. Rules ready to be asked about tasks. What stat and status tell comes in whole; what other files tell
 * comes in as far as it was read, so that the answer may be that it is not known yet.
 */
import { compilePatterns, type Matcher } from './patterns.js';
import { type Ratio, type Rule, ratioOf } from './rule.js';
import { boundOf, type Threshold } from './threshold.js';

/** Conditions that want files beyond stat and status. */
export const FILE_CONDITIONS = ['exe', 'cgroup', 'ancestor', 'cmdline'] as const;
/** A condition that wants a file of the task to be read. */
export type FileCondition = (typeof FILE_CONDITIONS)[number];

/** What stat and status tell of a task. */
export interface OwnFacts {
  readonly comm: string;
  readonly uid: number;
  readonly ageS: number;
  /** What it would give back. */
  readonly chargePages: number;
}

/** What a domain measures by. */
export interface Scale {
  readonly pageSize: number;
  /** Of the domain; 0 when that is not known. */
  readonly totalPages: number;
}

/**
 * The texts that a condition is held against, one of which must match: a path, a command line, the paths of the cgroups,
 * the comms of the ancestors. Null when they cannot be read, undefined when nobody has looked yet.
 */
export type TextsOf = (condition: FileCondition) => readonly string[] | null | undefined;

/** A rule, ready to be matched against rows. */
export interface CompiledRule {
  readonly rule: Rule;
  /** Place in the policy, from 1. */
  readonly number: number;
  readonly comm: Matcher | null;
  /** Null: any. NaN: of a user that this machine does not have. */
  readonly uid: number | null;
  /** What it multiplies by; null where it does not. */
  readonly ratio: Ratio | null;
  readonly files: readonly (readonly [condition: FileCondition, matches: Matcher])[];
}

/** What rules need to know of a machine. */
export interface CompileOptions {
  /** The uid of a user's name; undefined when there is none such, and the rule then matches nobody. Default: nobody has a name. */
  readonly uidOf?: (name: string) => number | undefined;
}

/** Compiles one rule, found at `path`. Throws RangeError, by path, for a regular expression that RE2 does not take. */
export async function compileRule(
  rule: Rule,
  number: number,
  path: string,
  { uidOf }: CompileOptions = {},
): Promise<CompiledRule> {
  const keys = (['comm', ...FILE_CONDITIONS] as const).filter((key) => rule[key] !== undefined);
  const matchers = await compilePatterns(
    keys.map((key) => rule[key]!),
    (index) => `${path}.${keys[index]}`,
  );
  const found = new Map(keys.map((key, index) => [key, matchers[index]!]));
  const files = FILE_CONDITIONS.filter((key) => found.has(key)).map((key) => [key, found.get(key)!] as const);
  const uid = typeof rule.user === 'string' ? (uidOf?.(rule.user) ?? Number.NaN) : (rule.user ?? null);
  const ratio = rule.times === undefined ? null : ratioOf(rule.times);
  return { rule, number, comm: found.get('comm') ?? null, uid, ratio, files };
}

/** Compiles the rules of a policy. Throws as compileRule does. */
export async function compileRules(rules: readonly Rule[], options: CompileOptions = {}): Promise<CompiledRule[]> {
  const compiled: CompiledRule[] = [];
  for (const [index, rule] of rules.entries()) {
    compiled.push(await compileRule(rule, index + 1, `policy.rules[${index}]`, options));
  }
  return compiled;
}

/** A share of a total that nobody knows would be nothing, and every task would have as much. */
export function pagesOf(at: Threshold, { pageSize, totalPages }: Scale): number {
  if (at.percent !== undefined && totalPages === 0) {
    throw new RangeError('totalPages must be above 0 for rules with a share of it, got 0');
  }
  return boundOf(at, totalPages, pageSize);
}

function holdsByItself({ rule, comm, uid }: CompiledRule, own: OwnFacts, scale: Scale): boolean {
  const { older = 0, younger = Number.POSITIVE_INFINITY } = rule.age ?? {};
  const { more, less } = rule.memory ?? {};
  return (
    (uid === null || uid === own.uid) &&
    own.ageS >= older &&
    own.ageS < younger &&
    (!more || own.chargePages >= pagesOf(more, scale)) &&
    (!less || own.chargePages < pagesOf(less, scale)) &&
    (!rule.least || own.chargePages >= pagesOf(rule.least, scale)) &&
    (comm === null || comm(own.comm))
  );
}

/** Whether a rule matches a task; undefined as long as that hangs on what was not read. */
export function matches(compiled: CompiledRule, own: OwnFacts, textsOf: TextsOf, scale: Scale): boolean | undefined {
  if (!holdsByItself(compiled, own, scale)) return false;
  let isKnown = true;
  for (const [condition, matcher] of compiled.files) {
    const texts = textsOf(condition);
    if (!texts) isKnown = false;
    else if (!texts.some(matcher)) return false;
  }
  return isKnown ? true : undefined;
}
