/** Stage: report. OOM events for people, on a terminal or in a pipe. */
import type { OomEvent, Reranking } from '../report/index.js';
import type { Palette } from './colour.js';
import {
  choiceLines,
  type Fact,
  factsOf,
  RANKING_TITLES,
  rankingCells,
  shownTasks,
  timeWords,
} from './report-facts.js';
import { type Column, tableLines, wrapped } from './table.js';

const LABEL = 8;
const INDENT = '  ';

/** Titles that are words stand on the left, and VM gives way first where the terminal is narrow. */
const COLUMNS: Column[] = RANKING_TITLES.map((title) => {
  if (title === 'NAME') return { title, least: 8 };
  return title === 'VM' || title === 'UID' ? { title, right: true, dispensable: 1 } : { title, right: true };
});

function factLines(label: string, text: string, width: number): string[] {
  return wrapped(`${INDENT}${label.padEnd(LABEL)}${text}`, width, `${INDENT}${' '.repeat(LABEL)}`);
}

function rankingLines(event: OomEvent, reranking: Reranking, count: number, width: number, palette: Palette): string[] {
  const { ranking, page, chosenSlot } = reranking;
  const tasks = shownTasks(reranking, count);
  if (!ranking || tasks.length === 0) return [];
  const cells = tasks.map((task) => rankingCells(task, event, page.pageSize));
  const [heading, ...rows] = tableLines(COLUMNS, cells, width - INDENT.length);
  const lines = rows.map((row, index) => {
    return tasks[index]!.slot === chosenSlot ? palette.victim(`> ${row}`) : `${INDENT}${row}`;
  });
  const left = ranking.eligible - tasks.length;
  const more = left > 0 ? [`${INDENT}${left} more`] : [];
  return ['', palette.heading(`${INDENT}${heading}`), ...lines, ...more];
}

/** One event, with more facts of it. `count` bounds the rows of its table. */
export function eventLines(
  event: OomEvent,
  reranking: Reranking,
  number: number,
  { count, width, palette }: { count: number; width: number; palette: Palette },
  more: readonly Fact[] = [],
): string[] {
  const time = timeWords(event);
  const { firstLine, lastLine } = event;
  const place = firstLine === lastLine ? `line ${firstLine}` : `lines ${firstLine} to ${lastLine}`;
  const choices = choiceLines(reranking).flatMap((line) => wrapped(INDENT + line, width, INDENT + INDENT));
  return [
    palette.heading(`event ${number}, ${time === null ? place : `${time}, ${place}`}`),
    ...[...factsOf(event, reranking), ...more].flatMap(({ label, text }) => factLines(label, text, width)),
    ...rankingLines(event, reranking, count, width, palette),
    ...(choices.length > 0 ? ['', ...choices] : []),
    '',
  ];
}
