/** Stage: watch. Which sources of pressure a policy listens to besides memory itself, and how they speak together, as data. */
import { combineSources, type PressureSource } from '../pressure/pressure.js';
import type { StallLevels } from '../proc/psi.js';
import { type Check, check, integer, object, oneOf, orNull, refuse } from './checks.js';

/** Percent of wall time in which tasks stood still for memory, 0 … 100; a level that is null is never reached. */
export interface PsiRule {
  readonly kind: 'some' | 'full';
  readonly average: 'avg10' | 'avg60' | 'avg300';
  readonly warn: number | null;
  readonly term: number | null;
  readonly kill: number | null;
  /** A trigger in the kernel, where poll(2) can be had: fires at `stallMs` of any `windowMs` (500 … 10,000), and means `level`. */
  readonly trigger: PsiTriggerRule | null;
}

/** A stall in a window, ms, that wakes the guard and stands for a level. */
export interface PsiTriggerRule {
  readonly stallMs: number;
  readonly windowMs: number;
  readonly level: 'warn' | 'term' | 'kill';
}

/** Which sources make memory short beside the thresholds, and for how long. */
export interface PressureRule {
  /** `any` (default): the most urgent speaks. `all`: the level that every one has reached. */
  readonly mode: 'any' | 'all';
  /** How long a level must stand before it counts, ms, 0 … 600,000. Default 0. */
  readonly forMs: number;
  /** Null (the default): stalls are not asked. */
  readonly psi: PsiRule | null;
}

const percent: Check<number> = check({ type: 'number', minimum: 0, maximum: 100 }, (value, path) =>
  typeof value === 'number' && value >= 0 && value <= 100
    ? value
    : refuse(path, 'percent 0..100', value, typeof value === 'number'),
);

const triggerFields = object<PsiTriggerRule>({
  stallMs: [integer(1, 10_000)],
  windowMs: [integer(500, 10_000)],
  level: [oneOf(['warn', 'term', 'kill']), 'term'],
});
const trigger: Check<PsiTriggerRule> = check(triggerFields.form, (value, path) => {
  const rule = triggerFields(value, path);
  return rule.stallMs <= rule.windowMs
    ? rule
    : refuse(`${path}.stallMs`, `at most windowMs (${rule.windowMs})`, rule.stallMs);
});

const psi = object<PsiRule>({
  kind: [oneOf(['some', 'full']), 'some'],
  average: [oneOf(['avg10', 'avg60', 'avg300']), 'avg10'],
  warn: [orNull(percent), null],
  term: [orNull(percent), null],
  kill: [orNull(percent), null],
  trigger: [orNull(trigger), null],
});

export const pressureRule = object<PressureRule>({
  mode: [oneOf(['any', 'all']), 'any'],
  forMs: [integer(0, 600_000), 0],
  psi: [orNull(psi), null],
});

/** What its averages are held against. */
export function stallLevelsOf({ kind, average, trigger: _, ...levels }: PsiRule): StallLevels {
  return { kind, average, percent: Object.fromEntries(Object.entries(levels).filter(([, value]) => value !== null)) };
}

/** Memory and whatever else is asked, as a policy hears them. Memory alone, whose levels need not last, is heard as it is. */
export function policySource(
  memory: PressureSource,
  others: readonly PressureSource[],
  rule: PressureRule,
): PressureSource {
  return others.length > 0 || rule.forMs > 0 ? combineSources([memory, ...others], rule) : memory;
}
