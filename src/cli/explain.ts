/** Stage: report. `badness explain PID`: every term of one task's points, each scheme on a line of its own. */
import {
  explainTask,
  ineligibleTasks,
  type Machine,
  type RankedTask,
  type Ranking,
  rankOf,
  type SchemeName,
  type Terms,
} from '../index.js';
import { snakeKeys } from '../linux/index.js';
import { type PluginReport, rowBy } from '../policy/index.js';
import { integer, readArguments, schemeNamed, usage } from './arguments.js';
import { paletteFor } from './colour.js';
import { CommandError, EXIT } from './exit.js';
import { commandHelp } from './help.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { cpuTime, duration, grouped, memory } from './quantities.js';
import { outputRecord, rankedBy, summaryRecord } from './rank.js';
import { hitLines, sparedLines } from './rule-words.js';
import { openSource, type Source } from './source.js';
import { STEP_INDENT, stepLines } from './steps.js';
import { type Column, screenOf, tableLines, wrapped } from './table.js';
import { userNames } from './users.js';
import { ageOf, kindOf, named, type Scoring, SHOWN_SCHEMES, spelledOut } from './words.js';

const PID_MAX = 4_294_967_295;
const NOTHING = '-';

/** A scheme's terms, and the place of the task among all. */
interface Explained extends Terms {
  rank: number | null;
}

interface TermColumn extends Column {
  cell(terms: Explained): string;
  /** The cell of a term that changes nothing; a column of only such cells is left out. */
  neutral?: string;
}

function number(title: string, key: keyof Terms, neutral: number): TermColumn {
  return { title, right: true, neutral: String(neutral), cell: (terms) => String(terms[key]) };
}

/** A divisor and the units it is the root of; 0 and 1 do not divide. */
function divisor(title: string, key: 'cpuDiv' | 'runDiv', units: 'cpuUnits' | 'runUnits'): TermColumn {
  const cell = (terms: Explained) => (terms[units] === 0 ? NOTHING : `${terms[key]} (${terms[units]})`);
  return { title, right: true, neutral: NOTHING, cell };
}

const SCHEME_COLUMN: TermColumn = { title: 'SCHEME', cell: ({ scheme }) => scheme };
const LAST_COLUMNS: TermColumn[] = [
  {
    title: 'POINTS',
    right: true,
    cell: ({ points, reason }) => (points === null ? (reason ?? NOTHING) : String(points)),
  },
  { title: 'RANK', right: true, cell: ({ rank }) => String(rank ?? NOTHING) },
];

const TERM_COLUMNS: TermColumn[] = [
  SCHEME_COLUMN,
  number('BASE', 'base', -1),
  number('CHILDREN', 'children', 0),
  divisor('÷CPU', 'cpuDiv', 'cpuUnits'),
  divisor('÷RUN', 'runDiv', 'runUnits'),
  number('DISC', 'discount', 1),
  number('×NICE', 'niceTimes', 1),
  number('÷ROOT', 'rootDiv', 1),
  number('÷RAW', 'rawioDiv', 1),
  number('÷MEMS', 'disjointDiv', 1),
  number('−ROOT', 'rootBonus', 0),
  number('+ADJ', 'adjPages', 0),
  number('<<ADJ', 'oomAdj', 0),
  ...LAST_COLUMNS,
];

/** What is added and taken off, as `+134217728` or `−2013240+33554000`. */
function added({ children, rootBonus, adjPages }: Explained): string {
  const signed = [children, -rootBonus, adjPages].filter((term) => term !== 0);
  return signed.map((term) => `${term < 0 ? '−' : '+'}${Math.abs(term)}`).join('') || NOTHING;
}

/** What divides and multiplies, as `÷347÷9×2÷4`. */
function factors(terms: Explained, age: Scoring['age']): string {
  const { cpuDiv, runDiv, discount, niceTimes, rootDiv, rawioDiv, disjointDiv, oomAdj } = terms;
  const own = kindOf(terms.scheme) === 'own';
  const aged = age === 'spare-young' ? `×${discount}` : `÷${discount}`;
  const parts = own ? [discount > 1 ? aged : ''] : [cpuDiv, runDiv].map((term) => (term > 1 ? `÷${term}` : ''));
  if (niceTimes > 1) parts.push(`×${niceTimes}`);
  for (const term of [rootDiv, rawioDiv, disjointDiv]) if (term > 1) parts.push(`÷${term}`);
  if (oomAdj !== 0) parts.push(`${oomAdj > 0 ? '×' : '÷'}${2 ** Math.abs(oomAdj)}`);
  return parts.join('') || NOTHING;
}

/** The same terms in fewer columns. */
function compactColumns(age: Scoring['age']): TermColumn[] {
  return [
    SCHEME_COLUMN,
    number('BASE', 'base', -1),
    { title: 'ADDED', right: true, neutral: NOTHING, cell: added },
    { title: 'FACTORS', neutral: NOTHING, cell: (terms) => factors(terms, age) },
    ...LAST_COLUMNS,
  ];
}

function layOut(explained: Explained[], all: TermColumn[]): string[] {
  const columns = all.filter(
    ({ cell, neutral }) => neutral === undefined || explained.some((terms) => cell(terms) !== neutral),
  );
  const quiet = ({ cell, neutral }: TermColumn, terms: Explained) => (cell(terms) === neutral ? NOTHING : cell(terms));
  const rows = explained.map((terms) => columns.map((column) => quiet(column, terms)));
  return tableLines(columns, rows, Number.POSITIVE_INFINITY);
}

