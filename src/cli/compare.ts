/** Stage: report. `badness compare`: whom each scheme would choose on the same machine at the same moment. */
import { type Outcome, type RankedTask, rankTasks, type SchemeName } from '../index.js';
import { readArguments, refuseOperands, rowCount } from './arguments.js';
import { type Palette, paletteFor } from './colour.js';
import { commandHelp } from './help.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { counted, duration, memory } from './quantities.js';
import { outputRecord, summaryRecord } from './rank.js';
import { openSource, type Source } from './source.js';
import { type Column, screenOf, tableLines, wrapped } from './table.js';
import { ageOf, named, SHOWN_SCHEMES } from './words.js';

/** What one scheme says. */
interface Choice {
  scheme: SchemeName;
  outcome: Outcome;
  /** The victim, and as many more as -n asks for. Empty when there is none. */
  rows: RankedTask[];
  /** Schemes that choose the same task, this one included; 0 without a victim. */
  agree: number;
}

const COLUMNS: Column[] = [
  { title: 'SCHEME' },
  { title: 'PID', right: true },
  { title: 'POINTS', right: true },
  { title: 'GIVES BACK', right: true },
  { title: 'AGE', right: true, dispensable: 2 },
  { title: 'ADJ', right: true, dispensable: 3 },
  { title: 'AGREE', right: true, dispensable: 1 },
  { title: 'NAME', least: 8 },
];

/** How many of each scheme; its choice always. */
function limitOf(values: Values): number {
  return Math.max(rowCount(values) ?? 1, 1);
}

function choiceOf(source: Source, scheme: SchemeName, limit: number): Choice {
  const { outcome, victim, ranked } = rankTasks(source.engine, { ...source.scoring, scheme, limit });
  if (!victim) return { scheme, outcome, rows: [], agree: 0 };
  // Some kernels choose one that is not the worst: the first in swapoff, for example.
  const others = ranked.filter(({ slot }) => slot !== victim.slot);
  return { scheme, outcome, rows: [victim, ...others].slice(0, limit), agree: 0 };
}

function choices(source: Source, limit: number): Choice[] {
  const all = SHOWN_SCHEMES.map((scheme) => choiceOf(source, scheme, limit));
  const votes = new Map<number, number>();
  for (const { rows } of all) if (rows[0]) votes.set(rows[0].slot, (votes.get(rows[0].slot) ?? 0) + 1);
  for (const choice of all) choice.agree = votes.get(choice.rows[0]?.slot ?? -1) ?? 0;
  return all;
}

function cellsOf(source: Source, choice: Choice, task: RankedTask, place: number): string[] {
  const { machine } = source;
  return [
    place === 0 ? choice.scheme : '',
    String(task.tgid),
    String(task.points),
    memory(task.chargePages * machine.pageSize),
    duration(ageOf(task, machine)),
    String(task.oomScoreAdj),
    place === 0 ? `${choice.agree}/${SHOWN_SCHEMES.length}` : '',
    printable(task.comm),
  ];
}

/** Who has the most schemes behind it, in one sentence. */
function verdict(all: Choice[]): string {
  const chosen = all.filter(({ rows }) => rows.length > 0);
  if (chosen.length === 0) return 'no scheme would choose anybody';
  const most = chosen.reduce((best, choice) => (choice.agree > best.agree ? choice : best));
  const different = new Set(chosen.map(({ rows }) => rows[0]!.slot)).size;
  if (different === 1) return `all ${chosen.length} schemes that choose anybody choose ${named(most.rows[0]!)}`;
  return `${most.agree} of ${all.length} schemes choose ${named(most.rows[0]!)}; ${different} different tasks are chosen`;
}

function humanLines(source: Source, all: Choice[], values: Values, palette: Palette): string[] {
  const { width } = screenOf(process.stdout);
  const size = memory(source.machine.totalPages * source.machine.pageSize);
  const cells: string[][] = [];
  for (const choice of all) {
    for (const [place, task] of choice.rows.entries()) cells.push(cellsOf(source, choice, task, place));
    if (choice.rows.length === 0) {
      const why = choice.outcome === 'in-flight' ? 'waits for a dying task' : 'nobody';
      cells.push([choice.scheme, '-', '-', '-', '-', '-', '-', why]);
    }
  }
  const [heading, ...rows] = tableLines(COLUMNS, cells, width);
  const head = `whom each scheme would choose: ${size} of memory and swap, ${counted(source.tasks, 'task')}`;
  const limited = values.count === undefined ? [] : [`the first ${limitOf(values)} of each scheme`];
  return [
    ...wrapped(head, width),
    ...limited,
    '',
    palette.heading(heading!),
    ...rows,
    '',
    ...wrapped(verdict(all), width),
  ];
}

function* jsonLines(source: Source, all: Choice[]): Generator<string> {
  const { engine, scoring } = source;
  yield JSON.stringify(summaryRecord(source, rankTasks(engine, { ...scoring, limit: 0 })));
  for (const { scheme, outcome, rows, agree } of all) {
    const tasks = rows.map((task) => outputRecord(source, task));
    yield JSON.stringify({ scheme, outcome, victim: rows[0]?.tgid ?? null, agree, tasks });
  }
}

/** Runs the command. `argv` is what follows its name. */
export async function compare(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('compare', argv);
  if (values.help) return writeLines(commandHelp('compare'));
  refuseOperands('compare', positionals);
  const limit = limitOf(values);
  const source = await openSource(values);
  const all = choices(source, limit);
  const palette = paletteFor(process.stdout.isTTY === true, values['no-color'] === true);
  await writeLines(values.json ? jsonLines(source, all) : humanLines(source, all, values, palette));
}
