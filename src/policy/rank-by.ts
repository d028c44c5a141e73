/**
 * Stage: points → selection → report. A ranking by more than a scheme: the points of a plug-in come in the place of the scheme's, then the
 * rules of a policy change them. For rows that were all read in full.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { PluginReport, PointsSource } from '../plugin/points-source.js';
import {
  type Outcome,
  type RankedTask,
  type Ranking,
  rankedAt,
  rankingOf,
  type ScoreOptions,
  scoreTasks,
  selectTask,
  worstSlots,
} from '../rank.js';
import { DEFAULT_SCHEME, type SchemeName, schemeNumber } from '../schemes.js';
import type { RowRules } from './row-rules.js';
import { plainPoints } from './rule-verdict.js';

/** What changes the points of a scheme. */
export interface RankedBy {
  readonly rules?: RowRules | null | undefined;
  readonly plugin?: PointsSource | null | undefined;
}

/** A ranking by a policy. */
export interface RankingBy {
  readonly ranking: Ranking;
  /** Whether the points are the plug-in's; null without one. */
  readonly plugin: PluginReport | null;
}

/** Of so many of the worst it is found out what rules with conditions on files make of them. */
const SETTLED_MOST = 64;

/** Scores a new snapshot of rows that were all read in full. */
function scoreBy(engine: Engine, options: ScoreOptions, { rules, plugin }: RankedBy): PluginReport | null {
  rules?.begin(options);
  scoreTasks(engine, options);
  const report = plugin?.score(engine, options.totalPages ?? 0) ?? null;
  rules?.adjust();
  return report;
}

/** The plug-in of a choice: what came of asking it, and what it gave the task in a row. */
export interface AskedPlugin {
  readonly report: PluginReport;
  /** What the plug-in gave the task in that row; null where it gave nothing. */
  pointsOf(slot: number): number | null;
}

/** Whom a scheme, a plug-in and rules choose together. */
export interface SelectedBy {
  readonly outcome: Outcome;
  /** Row of the chosen task, below 0 without one. */
  readonly slot: number;
  /** Null without one. */
  readonly plugin: AskedPlugin | null;
}

/**
 * Scores and selects among the rows of a new snapshot that were all read in full, by the points of a plug-in and by rules. Throws as
 * rankBy does.
 */
export function selectBy(engine: Engine, options: ScoreOptions, by: RankedBy): SelectedBy {
  const { rules, plugin: source } = by;
  const report = scoreBy(engine, options, by);
  const plugin = source && report ? { report, pointsOf: (slot: number) => source.pointsOf(slot) } : null;
  for (;;) {
    const selected = selectTask(engine, options);
    if (selected.slot < 0 || !rules?.settle(selected.slot)) return { ...selected, plugin };
  }
}

/**
 * As rankTasks, by the points of a plug-in and by rules. Rules with conditions on files are known of the first 64; points behind them are
 * the most that they can be. Throws RangeError for parameters out of range, and what a function in this thread throws.
 */
export function rankBy(engine: Engine, options: ScoreOptions & { limit?: number }, by: RankedBy): RankingBy {
  const { rules } = by;
  const plugin = scoreBy(engine, options, by);
  if (rules) settleWorst(engine, rules, options.scheme ?? DEFAULT_SCHEME);
  const rowOf: typeof rowBy = (_, slot, scheme) => rowBy(engine, slot, scheme, rules);
  return { ranking: rankingOf(engine, options, eligibleIn(engine), rowOf), plugin };
}

/** Whoever is looked at for a rule may have another place then: until nobody among the worst has. */
function settleWorst(engine: Engine, rules: RowRules, scheme: SchemeName): void {
  for (;;) {
    const slots = worstSlots(engine, schemeNumber(scheme), SETTLED_MOST);
    const { slot } = selectTask(engine, { scheme });
    if (slot >= 0) slots.push(slot);
    if (slots.filter((at) => rules.settle(at)).length === 0) return;
  }
}

/** The task in a row of the snapshot that was ranked last, and what the rules did to it. Its rank is not known: null. */
export function rowBy(engine: Engine, slot: number, scheme: SchemeName, rules: RowRules | null = null): RankedTask {
  const task = rankedAt(engine, slot, scheme);
  if (task.points !== null) task.points = plainPoints(task.points).points;
  return rules ? Object.assign(task, { rules: rules.hitsOf(slot) }) : task;
}

function eligibleIn(engine: Engine): number {
  let eligible = 0;
  for (let slot = 0; slot < engine.count; ++slot) if (!Number.isNaN(engine.f64(L.C_POINTS, slot))) eligible += 1;
  return eligible;
}
