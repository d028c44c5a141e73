/** Stage: report. Memory, swap and pressure as lines with a bar. */
import type { MemoryState } from '../guard/index.js';
import type { Psi, PsiKind } from '../linux/index.js';
import { narrow, printable } from './names.js';
import { memory } from './quantities.js';

/** What was read, or why it could not be, in words. */
export interface Meters {
  readonly memory: MemoryState | string;
  readonly pressure: Psi | string;
}

const LABEL_CELLS = 6;
/** Words beside the bars take at most so much; what is left of the line is theirs. */
const WORDS_CELLS = 50;
const BAR_LEAST = 10;
const BAR_MOST = 40;
const KIB = 1024;

/** `[####----]`, or nothing where the line is too short for it. `percent` may be anything. */
export function bar(percent: number, columns: number): string {
  const cells = Math.min(columns - LABEL_CELLS - WORDS_CELLS, BAR_MOST);
  if (cells < BAR_LEAST) return '';
  const inside = cells - 3;
  // What is not nothing is shown, and only what is full is full.
  const share = Math.max(0, Math.min(percent / 100, 1)) * inside;
  const filled = share < 1 ? Math.ceil(share) : Math.floor(share);
  return `[${'#'.repeat(filled)}${'-'.repeat(inside - filled)}] `;
}

function meter(label: string, percent: number | null, words: string, columns: number): string {
  return `${label.padEnd(LABEL_CELLS)}${percent === null ? '' : bar(percent, columns)}${narrow(printable(words))}`;
}

/** The bar is what is used; the percentage is the one that a guard's thresholds are held against. */
export function memoryLine(state: MemoryState | string, columns: number): string {
  if (typeof state === 'string') return meter('mem', null, `cannot be read: ${state}`, columns);
  const { totalKib, availableKib, basisKib } = state;
  const percent = (100 * availableKib) / basisKib;
  const words = `${percent.toFixed(1)} % available, ${memory(availableKib * KIB)} of ${memory(totalKib * KIB)}`;
  return meter('mem', 100 - percent, words, columns);
}

export function swapLine(state: MemoryState | string, columns: number): string {
  if (typeof state === 'string') return meter('swap', null, 'cannot be read', columns);
  const { swapTotalKib, swapFreeKib } = state;
  if (swapTotalKib === 0) return meter('swap', null, 'none', columns);
  const percent = (100 * swapFreeKib) / swapTotalKib;
  const words = `${percent.toFixed(1)} % free, ${memory(swapFreeKib * KIB)} of ${memory(swapTotalKib * KIB)}`;
  return meter('swap', 100 - percent, words, columns);
}

function stallLine(psi: Psi, kind: PsiKind, columns: number): string {
  const { avg10, avg60, avg300 } = psi[kind];
  return meter(
    kind,
    avg10,
    `${avg10.toFixed(2)} % of 10 s, ${avg60.toFixed(2)} of 60 s, ${avg300.toFixed(2)} of 300 s`,
    columns,
  );
}

export function pressureLines(psi: Psi | string, columns: number): string[] {
  if (typeof psi === 'string') return [meter('psi', null, `cannot be read: ${psi}`, columns)];
  return [stallLine(psi, 'some', columns), stallLine(psi, 'full', columns)];
}
