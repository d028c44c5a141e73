/** Stage: measure. In: what is available and what there is. Out: the level that stands for, by thresholds as earlyoom's. */

/** How short memory is: nothing, time to warn, to ask a victim to go (SIGTERM), to kill it (SIGKILL). */
export type PressureLevel = 'none' | 'warn' | 'term' | 'kill';

export const PRESSURE_LEVELS: readonly PressureLevel[] = ['none', 'warn', 'term', 'kill'];

/** Memory of a domain at one moment, in KiB: of the machine, or of a cgroup. */
export interface MemoryState {
  /** All there is: MemTotal, or the limit. */
  readonly totalKib: number;
  /** What can be had without a kill, 0 … totalKib. */
  readonly availableKib: number;
  /** What `availableKib` is a percentage of, ≥ 1. */
  readonly basisKib: number;
  /** 0 when there is no swap. */
  readonly swapTotalKib: number;
  /** 0 … swapTotalKib. */
  readonly swapFreeKib: number;
}

/** A bound: percent (0 … 100), KiB, or both, and then the lower one counts (as `-m` beside `-M` of earlyoom). Absent: no bound. */
export interface Bound {
  readonly percent?: number;
  readonly kib?: number;
}

/** When a level is reached: at or below both bounds. Without `swapFree`, or without swap worth the name, memory alone decides. */
export interface Threshold {
  readonly available: Bound;
  readonly swapFree?: Bound;
}

export interface Thresholds {
  readonly warn: Threshold | null;
  readonly term: Threshold;
  readonly kill: Threshold;
}

/** Warn at 15 % available; SIGTERM at 10 % and 10 % of swap, SIGKILL at 5 % and 5 %. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  warn: { available: { percent: 15 } },
  term: { available: { percent: 10 }, swapFree: { percent: 10 } },
  kill: { available: { percent: 5 }, swapFree: { percent: 5 } },
};

/** Swap below this share of memory is as none: it is full before it helps, or free because nothing fits (nohang#105). */
export const TINY_SWAP_PERCENT = 1;

/** True when the free swap has a say in a decision. */
export function swapCounts(state: MemoryState): boolean {
  return state.swapTotalKib * 100 > state.totalKib * TINY_SWAP_PERCENT;
}

/** Available memory in percent of the basis, 0 … 100. */
export function availablePercent(state: MemoryState): number {
  return (state.availableKib * 100) / state.basisKib;
}

/** Free swap in percent, 0 … 100; null when there is none, or too little to count. */
export function swapFreePercent(state: MemoryState): number | null {
  return swapCounts(state) ? (state.swapFreeKib * 100) / state.swapTotalKib : null;
}

/** A bound in KiB; Infinity when it bounds nothing. */
export function boundKib(bound: Bound, ofKib: number): number {
  const byPercent = bound.percent === undefined ? Number.POSITIVE_INFINITY : (ofKib * bound.percent) / 100;
  return Math.min(byPercent, bound.kib ?? Number.POSITIVE_INFINITY);
}

function reached(state: MemoryState, threshold: Threshold | null): boolean {
  if (threshold === null || state.availableKib > boundKib(threshold.available, state.basisKib)) return false;
  if (threshold.swapFree === undefined || !swapCounts(state)) return true;
  return state.swapFreeKib <= boundKib(threshold.swapFree, state.swapTotalKib);
}

/** The highest level whose threshold is reached. */
export function levelOf(state: MemoryState, thresholds: Thresholds): PressureLevel {
  if (reached(state, thresholds.kill)) return 'kill';
  if (reached(state, thresholds.term)) return 'term';
  return reached(state, thresholds.warn) ? 'warn' : 'none';
}

/** Refuses what cannot be meant. @throws RangeError by name and value; TypeError when a threshold bounds nothing. */
export function checkThresholds(thresholds: Thresholds): Thresholds {
  for (const level of ['warn', 'term', 'kill'] as const) {
    const threshold = thresholds[level];
    if (threshold === null) continue;
    checkBound(`${level}.available`, threshold.available);
    if (threshold.swapFree) checkBound(`${level}.swapFree`, threshold.swapFree);
  }
  return thresholds;
}

function checkBound(name: string, { percent, kib }: Bound): void {
  if (percent === undefined && kib === undefined) throw new TypeError(`${name} needs percent or kib`);
  if (percent !== undefined && !(percent >= 0 && percent <= 100)) {
    throw new RangeError(`${name}.percent must be 0..100, got ${percent}`);
  }
  if (kib !== undefined && !(kib >= 0 && Number.isSafeInteger(kib))) {
    throw new RangeError(`${name}.kib must be a whole number from 0, got ${kib}`);
  }
}
