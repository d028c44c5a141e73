/** Stage: report. Who had how much when memory ran out, as a bar plot: one SVG, no script, colours from the page's style. */
import type { RankedTask } from '../index.js';
import { cut } from './names.js';
import { memory } from './quantities.js';

const WIDTH = 760;
const LABEL = 200;
const VALUE = 90;
const ROW = 24;
const BAR = 16;
const TEXT_UP = 4;

export interface Bar {
  /** Safe to print, not yet escaped. */
  label: string;
  marked: boolean;
  task: RankedTask;
}

/** Text as a page may hold it. */
export function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

function parts({ task }: Bar, pageSize: number): [name: string, bytes: number][] {
  return [
    ['rss', task.rssPages * pageSize],
    ['swap', task.swapPages * pageSize],
    ['tables', task.pgtablesBytes],
  ];
}

function barSvg(bar: Bar, index: number, scale: number, pageSize: number): string {
  const y = index * ROW;
  let x = LABEL;
  const all = parts(bar, pageSize);
  const rects = all.map(([name, bytes]) => {
    const width = bytes * scale;
    const rect = `<rect class="${name}" x="${x.toFixed(1)}" y="${y + (ROW - BAR) / 2}" width="${width.toFixed(1)}" height="${BAR}"/>`;
    x += width;
    return rect;
  });
  const sum = all.reduce((bytes, [, part]) => bytes + part, 0);
  const baseline = y + ROW / 2 + TEXT_UP;
  const label = `<text class="${bar.marked ? 'victim' : 'task'}" x="${LABEL - 8}" y="${baseline}" text-anchor="end">${escaped(cut(bar.label, 28))}</text>`;
  return `${label}${rects.join('')}<text x="${(x + 6).toFixed(1)}" y="${baseline}">${memory(sum)}</text>`;
}

/** The plot of the tasks, or nothing when there are none. */
export function plotSvg(bars: Bar[], pageSize: number): string {
  const sums = bars.map((bar) => parts(bar, pageSize).reduce((sum, [, bytes]) => sum + bytes, 0));
  const most = Math.max(0, ...sums);
  if (most === 0) return '';
  const scale = (WIDTH - LABEL - VALUE) / most;
  const rows = bars.map((bar, index) => barSvg(bar, index, scale, pageSize));
  const title = 'Memory of each task: resident, swapped, page tables';
  return `<svg viewBox="0 0 ${WIDTH} ${bars.length * ROW}" role="img" aria-label="${title}"><title>${title}</title>${rows.join('')}</svg>`;
}
