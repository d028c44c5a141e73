/** Stage: report. One frame of `badness top`: from what is known to the lines of a screen of that size. Pure. */
import type { RankedTask } from '../index.js';
import { type TaskColumn, usualColumns } from './columns.js';
import { cut, narrow, widthOf } from './names.js';
import { counted, duration } from './quantities.js';
import { STEP_INDENT } from './steps.js';
import { tableLines, wrapped } from './table.js';
import type { Choices } from './top-choices.js';
import type { Frame } from './top-frame.js';
import { memoryLine, pressureLines, swapLine } from './top-meters.js';

/** What is known of a guard, in words that may be anything. */
export interface GuardView {
  readonly words: string;
  /** Its last rounds, oldest first; null where no guard can be asked. */
  readonly decisions: readonly string[] | null;
}

/** The rows stand in the order in which they are shown; `victim` is a pid. */
export interface TopView extends Frame {
  readonly choices: Choices;
  /** `12:34:56` */
  readonly clock: string;
  /** Where the cursor stands in `rows`. */
  readonly at: number;
  readonly guard: GuardView;
  /** In the place of the table when that panel is open. */
  readonly explanation: readonly string[];
  /** What came of the last key; null for nothing. */
  readonly message: string | null;
  userName(uid: number): string;
}

export type LineStyle = 'heading' | 'victim' | 'faint' | 'selected';

export interface Line {
  /** No wider than the screen, without blanks at its end. */
  readonly text: string;
  readonly styles: readonly LineStyle[];
}

interface Section {
  readonly lines: readonly Line[];
  /** What gives way first when the screen is too low: the highest number. */
  readonly dispensable: number;
}

export const HELP_LINES: readonly string[] = [
  'up down k j     the cursor; PgUp, PgDn, Home, End',
  's S             next scheme, the one before',
  'o O             sort by: points, memory, age, cpu, pid, name',
  'e Enter         every step from what the task holds to its points',
  'p               protects the task, or ends that: asks the guard',
  'g               asks the guard whom it would choose, by its rules and its queue',
  'space           pause; r reads now',
  'h ?             this text; Esc or q goes back',
  'q Ctrl-C        ends; Ctrl-Z stops',
  '',
  '> is who would go. Sorted by anything but points everybody is read in full.',
  'The ranking is made here: the rules of a policy are not known to it.',
];

const KEYS = 'q quit  s scheme  o sort  p protect  e explain  g guard  space pause  h help';
/** Heading and rows of the table. */
const TABLE_LEAST = 4;
const DECISIONS_MOST = 3;
const MARK_CELLS = 3;

const plain = (text: string): Line => ({ text, styles: [] });
const styled = (text: string, ...styles: LineStyle[]): Line => ({ text, styles });

/** Left and right on one line; the left gives way. */
function apart(left: string, right: string, columns: number): string {
  const room = columns - widthOf(right) - 2;
  if (room < widthOf(left) / 2) return left;
  return `${cut(left, room).padEnd(room + 2)}${right}`;
}

function titleLine({ choices, machine, tasks, clock }: TopView, columns: number): Line {
  const left = `badness top: ${counted(tasks, 'task')}, up ${duration(machine.uptimeS)}`;
  const when = choices.paused ? 'paused' : clock;
  return styled(apart(left, `scheme ${choices.scheme}, by ${choices.sort}  ${when}`, columns), 'heading');
}

/** Rows that a screen of that height has no place for stand above those that are shown. */
function firstShown(at: number, places: number): number {
  return Math.max(0, at - Math.max(places, 1) + 1);
}

function cellsOf(task: RankedTask, columns: readonly TaskColumn[], view: TopView): string[] {
  return columns.map((column) => narrow(column.cell(task, view)));
}

function rowLine(text: string, task: RankedTask, isSelected: boolean, view: TopView): Line {
  const isVictim = task.tgid === view.victim && task.eligible;
  const marked = `${isVictim ? '>' : ' '}${isSelected ? '*' : ' '} ${text}`;
  const styles: LineStyle[] = isVictim ? ['victim'] : task.eligible ? [] : ['faint'];
  return styled(marked, ...styles, ...(isSelected ? (['selected'] as const) : []));
}

