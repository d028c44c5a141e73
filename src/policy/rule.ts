/**
 * Stage: selection. Rules: whom one matches and what it does to the points, as data. What a person wrote comes in, a
 * frozen rule goes out. docs/policy.md says how preference and points combine.
 */
import { ABSENT, type Check, check, integer, list, object, oneOf, present, refuse, text } from './checks.js';
import { duration } from './duration.js';
import { commPattern, linePattern, pathPattern } from './patterns.js';
import { size, type Threshold, type ThresholdInput, threshold } from './threshold.js';

/**
 * Whom a rule matches: all that is given must hold. Patterns are globs (`*`, `?`), which cover the whole text, or
 * `/regular expressions/`, which are found anywhere in it.
 */
export interface RuleConditions {
  /** At most 15 bytes. */
  readonly comm?: string;
  /** Path of the program. */
  readonly exe?: string;
  /** Arguments with blanks between, the first 4 KiB. */
  readonly cmdline?: string;
  /** Name or uid of the real user. */
  readonly user?: string | number;
  /** Path of a cgroup that the task is in. */
  readonly cgroup?: string;
  /** comm of the parent, or of its parent, and so on. */
  readonly ancestor?: string;
  /** Seconds since the task started: `older` or more, less than `younger`. */
  readonly age?: { readonly older?: number; readonly younger?: number };
  /** What the task would give back, of the domain's total: `more` or just so much, `less` than. */
  readonly memory?: { readonly more?: Threshold; readonly less?: Threshold };
}

/** What a rule does: exactly one of these. */
export interface RuleEffects {
  /** The task is never chosen. */
  readonly never?: true;
  /** `never`: the same, and no policy of a fleet lifts it (docs/fleet.md). `never` is true then. */
  readonly local?: 'never';
  /** Points times this ratio of integers 1 … 1,000, rounded down. */
  readonly times?: string;
  /** Points of so many bytes more, or less. */
  readonly plus?: number;
  readonly minus?: number;
  /** Before, or after, all tasks of no class; points decide within it. */
  readonly class?: 'first' | 'last';
}

/** Whom it matches, and what it does to their points. */
export interface Rule extends RuleConditions, RuleEffects {
  /** For `plus` and `first`, which come without size: only who gives back so much. Default 1 % of the domain's total. */
  readonly least?: Threshold;
}

/** As Rule, in the form of the input: spans as `10min`, sizes as `4GiB`, shares as `5%`, a whole ratio as a number. */
export type RuleInput = Omit<Rule, 'age' | 'memory' | 'times' | 'plus' | 'minus' | 'least'> & {
  readonly age?: { readonly older?: number | string; readonly younger?: number | string };
  readonly memory?: { readonly more?: ThresholdInput; readonly less?: ThresholdInput };
  readonly times?: string | number;
  readonly plus?: number | string;
  readonly minus?: number | string;
  readonly least?: ThresholdInput;
};

export const CONDITIONS = ['comm', 'exe', 'cmdline', 'user', 'cgroup', 'ancestor', 'age', 'memory'] as const;
export const EFFECTS = ['never', 'times', 'plus', 'minus', 'class'] as const;
const TERM_MAX = 1000;
const LEAST_DEFAULT: Threshold = { percent: 1 };

/** Of `3/2`. */
export interface Ratio {
  readonly times: number;
  readonly over: number;
}

/** Reads a ratio that was checked. */
export function ratioOf(written: string): Ratio {
  const [times, over] = written.split('/').map(Number);
  return { times: times!, over: over! };
}

const RATIO = /^(\d{1,4})(?:\/(\d{1,4}))?$/;
const ratioForm = {
  anyOf: [
    { type: 'string', pattern: RATIO.source },
    { type: 'integer', minimum: 1, maximum: TERM_MAX },
  ],
};

const ratio: Check<string> = check(ratioForm, (value, path) => {
  const isKind = typeof value === 'string' || typeof value === 'number';
  const [, times, over = '1'] = RATIO.exec(isKind ? String(value) : '') ?? [];
  const good = [times, over].every((term) => Number(term) >= 1 && Number(term) <= TERM_MAX);
  if (good) return `${Number(times)}/${Number(over)}`;
  return refuse(path, `a ratio such as '3/2' of integers 1..${TERM_MAX}`, value, isKind);
});

const uid = integer(0, 2 ** 32 - 1);
const userName = text(/^(?!\d+$)[^\s:]{1,256}$/, `the name of a user, or a uid as a number`);
const user: Check<string | number> = check({ anyOf: [userName.form, uid.form] }, (value, path) =>
  typeof value === 'number' ? uid(value, path) : userName(value, path),
);

