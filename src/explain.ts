/** Stage: selection → report. The terms of one task's points, as the engine's scalar form wrote them. */
import * as L from '../assembly/layout.js';
import type { Engine } from './engine.js';
import { explainedOomScore, explainedReason, type Ineligible, type ScoreOptions, scoreTasks } from './rank.js';
import { DEFAULT_SCHEME, type SchemeName, schemeNumber } from './schemes.js';

/** Every step between what a task holds and its points. Divisors of 0 do not divide. */
export interface Terms {
  scheme: SchemeName;
  eligible: boolean;
  reason: Ineligible | null;
  /** Pages the scheme starts from. */
  base: number;
  /** Pages added for children or for the rest of the family. */
  children: number;
  /** CPU time in units of 2^(SHIFT_HZ+3) jiffies, some eight to ten seconds. */
  cpuUnits: number;
  cpuDiv: number;
  /** Run time in units of 1,024 s. */
  runUnits: number;
  runDiv: number;
  /** What CPU and run time divide by together, after its limit. */
  discount: number;
  niceTimes: number;
  rootDiv: number;
  rawioDiv: number;
  disjointDiv: number;
  /** Taken off for root by kernels 2.6.36 … 4.16, in pages or thousandths. */
  rootBonus: number;
  /** Added for oom_score_adj, in pages or thousandths. */
  adjPages: number;
  /** Shift for oom_adj; positive to the left. */
  oomAdj: number;
  /** A number, exact up to 2^53; null when ineligible. */
  points: number | null;
  /** What /proc/PID/oom_score of that era would print; null for schemes without one, 0 when ineligible. */
  oomScore: number | null;
}

const CELLS: readonly [key: keyof Terms, offset: number][] = [
  ['base', L.TERM_BASE],
  ['children', L.TERM_CHILDREN],
  ['cpuUnits', L.TERM_CPU_UNITS],
  ['cpuDiv', L.TERM_CPU_DIV],
  ['runUnits', L.TERM_RUN_UNITS],
  ['runDiv', L.TERM_RUN_DIV],
  ['discount', L.TERM_DISCOUNT],
  ['niceTimes', L.TERM_NICE_TIMES],
  ['rootDiv', L.TERM_ROOT_DIV],
  ['rawioDiv', L.TERM_RAWIO_DIV],
  ['disjointDiv', L.TERM_DISJOINT_DIV],
  ['rootBonus', L.TERM_ROOT_BONUS],
  ['adjPages', L.TERM_ADJ_PAGES],
  ['oomAdj', L.TERM_OOM_ADJ],
];

/**
 * Every term of the points of the task in `slot` of the current snapshot. Scores the snapshot in that scheme first, so
 * that children and family are counted. Throws RangeError for a slot or parameters out of range.
 */
export function explainTask(engine: Engine, slot: number, options: ScoreOptions = {}): Terms {
  const scheme = options.scheme ?? DEFAULT_SCHEME;
  scoreTasks(engine, options);
  if (engine.abi.explain(engine.window, slot, schemeNumber(scheme)) < 0) {
    throw new RangeError(`slot must be 0..${engine.count - 1}, got ${slot}`);
  }
  const at = engine.window + L.W_TERMS;
  const terms: Record<string, unknown> = { scheme };
  for (const [key, offset] of CELLS) terms[key] = Number(engine.view.getBigInt64(at + offset, true));
  const eligible = engine.view.getUint32(at + L.TERM_INELIGIBLE, true) === 0;
  terms.eligible = eligible;
  terms.reason = eligible ? null : explainedReason(engine);
  terms.points = eligible ? engine.f64(L.C_POINTS, slot) : null;
  terms.oomScore = explainedOomScore(engine, schemeNumber(scheme), eligible);
  return terms as unknown as Terms;
}