function tableSection(view: TopView, columns: number, height: number): Line[] {
  const first = firstShown(view.at, height - 1);
  const rows = view.rows.slice(first, first + Math.max(height - 1, 0));
  const named = usualColumns(view.rows.some(({ eligible }) => !eligible));
  const cells = rows.map((task) => cellsOf(task, named, view));
  const [heading, ...lines] = tableLines(named, cells, columns - MARK_CELLS);
  const table = lines.map((text, index) => rowLine(text, rows[index]!, first + index === view.at, view));
  const more = view.cut ? [styled('   … and others with fewer points, about equal', 'faint')] : [];
  return [styled(`   ${heading}`, 'heading'), ...table, ...more];
}

/** What stands in the place of the table, or null for the table. */
function panelLines(view: TopView, columns: number): Line[] | null {
  switch (view.choices.panel) {
    case 'help':
      return HELP_LINES.map(plain);
    case 'explain':
      return view.explanation.flatMap((line) => wrapped(narrow(line), columns, STEP_INDENT)).map(plain);
    case 'tasks':
      return null;
  }
}

function headSections(view: TopView, columns: number): Section[] {
  const { meters, guard } = view;
  return [
    { lines: [titleLine(view, columns)], dispensable: 2 },
    { lines: [plain(memoryLine(meters.memory, columns))], dispensable: 3 },
    { lines: [plain(swapLine(meters.memory, columns))], dispensable: 5 },
    { lines: pressureLines(meters.pressure, columns).map(plain), dispensable: 6 },
    { lines: [plain(`guard ${guard.words}`)], dispensable: 4 },
    { lines: [plain('')], dispensable: 8 },
  ];
}

function footSections(view: TopView, columns: number): Section[] {
  const { decisions } = view.guard;
  const last = decisions?.slice(-DECISIONS_MOST).map((line) => plain(`  ${line}`)) ?? [];
  const told = last.length > 0 ? last : [plain('  none yet')];
  return [
    { lines: wrapped(narrow(view.victimWords), columns).slice(0, 2).map(plain), dispensable: 1 },
    { lines: decisions ? [styled('last decisions of the guard', 'heading'), ...told] : [], dispensable: 7 },
    { lines: [view.message === null ? styled(KEYS, 'faint') : plain(view.message)], dispensable: 2 },
  ];
}

function heightOf(sections: readonly Section[]): number {
  return sections.reduce((sum, { lines }) => sum + lines.length, 0);
}

/** Leaves out sections until so many lines have a place. */
function fitting(sections: readonly Section[], rows: number, least: number): Section[] {
  const kept = [...sections];
  while (kept.length > 0 && heightOf(kept) + least > rows) {
    const most = Math.max(...kept.map(({ dispensable }) => dispensable));
    kept.splice(
      kept.findLastIndex(({ dispensable }) => dispensable === most),
      1,
    );
  }
  return kept;
}

/** Exactly `rows` lines, none wider than `columns`. */
export function topLines(view: TopView, columns: number, rows: number): Line[] {
  const panel = panelLines(view, columns);
  const head = headSections(view, columns);
  const kept = new Set(fitting([...head, ...footSections(view, columns)], rows, panel?.length ?? TABLE_LEAST));
  const above = head.filter((section) => kept.has(section)).flatMap(({ lines }) => lines);
  const below = [...kept].filter((section) => !head.includes(section)).flatMap(({ lines }) => lines);
  const height = rows - above.length - below.length;
  const main = (panel ?? tableSection(view, columns, height)).slice(0, height);
  while (main.length < height) main.push(plain(''));
  // Whatever a line was made of: nothing that moves a cursor gets past this.
  return [...above, ...main, ...below].map(({ text, styles }) => ({
    text: cut(narrow(text), columns).trimEnd(),
    styles,
  }));
}
