/** Stage: measure. In: what is available and what there is. Out: the level that stands for, by thresholds as earlyoom's. */
import type { Level, Thresholds } from '../policy/levels.js';
import { boundOf } from '../policy/threshold.js';

const KIB = 1024;

/** How short memory is: nothing, time to warn, to ask a victim to go (SIGTERM), to kill it (SIGKILL). */
export type PressureLevel = 'none' | 'warn' | 'term' | 'kill';

/** Somebody has to go. */
export type ShortLevel = Extract<PressureLevel, 'term' | 'kill'>;

export function isShort(level: PressureLevel): level is ShortLevel {
  return level === 'term' || level === 'kill';
}

export const PRESSURE_LEVELS: readonly PressureLevel[] = ['none', 'warn', 'term', 'kill'];

/** Memory of a domain at one moment, in KiB: of the machine, or of a cgroup. */
export interface MemoryState {
  /** All there is: MemTotal, or the limit. */
  readonly totalKib: number;
  /** What can be had without a kill, at most totalKib; below 0 where a budget is overdrawn. */
  readonly availableKib: number;
  /** What `availableKib` is a percentage of, ≥ 1. */
  readonly basisKib: number;
  /** 0 when there is no swap. */
  readonly swapTotalKib: number;
  /** 0 … swapTotalKib. */
  readonly swapFreeKib: number;
}

/** Memory and swap of a domain in pages of so many bytes, which kernel schemes scale by. */
export function totalPagesOf({ totalKib, swapTotalKib }: MemoryState, pageSize: number): number {
  return Math.floor(((totalKib + swapTotalKib) * KIB) / pageSize);
}

/** Swap below this share of memory is as none: it is full before it helps, or free because nothing fits (nohang#105). */
export const TINY_SWAP_PERCENT = 1;

/** True when the free swap has a say in a decision. */
export function swapCounts(state: MemoryState): boolean {
  return state.swapTotalKib * 100 > state.totalKib * TINY_SWAP_PERCENT;
}

/** Available memory in percent of the basis, at most 100. */
export function availablePercent(state: MemoryState): number {
  return (state.availableKib * 100) / state.basisKib;
}

/** Free swap in percent, 0 … 100; null when there is none, or too little to count. */
export function swapFreePercent(state: MemoryState): number | null {
  return swapCounts(state) ? (state.swapFreeKib * 100) / state.swapTotalKib : null;
}

/** True when memory, and swap where it counts, have both fallen to the level. */
function reached(state: MemoryState, { available, swapFree }: Level): boolean {
  if (state.availableKib > boundOf(available, state.basisKib, KIB)) return false;
  return !swapCounts(state) || state.swapFreeKib <= boundOf(swapFree, state.swapTotalKib, KIB);
}

/** The highest level whose threshold is reached. */
export function levelOf(state: MemoryState, thresholds: Thresholds): PressureLevel {
  if (reached(state, thresholds.kill)) return 'kill';
  if (reached(state, thresholds.term)) return 'term';
  return reached(state, thresholds.warn) ? 'warn' : 'none';
}
