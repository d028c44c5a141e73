/**
 * Stage: table → points → selection → report. The current snapshot comes in, a typed ranking, explanation or decision
 * goes out. Every number is the engine's; nothing is computed again here.
 */
import * as L from '../assembly/layout.js';
import type { Engine } from './engine.js';
import type { RuleHit } from './policy/row-rules.js';
import { DEFAULT_SCHEME, type SchemeName, schemeNumber } from './schemes.js';
import { type Machine, type Task, taskAt } from './task.js';

/** By what points are given. RangeError for parameters out of range. */
export interface ScoreOptions {
  scheme?: SchemeName;
  /** Pages of what is short of memory; kernel schemes scale oom_score_adj by it. */
  totalPages?: number;
  /** What age and CPU together divide by at most in scheme `badness`, 1 … 2^31. Default 4. */
  maxDiscount?: number;
  /** Whom age favours in scheme `badness`. Default `spare-old`. */
  age?: 'spare-old' | 'spare-young' | 'ignore';
  /** What our own schemes do with oom_score_adj: heed only −1000 (default), or add it as the kernel does. */
  adj?: 'never-only' | 'kernel';
  /** Root of a subtree for scheme `family`. Default: families are sessions. */
  rootTgid?: number;
  /** Number of the domain whose members may be chosen, 0 … 31. Default 0, everybody. */
  domain?: number;
}

/** Why a task cannot be chosen, the first that applies. */
export type Ineligible =
  | 'protected'
  | 'self'
  | 'outside'
  | 'rule'
  | 'init'
  | 'kthread'
  | 'no mm'
  | 'adj -1000'
  | 'oom_adj -17'
  | 'dying'
  | 'vfork'
  | 'mems disjoint';

const REASONS: readonly [flag: number, reason: Ineligible][] = [
  [L.TASK_OUTSIDE, 'outside'],
  [L.TASK_INIT, 'init'],
  [L.TASK_KTHREAD, 'kthread'],
  [L.TASK_PROTECTED, 'protected'],
  [L.TASK_SELF, 'self'],
  [L.TASK_RULE_NEVER, 'rule'],
  [L.TASK_MEMDIE | L.TASK_EXITING, 'dying'],
  [L.TASK_NO_MM, 'no mm'],
  [L.TASK_ADJ_NEVER, 'adj -1000'],
  [L.TASK_OOM_DISABLE, 'oom_adj -17'],
  [L.TASK_VFORK, 'vfork'],
  [L.TASK_MEMS_DISJOINT, 'mems disjoint'],
];

/** A task of the table with its points and place. */
export interface RankedTask extends Required<Omit<Task, 'cgroup'>> {
  /** Row in the snapshot. */
  slot: number;
  /** 1 is the worst; null when ineligible. */
  rank: number | null;
  points: number | null;
  eligible: boolean;
  reason: Ineligible | null;
  /** What /proc/PID/oom_score of that era would print; null for schemes without one, 0 when ineligible. */
  oomScore: number | null;
  /** What would come back: rss, swap and page tables together, in pages. */
  chargePages: number;
  /** What the rules of a policy made of the points; left out where there are no rules. */
  rules?: readonly RuleHit[];
}

/** Whether there is somebody to kill, nobody, or the kernel of the scheme would wait for one that is dying. */
export type Outcome = 'victim' | 'no-victim' | 'in-flight';

/** Everybody in the table, by one scheme. */
export interface Ranking {
  scheme: SchemeName;
  outcome: Outcome;
  /** Who would go. Null when nobody is eligible, or the scheme's kernel would wait for one that is dying. */
  victim: RankedTask | null;
  /** Worst first. */
  ranked: RankedTask[];
  /** Number of eligible tasks, ranked or not. */
  eligible: number;
}

const AGES = ['spare-old', 'spare-young', 'ignore'] as const;
const ADJS = ['never-only', 'kernel'] as const;

function choice<T extends string>(name: string, value: T, values: readonly T[]): number {
  const index = values.indexOf(value);
  if (index < 0) throw new RangeError(`${name} must be one of ${values.join(', ')}, got ${JSON.stringify(value)}`);
  return index;
}

/** Writes the parameters of a scoring call to the window. Returns the number of the scheme. */
export function setParameters(engine: Engine, options: ScoreOptions): number {
  const { view, window: w } = engine;
  view.setFloat64(w + L.P_MAX_DISCOUNT, options.maxDiscount ?? 4, true);
  view.setUint32(w + L.P_AGE, choice('age', options.age ?? 'spare-old', AGES), true);
  view.setUint32(w + L.P_ADJ, choice('adj', options.adj ?? 'never-only', ADJS), true);
  view.setFloat64(w + L.P_TOTAL_PAGES, options.totalPages ?? 0, true);
  view.setUint32(w + L.P_ROOT, options.rootTgid ?? 0, true);
  view.setUint32(w + L.P_DOMAIN, options.domain ?? 0, true);
  return schemeNumber(options.scheme ?? DEFAULT_SCHEME);
}

