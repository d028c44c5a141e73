/**
 * Stage: points → selection → report. A whole ranking as columns: for who shows ten thousand tasks and looks at thirty of
 * them, to whom an object a row would be most of the time.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import {
  explainedReason,
  type Ineligible,
  type Outcome,
  type ScoreOptions,
  scoreTasks,
  selectTask,
  worstSlots,
} from '../rank.js';
import { DEFAULT_SCHEME, type SchemeName, schemeNumber } from '../schemes.js';
import type { RowRules } from './row-rules.js';
import { plainPoints } from './rule-verdict.js';

/** Indexes of `points` and `chargePages` are slots: the order in which the tasks were put into the snapshot. */
export interface RankedColumns {
  scheme: SchemeName;
  outcome: Outcome;
  /** Slot of who would go; −1 when there is nobody. */
  victim: number;
  /** Slots of all who may be chosen, worst first. */
  order: Uint32Array<ArrayBuffer>;
  /** As rules left them, without their classes; NaN of who may not be chosen. */
  points: Float64Array<ArrayBuffer>;
  /** What would come back, in pages. */
  chargePages: Float64Array<ArrayBuffer>;
  /** Why the others may not be chosen, by slot. */
  reasons: ReadonlyMap<number, Ineligible>;
  /** Whom a rule put before, or after, everybody else, by slot. */
  classes: ReadonlyMap<number, 'first' | 'last'>;
}

function reasonsOf(engine: Engine, points: Float64Array, scheme: number): Map<number, Ineligible> {
  const reasons = new Map<number, Ineligible>();
  for (const [slot, value] of points.entries()) {
    if (!Number.isNaN(value)) continue;
    engine.abi.explain(engine.window, slot, scheme);
    // A rule of this round is known to the engine from the next one on.
    reasons.set(slot, explainedReason(engine) ?? 'rule');
  }
  return reasons;
}

function takeClassesOff(points: Float64Array): Map<number, 'first' | 'last'> {
  const classes = new Map<number, 'first' | 'last'>();
  for (const [slot, value] of points.entries()) {
    const plain = plainPoints(value);
    if (plain.class === null) continue;
    points[slot] = plain.points;
    classes.set(slot, plain.class);
  }
  return classes;
}

/**
 * Ranks everybody in the current snapshot, by `rules` too where there are some; what their conditions leave unknown counts in
 * favour of the task once `rules` may look at no more. Throws RangeError for parameters out of range.
 */
export function rankColumns(engine: Engine, options: ScoreOptions = {}, rules: RowRules | null = null): RankedColumns {
  const { scheme = DEFAULT_SCHEME } = options;
  const number = schemeNumber(scheme);
  rules?.begin(options);
  scoreTasks(engine, options);
  rules?.adjust();
  const { count, memory } = engine;
  for (let slot = 0; rules && slot < count; ++slot) rules.settle(slot);
  const { outcome, slot } = selectTask(engine, options);
  const order = Uint32Array.from(worstSlots(engine, number, count));
  const points = Float64Array.from(new Float64Array(memory.buffer, engine.cell(L.C_POINTS, 0, 8), count));
  const chargePages = Float64Array.from(new Float64Array(memory.buffer, engine.cell(L.C_CHARGE, 0, 8), count));
  const reasons = order.length < count ? reasonsOf(engine, points, number) : new Map();
  const classes = rules ? takeClassesOff(points) : new Map();
  return { scheme, outcome, victim: Math.max(slot, -1), order, points, chargePages, reasons, classes };
}
