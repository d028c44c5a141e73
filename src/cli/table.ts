/**
 * Stage: report. A table of text: numbers to the right, names to the left, no wider than the terminal. Where nobody
 * looks (a pipe) nothing is cut off.
 */
import { cut, widthOf } from './names.js';

export interface Column {
  title: string;
  /** Numbers are on the right. */
  right?: boolean;
  /** What gives way first when the table is too wide: the highest number. Columns without one always stay. */
  dispensable?: number;
  /** Least width that the column may be cut down to. Columns without one are never cut. */
  least?: number;
}

export interface Screen {
  /** Columns of the terminal; Infinity where nothing has to fit. */
  width: number;
  /** Lines of the terminal, or undefined where nobody scrolls. */
  height: number | undefined;
  isTerminal: boolean;
}

const GAP = 2;
const PROSE_WIDTH = 80;

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

/** What standard output is. COLUMNS and LINES, where set, are believed. */
export function screenOf(stream: { isTTY?: boolean; columns?: number; rows?: number }): Screen {
  const isTerminal = stream.isTTY === true;
  const { COLUMNS, LINES } = process.env;
  const width = positive(COLUMNS) ?? (isTerminal ? stream.columns || PROSE_WIDTH : Number.POSITIVE_INFINITY);
  const height = isTerminal ? (positive(LINES) ?? (stream.rows || undefined)) : undefined;
  return { width, height, isTerminal };
}

function total(widths: number[], shown: boolean[]): number {
  let sum = -GAP;
  for (const [index, width] of widths.entries()) if (shown[index]) sum += width + GAP;
  return sum;
}

/** Leaves out columns and cuts others until the table fits. */
function fit(columns: Column[], widths: number[], limit: number): boolean[] {
  const shown = columns.map(() => true);
  const shrink = () => {
    for (const [index, { least }] of columns.entries()) {
      const excess = total(widths, shown) - limit;
      if (excess > 0 && least !== undefined)
        widths[index] = Math.max(widths[index]! - excess, Math.min(least, widths[index]!));
    }
  };
  shrink();
  const order = columns.map((_, index) => index).filter((index) => columns[index]!.dispensable !== undefined);
  order.sort((a, b) => columns[b]!.dispensable! - columns[a]!.dispensable!);
  for (const index of order) {
    if (total(widths, shown) <= limit) break;
    shown[index] = false;
  }
  return shown;
}

/** Lays out a table: the heading, then one line a row, without blanks at their ends. */
export function tableLines(columns: Column[], rows: string[][], limit: number): string[] {
  const widths = columns.map(({ title }) => title.length);
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index]!, widthOf(cell));
  }
  const natural = widths.slice();
  const shown = fit(columns, widths, limit);
  // What was cut grows again into the room that columns left out have given.
  for (const [index, { least }] of columns.entries()) {
    const room = limit - total(widths, shown);
    if (shown[index] && least !== undefined && room > 0)
      widths[index] = Math.min(natural[index]!, widths[index]! + room);
  }
  const line = (cells: string[]) => {
    const parts: string[] = [];
    for (const [index, cell] of cells.entries()) {
      if (!shown[index]) continue;
      const text = cut(cell, widths[index]!);
      const blank = ' '.repeat(widths[index]! - widthOf(text));
      parts.push(columns[index]!.right ? blank + text : text + blank);
    }
    return parts.join(' '.repeat(GAP)).trimEnd();
  };
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

/** Breaks prose between words; lines after the first are indented. */
export function wrapped(text: string, limit: number, indent = '  '): string[] {
  const width = Math.min(Number.isFinite(limit) ? limit : PROSE_WIDTH, 120);
  const lines: string[] = [];
  const [blank] = /^ */.exec(text)!;
  let line = blank;
  for (const word of text.slice(blank.length).split(' ')) {
    const longer = line === blank ? blank + word : `${line} ${word}`;
    if (line.trim() !== '' && widthOf(longer) > width) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  lines.push(line);
  return lines;
}