/** Scores the current snapshot. Returns the number of eligible tasks. Throws RangeError for parameters out of range. */
export function scoreTasks(engine: Engine, options: ScoreOptions): number {
  const eligible = engine.abi.score(engine.window, setParameters(engine, options));
  if (eligible < 0) {
    throw new RangeError(
      `maxDiscount must be 1..2147483648, totalPages 0..2^53 and domain 0..31, got ${JSON.stringify(options)}`,
    );
  }
  return eligible;
}

/** The slot of the victim of the snapshot last scored with these options, or why there is none. */
export function selectTask(engine: Engine, options: ScoreOptions): { outcome: Outcome; slot: number } {
  const slot = engine.abi.select(engine.window, schemeNumber(options.scheme ?? DEFAULT_SCHEME));
  if (slot >= 0) return { outcome: 'victim', slot };
  return { outcome: slot === L.E_IN_FLIGHT ? 'in-flight' : 'no-victim', slot };
}

/** Why the task that the engine explained last is ineligible, or null when it is not. */
export function explainedReason(engine: Engine): Ineligible | null {
  const flags = engine.view.getUint32(engine.window + L.W_TERMS + L.TERM_INELIGIBLE, true);
  return REASONS.find(([flag]) => (flags & flag) !== 0)?.[1] ?? null;
}

/** The oom_score of the task that the engine explained last. */
export function explainedOomScore(engine: Engine, scheme: number, eligible: boolean): number | null {
  if (scheme < L.SCHEME_LINUX_2_6_36 || scheme > L.SCHEME_LINUX_5_9) return null;
  return eligible ? Number(engine.view.getBigInt64(engine.window + L.W_TERMS + L.TERM_OOM_SCORE, true)) : 0;
}

function rankedTask(engine: Engine, slot: number, scheme: number): RankedTask {
  const points = engine.f64(L.C_POINTS, slot);
  const eligible = !Number.isNaN(points);
  engine.abi.explain(engine.window, slot, scheme);
  return {
    slot,
    rank: null,
    points: eligible ? points : null,
    eligible,
    reason: eligible ? null : explainedReason(engine),
    oomScore: explainedOomScore(engine, scheme, eligible),
    chargePages: engine.f64(L.C_CHARGE, slot),
    ...taskAt(engine, slot),
  };
}

/** The rows of at most so many tasks with points, by the number of the scheme that they were last scored in; worst first. */
export function worstSlots(engine: Engine, scheme: number, most: number): number[] {
  const rows = engine.abi.rank(scheme, Math.min(most, engine.count));
  return Array.from({ length: rows }, (_, index) => engine.ordered(index));
}

/** The place of the task in `slot` in the order of the snapshot last scored, 1 the worst; null when ineligible. */
export function rankOf(engine: Engine, slot: number, scheme: SchemeName = DEFAULT_SCHEME): number | null {
  const index = worstSlots(engine, schemeNumber(scheme), engine.count).indexOf(slot);
  return index < 0 ? null : index + 1;
}

/**
 * The ranking of the snapshot last scored, by points that may have changed since. `rowOf` makes the task of a row.
 * @internal
 */
export function rankingOf(
  engine: Engine,
  { scheme = DEFAULT_SCHEME, limit = engine.count }: ScoreOptions & { limit?: number },
  eligible: number,
  rowOf: (engine: Engine, slot: number, scheme: SchemeName) => RankedTask,
): Ranking {
  const { outcome, slot } = selectTask(engine, { scheme });
  const slots = worstSlots(engine, schemeNumber(scheme), limit);
  const ranked = slots.map((at, index) => ({ ...rowOf(engine, at, scheme), rank: index + 1 }));
  const victim = slot < 0 ? null : (ranked.find((task) => task.slot === slot) ?? rowOf(engine, slot, scheme));
  return { scheme, outcome, victim, ranked, eligible };
}

/**
 * Ranks the current snapshot, worst first, and says who would be chosen. `limit` bounds the rows, not the choice.
 * Kills nobody. Throws RangeError for parameters out of range.
 */
export function rankTasks(engine: Engine, options: ScoreOptions & { limit?: number } = {}): Ranking {
  return rankingOf(engine, options, scoreTasks(engine, options), rankedAt);
}

/** The task in a row of the snapshot last scored in `scheme`, with its points. Its rank is not known: null. */
export function rankedAt(engine: Engine, slot: number, scheme: SchemeName): RankedTask {
  return rankedTask(engine, slot, schemeNumber(scheme));
}

/** The tasks of the snapshot last ranked that cannot be chosen, each with the reason. In slot order. */
export function ineligibleTasks(engine: Engine, scheme: SchemeName = DEFAULT_SCHEME): RankedTask[] {
  const number = schemeNumber(scheme);
  const tasks: RankedTask[] = [];
  for (let slot = 0; slot < engine.count; ++slot) {
    if (Number.isNaN(engine.f64(L.C_POINTS, slot))) tasks.push(rankedTask(engine, slot, number));
  }
  return tasks;
}

/** Options that follow from the machine a snapshot was taken on. */
export function machineOptions(machine: Machine): ScoreOptions {
  return { totalPages: machine.totalPages };
}
