/** Stage: watch. In: the text of pressure stall information. Out: its averages and totals, and the level that they stand for. */

import type { PressureLevel } from '../pressure/memory-state.js';
import { compareLevels } from '../pressure/pressure.js';

/** Some task was stalled, or all of them at once. */
export type PsiKind = 'some' | 'full';

/** One line: share of wall time stalled, in percent over the last 10, 60, 300 s, and microseconds since the start. */
export interface PsiLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly totalUs: number;
}

/** The two lines of a file of stalls (Documentation/accounting/psi.rst of Linux). */
export interface Psi {
  readonly some: PsiLine;
  readonly full: PsiLine;
}

const PSI_LINE = /^(some|full) avg10=(\d+\.\d\d) avg60=(\d+\.\d\d) avg300=(\d+\.\d\d) total=(\d+)$/;

/** `some avg10=0.00 avg60=0.12 avg300=0.05 total=123456` and a `full` line of the same form. Null when it is not that. */
export function parsePsi(text: string): Psi | null {
  const lines: Partial<Record<PsiKind, PsiLine>> = {};
  if (!text.endsWith('\n')) return null; // cut off: a number may lack its end
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, avg10, avg60, avg300, total] = PSI_LINE.exec(line) ?? [];
    if (total === undefined) return null;
    lines[kind as PsiKind] = {
      avg10: Number(avg10),
      avg60: Number(avg60),
      avg300: Number(avg300),
      totalUs: Number(total),
    };
  }
  return lines.some && lines.full ? { some: lines.some, full: lines.full } : null;
}

/** Which average is compared, and from how many percent of wall time each level stands. */
export interface StallLevels {
  readonly kind?: PsiKind;
  readonly average?: 'avg10' | 'avg60' | 'avg300';
  readonly percent: Partial<Record<Exclude<PressureLevel, 'none'>, number>>;
}

/** The average that is compared; `some` and `avg10` by default. */
export function stallOf(psi: Psi, { kind = 'some', average = 'avg10' }: Omit<StallLevels, 'percent'>): number {
  return psi[kind][average];
}

/** The level that stands by the averages; `least` stands anyway. */
export function stallLevel(psi: Psi, levels: StallLevels, least: PressureLevel = 'none'): PressureLevel {
  const value = stallOf(psi, levels);
  let level = least;
  for (const one of ['warn', 'term', 'kill'] as const) {
    const percent = levels.percent[one];
    if (percent !== undefined && value >= percent && compareLevels(one, level) > 0) level = one;
  }
  return level;
}
