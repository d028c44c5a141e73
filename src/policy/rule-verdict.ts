/**
 * Stage: points → selection. What the rules that match a task make of its points. Of each kind of effect the first rule
 * that matches counts; `never` always does. As long as it is not known whether one matches there are two verdicts: the
 * most that can come out, which bounds the points, and the least, which is in favour of the task.
 */
import { POINTS_MAX } from '../../assembly/layout.js';
import type { CompiledRule } from './compiled-rule.js';
import type { Ratio, Rule } from './rule.js';
import { showSize } from './threshold.js';

/** For each rule whether it matches; undefined where that is not known. */
export type Answers = readonly (boolean | undefined)[];

export interface Verdict {
  /** The rules that count, if any. */
  readonly never: CompiledRule | null;
  readonly times: CompiledRule | null;
  readonly offset: CompiledRule | null;
  readonly order: CompiledRule | null;
  /** Whether it hangs on what is not known. */
  readonly isOpen: boolean;
}

const ORDERS = { first: 1, last: -1 } as const;

const UNCHANGED: Ratio = { times: 1, over: 1 };

export function ratioBy(compiled: CompiledRule | null): Ratio {
  return compiled?.ratio ?? UNCHANGED;
}

/** Bytes that a rule adds; below 0 it takes them off. */
export function bytesBy(compiled: CompiledRule | null): number {
  return (compiled?.rule.plus ?? 0) - (compiled?.rule.minus ?? 0);
}

/** 1 before all others, −1 after them. */
export function orderBy(compiled: CompiledRule | null): number {
  const order = compiled?.rule.class;
  return order === undefined ? 0 : ORDERS[order];
}

function quotientBy(compiled: CompiledRule | null): number {
  const { times, over } = ratioBy(compiled);
  return times / over;
}

/** The rules one of which counts, null standing for none: those that may match, up to the first that does. */
function candidates(rules: readonly CompiledRule[], answers: Answers, has: (rule: Rule) => boolean) {
  const found: (CompiledRule | null)[] = [];
  for (const [index, compiled] of rules.entries()) {
    if (answers[index] === false || !has(compiled.rule)) continue;
    found.push(compiled);
    if (answers[index]) return found;
  }
  return [...found, null];
}

function most(found: readonly (CompiledRule | null)[], worth: (rule: CompiledRule | null) => number) {
  return found.reduce((best, one) => (worth(one) > worth(best) ? one : best));
}

/** The most that can come out, or with `sparing` the least. */
export function verdictOf(rules: readonly CompiledRule[], answers: Answers, sparing: boolean): Verdict {
  const never = candidates(rules, answers, (rule) => rule.never === true);
  const times = candidates(rules, answers, (rule) => rule.times !== undefined);
  const offset = candidates(rules, answers, (rule) => rule.plus !== undefined || rule.minus !== undefined);
  const order = candidates(rules, answers, (rule) => rule.class !== undefined);
  const sign = sparing ? -1 : 1;
  // The last of them is one that matches for certain, or none.
  const isNever = never.at(-1) !== null;
  return {
    never: never.at(sparing ? 0 : -1)!,
    times: most(times, (one) => sign * quotientBy(one)),
    offset: most(offset, (one) => sign * bytesBy(one)),
    order: most(order, (one) => sign * orderBy(one)),
    isOpen: !isNever && [never, times, offset, order].some((found) => found.length > 1),
  };
}

/**
 * Points times a ratio, rounded down, exactly. Who had points keeps one at least: only `never` excludes. Points of 0 or
 * below, which kernel schemes give for oom_score_adj, are left alone.
 */
export function scaledPoints(points: number, { times, over }: Ratio): number {
  if (!(points > 0)) return points;
  const product = points * times;
  const scaled = Number.isSafeInteger(product)
    ? Math.floor(product / over)
    : Number((BigInt(points) * BigInt(times)) / BigInt(over));
  return Math.min(Math.max(scaled, 1), POINTS_MAX);
}

/** Points and an offset. Who had points keeps one at least. */
export function shiftedPoints(points: number, offset: number): number {
  if (offset >= 0) return Math.min(points + offset, POINTS_MAX);
  return points > 0 ? Math.max(points + offset, 1) : points;
}

/** Far above and far below all points: multiplying by a power of two is exact and keeps order and ties. */
const CLASS_FACTOR = 2 ** 200;

/** Points as a column holds them, so that whoever is of a class comes before or after everybody else. */
export function orderedPoints(points: number, order: number): number {
  if (order === 0 || points === 0) return points;
  return order > 0 === points > 0 ? points * CLASS_FACTOR : points / CLASS_FACTOR;
}

/** What orderedPoints was made of, where there were points at all. */
export function plainPoints(ordered: number): { points: number; class: 'first' | 'last' | null } {
  if (ordered > POINTS_MAX) return { points: ordered / CLASS_FACTOR, class: 'first' };
  if (ordered > 0 && ordered < 1) return { points: ordered * CLASS_FACTOR, class: 'last' };
  return { points: ordered, class: null };
}

/** What a rule does, in words: `times 3/2`, `plus 200MiB`, `class first`, `never`. */
export function effectWords({ never, times, plus, minus, class: order }: Rule): string {
  if (never) return 'never';
  if (times !== undefined) return `times ${times}`;
  if (plus !== undefined) return `plus ${showSize(plus)}`;
  return minus === undefined ? `class ${order}` : `minus ${showSize(minus)}`;
}
