/** Stage: none (a terminal). Lines to the bytes that show them; only those that have changed are written again. */
import type { Palette } from './colour.js';
import { widthOf } from './names.js';
import type { Line } from './top-view.js';

const ESC = '\x1b[';
/** No cursor, and no wrapping: a line that a terminal draws wider than it is stays on its row. */
export const MODES = `${ESC}?25l${ESC}?7l`;
/** The other screen, empty. */
export const ENTER = `${ESC}?1049h${MODES}${ESC}H${ESC}2J`;
/** Cleared first, for terminals that have one screen only. */
export const LEAVE = `${ESC}0m${ESC}H${ESC}2J${ESC}?7h${ESC}?25h${ESC}?1049l`;

function painted({ text, styles }: Line, palette: Palette, columns: number): string {
  // The row of the cursor is one bar from edge to edge.
  const whole = styles.includes('selected') ? text + ' '.repeat(Math.max(0, columns - widthOf(text))) : text;
  return styles.reduce((shown, style) => palette[style](shown), whole);
}

/** What a terminal shows now. */
export class Screen {
  readonly #palette: Palette;
  #shown: string[] = [];

  constructor(palette: Palette) {
    this.#palette = palette;
  }

  /** The next lines are all written. */
  forget(): void {
    this.#shown = [];
  }

  /** The bytes that make a screen show these lines. */
  draw(lines: readonly Line[], columns: number): string {
    const next = lines.map((line) => painted(line, this.#palette, columns));
    let bytes = this.#shown.length === next.length ? '' : `${ESC}H${ESC}2J`;
    if (bytes !== '') this.forget();
    for (const [row, text] of next.entries()) {
      // Cleared before, not behind: behind the last column it would take the last character along.
      if (text !== this.#shown[row]) bytes += `${ESC}${row + 1};1H${ESC}2K${text}`;
    }
    this.#shown = next;
    return bytes;
  }
}
