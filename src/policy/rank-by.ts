/**
 * Stage: points → selection → report. A ranking by more than a scheme: the points of a plug-in come in the place of the scheme's, then the
 * rules of a policy change them. For rows that were all read in full.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { PluginReport, PointsSource } from '../plugin/points-source.js';
import {
  type RankedTask,
  type Ranking,
  rankedAt,
  type ScoreOptions,
  scoreTasks,
  selectTask,
  worstSlots,
} from '../rank.js';
import { DEFAULT_SCHEME, type SchemeName, schemeNumber } from '../schemes.js';
import { type RowRules, selectByRules } from './row-rules.js';
import { plainPoints } from './rule-verdict.js';

/** What changes the points of a scheme. */
export interface RankedBy {
  readonly rules?: RowRules | null | undefined;
  readonly plugin?: PointsSource | null | undefined;
}

export interface RankingBy {
  readonly ranking: Ranking;
  /** Whether the points are the plug-in's; null without one. */
  readonly plugin: PluginReport | null;
}

/** Of so many of the worst it is found out what rules with conditions on files make of them. */
const SETTLED_MOST = 64;

/**
 * As rankTasks, by the points of a plug-in and by rules. Rules with conditions on files are known of the first 64; points behind them are
 * the most that they can be. Throws RangeError for parameters out of range, and what a function in this thread throws.
 */
export function rankBy(
  engine: Engine,
  { limit = engine.count, ...options }: ScoreOptions & { limit?: number },
  { rules, plugin: source }: RankedBy,
): RankingBy {
  const scheme = options.scheme ?? DEFAULT_SCHEME;
  let plugin: PluginReport | null = null;
  const scored = () => {
    plugin = source?.score(engine, options.totalPages ?? 0) ?? null;
  };
  if (rules) selectByRules(engine, options, rules, scored);
  else {
    scoreTasks(engine, options);
    scored();
  }
  if (rules) settleWorst(engine, rules, scheme);
  const { outcome, slot } = selectTask(engine, options);
  const ranked = worstSlots(engine, schemeNumber(scheme), limit).map((at, index) =>
    Object.assign(rowBy(engine, at, scheme, rules), { rank: index + 1 }),
  );
  const victim = slot < 0 ? null : (ranked.find((task) => task.slot === slot) ?? rowBy(engine, slot, scheme, rules));
  return { ranking: { scheme, outcome, victim, ranked, eligible: eligibleIn(engine) }, plugin };
}

/** Whoever is looked at for a rule may have another place then: until nobody among the worst has. */
function settleWorst(engine: Engine, rules: RowRules, scheme: SchemeName): void {
  let settled = 1;
  while (settled > 0)
    settled = worstSlots(engine, schemeNumber(scheme), SETTLED_MOST).filter((slot) => rules.settle(slot)).length;
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