/** Refuses bounds that nobody can be between, and none at all. `crossed` says so of those that are given. */
function bounds<T extends object>(fields: Check<T>, crossed: (given: T) => boolean): Check<T> {
  return check(fields.form, (value, path) => {
    const given = fields(value ?? null, path);
    if (Object.keys(given).length === 0) return refuse(path, 'an object with at least one key', value);
    return crossed(given) ? refuse(path, 'bounds that a task can be between', value) : given;
  });
}

interface AgeBounds {
  older?: number;
  younger?: number;
}
const age = bounds(
  object<AgeBounds>({ older: [duration, ABSENT], younger: [duration, ABSENT] }),
  ({ older = 0, younger = Number.POSITIVE_INFINITY }) => older >= younger,
);

interface MemoryBounds {
  more?: Threshold;
  less?: Threshold;
}

/** In different units nobody can say before the total is known. */
function sameUnitCrossed({ more, less }: MemoryBounds): boolean {
  if (!more || !less || Object.keys({ ...more, ...less }).length > 1) return false;
  return (more.percent ?? more.bytes)! >= (less.percent ?? less.bytes)!;
}
const memory = bounds(object<MemoryBounds>({ more: [threshold, ABSENT], less: [threshold, ABSENT] }), sameUnitCrossed);

const fields = object<Rule>({
  comm: [commPattern, ABSENT],
  exe: [pathPattern, ABSENT],
  cmdline: [linePattern, ABSENT],
  user: [user, ABSENT],
  cgroup: [pathPattern, ABSENT],
  ancestor: [commPattern, ABSENT],
  age: [age, ABSENT],
  memory: [memory, ABSENT],
  never: [present, ABSENT],
  local: [oneOf<'never'>(['never']), ABSENT],
  times: [ratio, ABSENT],
  plus: [size, ABSENT],
  minus: [size, ABSENT],
  class: [oneOf<'first' | 'last'>(['first', 'last']), ABSENT],
  least: [threshold, ABSENT],
});

/** Whether an effect gives points that no size stands behind. */
function comesWithoutSize({ plus, class: order }: RuleEffects): boolean {
  return plus !== undefined || order === 'first';
}

export const rule: Check<Rule> = check(fields.form, (value, path) => {
  const said = fields(value ?? null, path);
  const given: Rule = said.local === 'never' ? Object.freeze({ ...said, never: true }) : said;
  if (!CONDITIONS.some((key) => given[key] !== undefined)) {
    return refuse(path, `a rule with at least one of ${CONDITIONS.join(', ')}`, value);
  }
  const effects = EFFECTS.filter((key) => given[key] !== undefined);
  if (effects.length !== 1) {
    const words = effects.length === 0 ? undefined : effects.join(' and ');
    return refuse(path, `a rule with exactly one of ${EFFECTS.join(', ')}`, words);
  }
  if (comesWithoutSize(given)) return Object.freeze({ ...given, least: given.least ?? threshold(LEAST_DEFAULT, path) });
  return given.least ? refuse(`${path}.least`, "left out but with plus or class = 'first'", effects[0]) : given;
});

export const rules: Check<readonly Rule[]> = list(rule);

/** Every rule of a policy: its own in their order, then its list `never`, which counts all the same. */
export function everyRule(policy: { readonly rules: readonly Rule[]; readonly never: readonly string[] }): Rule[] {
  return [...policy.rules, ...policy.never.map((comm): Rule => ({ comm, never: true }))];
}

/** The expressions of earlyoom's options of these names, each found anywhere in comm. */
export interface FlagExpressions {
  readonly ignore?: string | undefined;
  readonly avoid?: string | undefined;
  readonly prefer?: string | undefined;
}

/**
 * The rules that --ignore, --avoid and --prefer stand for: never, a quarter of the points, four times the points. A factor
 * scales size, so a preferred task of no size stays one of no size. Who is avoided and preferred is avoided.
 */
export function flagRules({ ignore, avoid, prefer }: FlagExpressions): RuleInput[] {
  const found: [expression: string | undefined, effect: RuleInput][] = [
    [ignore, { never: true }],
    [avoid, { times: '1/4' }],
    [prefer, { times: '4/1' }],
  ];
  return found.flatMap(([expression, effect]) => (expression ? [{ comm: `/${expression}/`, ...effect }] : []));
}
