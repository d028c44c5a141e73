/** Stage: report. How far something long has come, in one line that is written over itself on a terminal. Where nobody looks, nothing. */
import { duration, grouped } from './quantities.js';

const BAR = 24;
const CLEAR = '\r\x1b[K';

export interface ProgressState {
  readonly done: number;
  readonly total: number;
  /** Null as long as nothing says so. */
  readonly leftMs: number | null;
  /** What else there is to be said. */
  readonly words?: string;
}

/** `[######..................] 25 of 100, 3 changes, 2 min left`. */
export function progressLine({ done, total, leftMs, words }: ProgressState): string {
  const full = total === 0 ? BAR : Math.floor((done / total) * BAR);
  const left = leftMs === null || done === total ? [] : [`${duration(Math.ceil(leftMs / 1000))} left`];
  const facts = [`${grouped(done)} of ${grouped(total)}`, ...(words ? [words] : []), ...left];
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${facts.join(', ')}`;
}

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Progress {
  readonly #stream: Terminal;
  #shown = false;

  constructor(stream: Terminal = process.stderr) {
    this.#stream = stream;
  }

  show(state: ProgressState): void {
    if (!this.#stream.isTTY) return;
    this.#stream.write(CLEAR + progressLine(state).slice(0, (this.#stream.columns || 80) - 1));
    this.#shown = true;
  }

  /** Before anything else is written, and at the end. */
  clear(): void {
    if (this.#shown) this.#stream.write(CLEAR);
    this.#shown = false;
  }
}
