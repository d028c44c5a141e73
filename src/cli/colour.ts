/** Stage: report. Colour for people: only on a terminal, never when NO_COLOR is set or --no-color given. */

export type Paint = (text: string) => string;

export interface Palette {
  /** The next victim. */
  victim: Paint;
  heading: Paint;
  faint: Paint;
  /** Where the cursor of a list stands. */
  selected: Paint;
}

const plain: Paint = (text) => text;

function sgr(codes: string): Paint {
  return (text) => `\x1b[${codes}m${text}\x1b[0m`;
}

/** The colours to use. An empty NO_COLOR counts as not set (no-color.org). */
export function paletteFor(isTerminal: boolean, refused: boolean): Palette {
  const { NO_COLOR, TERM } = process.env;
  if (!isTerminal || refused || NO_COLOR || TERM === 'dumb') {
    return { victim: plain, heading: plain, faint: plain, selected: plain };
  }
  return { victim: sgr('1;31'), heading: sgr('1'), faint: sgr('2'), selected: sgr('7') };
}