/** The table of terms: a column each, or where that is too wide the added and the dividing ones together. */
function termLines(explained: Explained[], age: Scoring['age'], width: number): string[] {
  const lines = layOut(explained, TERM_COLUMNS);
  return lines.every((line) => line.length <= width) ? lines : layOut(explained, compactColumns(age));
}

function explainIn(source: Source, slot: number, scheme: SchemeName): Explained {
  const terms = explainTask(source.engine, slot, { ...source.scoring, scheme });
  return { ...terms, rank: rankOf(source.engine, slot, scheme) };
}

/** What is shown of one task. */
interface Seen {
  readonly source: Source;
  readonly task: RankedTask;
  readonly explained: Explained[];
  /** Of everybody. */
  readonly ranking: Ranking;
  readonly plugin: PluginReport | null;
}

/** The task with what all rules do to it, those with conditions on files too. */
function ruled({ engine, scoring, by: { rules } }: Source, task: RankedTask): RankedTask {
  if (!rules) return task;
  rules.settle(task.slot);
  const { scheme } = spelledOut(scoring);
  return Object.assign(rowBy(engine, task.slot, scheme, rules), { rank: rankOf(engine, task.slot, scheme) });
}

function pluginWords({ by }: Source, { slot }: RankedTask): string {
  const points = by.plugin?.pointsOf(slot) ?? null;
  return points === null ? 'not asked, since it may not be chosen' : `${grouped(points)} points in the place of those`;
}

function* jsonLines({ source, task, explained, ranking, plugin }: Seen): Generator<string> {
  yield JSON.stringify(summaryRecord(source, ranking, plugin));
  yield JSON.stringify(outputRecord(source, task));
  for (const terms of explained) yield JSON.stringify(snakeKeys({ ...terms }));
}

/** What a task holds, in one sentence. */
export function taskFacts(task: RankedTask, machine: Machine, userName: (uid: number) => string): string {
  const cpu = cpuTime((task.utimeJiffies + task.stimeJiffies) / machine.hz);
  const facts = [
    `gives back ${memory(task.chargePages * machine.pageSize)} of ${memory(machine.totalPages * machine.pageSize)}`,
    `${duration(ageOf(task, machine))} old`,
    `CPU ${cpu}`,
    `user ${userName(task.uid)}`,
    `nice ${task.nice}`,
    `oom_score_adj ${task.oomScoreAdj}`,
  ];
  return `${named(task)}: ${facts.join(', ')}`;
}

function humanLines({ source, task, explained, plugin }: Seen, values: Values): string[] {
  const screen = screenOf(process.stdout);
  const palette = paletteFor(screen.isTerminal, values['no-color'] === true);
  const scoring = spelledOut(source.scoring);
  const first = explained.find(({ scheme }) => scheme === scoring.scheme)!;
  const [heading, ...rows] = termLines(explained, scoring.age, Number.isFinite(screen.width) ? screen.width : 80);
  const why = first.eligible ? [] : [`not eligible in scheme ${first.scheme}: ${first.reason}`];
  const steps = stepLines({ task, terms: first, scoring, machine: source.machine });
  const head = wrapped(taskFacts(task, source.machine, userNames(source.live)), screen.width);
  const wrappedSteps = steps.flatMap((line) => wrapped(line, screen.width, STEP_INDENT));
  const own = plugin ? [`plug-in ${printable(plugin.name)}: ${pluginWords(source, task)}`] : [];
  const by = [...own, ...hitLines(task.rules), ...sparedLines(source.by.rules?.report)];
  const after = by.length > 0 ? ['', ...by.flatMap((line) => wrapped(line, screen.width, STEP_INDENT))] : [];
  return [...head, ...why, '', palette.heading(heading!), ...rows, '', ...wrappedSteps, ...after];
}

/** Runs the command. `argv` is what follows its name. */
export async function explain(argv: string[]): Promise<void> {
  const { values, positionals, repeated } = readArguments('explain', argv);
  if (values.help) return writeLines(commandHelp('explain'));
  const [operand, ...more] = positionals;
  if (operand === undefined || more.length > 0) {
    throw usage(`explain takes one PID, got ${positionals.length}; see badness explain --help`);
  }
  const pid = integer('PID', operand, 0, PID_MAX);
  const asked = repeated.scheme?.map(schemeNamed);
  const source = await openSource(asked ? { ...values, scheme: asked[0]! } : values);
  const { ranking, plugin } = rankedBy(source);
  const { scheme } = spelledOut(source.scoring);
  const tasks = [...ranking.ranked, ...ineligibleTasks(source.engine, scheme)];
  const found = tasks.find(({ tgid }) => tgid === pid);
  if (!found)
    throw new CommandError(EXIT.noSuchPid, `no task has pid ${pid}; badness rank --all lists those there are`);
  const task = ruled(source, found);
  const explained = (asked ?? SHOWN_SCHEMES).map((scheme) => explainIn(source, task.slot, scheme));
  const seen = { source, task, explained, ranking, plugin };
  await writeLines(values.json ? jsonLines(seen) : humanLines(seen, values));
}
