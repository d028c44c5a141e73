/** Stage: report. `badness rank`: everybody who may be chosen, worst first, who would go, and why. */
import {
  explainTask,
  type Ineligible,
  ineligibleTasks,
  type RankedTask,
  type Ranking,
  rankedToRecord,
} from '../index.js';
import { type PluginReport, type RankingBy, type RowRules, rankBy, rankingRecord } from '../policy/index.js';
import { integer, readArguments, refuseOperands, rowCount, usage } from './arguments.js';
import { type Palette, paletteFor } from './colour.js';
import { columnsNamed, usualColumns } from './columns.js';
import { commandHelp } from './help.js';
import { checkAnswered } from './lens.js';
import { printable } from './names.js';
import type { Values } from './options.js';
import { writeLines } from './output.js';
import { counted, duration, grouped, memory } from './quantities.js';
import { measureRounds, type Statistics, statisticsWords } from './rounds.js';
import { hitLines, sparedLines } from './rule-words.js';
import { openSource, type Source } from './source.js';
import { type Screen, screenOf, tableLines, wrapped } from './table.js';
import { userNames } from './users.js';
import { nobodyWords, schemeWords, spelledOut, victimWords } from './words.js';

const ROUNDS_MAX = 1_000_000;
const ROWS_USUAL = 20;
const ROWS_LEAST = 3;

/** Ineligible tasks by pid, so that the order does not depend on the scheme that ranked the file. */
function ineligible(source: Source): RankedTask[] {
  const tasks = ineligibleTasks(source.engine, spelledOut(source.scoring).scheme);
  return tasks.sort((a, b) => a.tgid - b.tgid);
}

/** The first line of the JSON: the machine, how it was scored, and what came out. */
export function summaryRecord(
  source: Source,
  ranking: Ranking,
  plugin: PluginReport | null = null,
): Record<string, unknown> {
  return rankingRecord(source, spelledOut(source.scoring), ranking, plugin);
}

/** The record of a task, with the cgroup that only a file knows. */
export function outputRecord(source: Source, task: RankedTask): Record<string, unknown> {
  const cgroup = source.cgroupOf(task);
  return rankedToRecord(cgroup === undefined ? task : Object.assign(task, { cgroup }));
}

/** The worst, by whatever the command line ranks by. */
export function rankedBy(source: Source, limit?: number): RankingBy {
  const ranked = rankBy(source.engine, { ...source.scoring, ...(limit === undefined ? {} : { limit }) }, source.by);
  checkAnswered(ranked.plugin);
  return ranked;
}

function* jsonLines(source: Source, values: Values, statistics: Statistics | null): Generator<string> {
  const limit = rowCount(values);
  const { ranking, plugin } = rankedBy(source, limit);
  yield JSON.stringify(summaryRecord(source, ranking, plugin));
  for (const task of ranking.ranked) yield JSON.stringify(outputRecord(source, task));
  if (limit === undefined || values.all) {
    for (const task of ineligible(source)) yield JSON.stringify(outputRecord(source, task));
  }
  if (statistics) yield JSON.stringify(statistics);
}

function headLines(source: Source, screen: Screen): string[] {
  const { machine } = source;
  const scoring = spelledOut(source.scoring);
  const size = memory(machine.totalPages * machine.pageSize);
  const first = `${size} of memory and swap, up ${duration(machine.uptimeS)}, ${counted(source.tasks, 'task')}`;
  return [
    ...wrapped(first, screen.width),
    ...wrapped(`scheme ${scoring.scheme}: ${schemeWords(scoring)}`, screen.width),
  ];
}

/** `23 eligible, 63 not (kthread 62, init 1), 2 gone while reading` */
function countWords(source: Source, ranking: Ranking, others: RankedTask[]): string {
  const reasons = new Map<Ineligible, number>();
  for (const { reason } of others) if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const list = [...reasons].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`);
  const parts = [
    `${ranking.eligible} eligible`,
    `${others.length} not${list.length > 0 ? ` (${list.join(', ')})` : ''}`,
  ];
  if (source.root !== undefined) parts.push(`${source.gone} gone while reading`);
  if (source.unreadable > 0) parts.push(`${source.unreadable} not readable by this user`);
  if (source.left > 0) parts.push(`${source.left} more did not fit and are not ranked`);
  if (source.live) parts.push('badness itself left out');
  return parts.join(', ');
}

/** Why the victim is the one, after the words of its scheme: whose points they are, and what the rules made of them. */
function byLines({ ranking: { victim }, plugin }: RankingBy, rules: RowRules | null | undefined): string[] {
  if (!victim) return [];
  const own = plugin ? [`plug-in ${printable(plugin.name)}: ${grouped(victim.points ?? 0)} points`] : [];
  return [...own, ...hitLines(victim.rules), ...sparedLines(rules?.report)];
}

function footLines(source: Source, ranked: RankingBy, others: RankedTask[], screen: Screen): string[] {
  const { ranking } = ranked;
  const { victim } = ranking;
  const by = byLines(ranked, source.by.rules);
  const scoring = spelledOut(source.scoring);
  const why = victim
    ? victimWords(victim, explainTask(source.engine, victim.slot, source.scoring), scoring, source.machine)
    : nobodyWords(ranking.outcome, scoring.scheme);
  const lines = [why, ...by, countWords(source, ranking, others)];
  return lines.flatMap((line) => wrapped(line, screen.width));
}

function paintRow(line: string, task: RankedTask, isVictim: boolean, palette: Palette): string {
  if (isVictim) return palette.victim(`> ${line}`);
  return task.eligible ? `  ${line}` : palette.faint(`  ${line}`);
}

function humanLines(source: Source, values: Values, statistics: Statistics | null): string[] {
  const screen = screenOf(process.stdout);
  const palette = paletteFor(screen.isTerminal, values['no-color'] === true);
  const columns = values.columns === undefined ? usualColumns(values.all === true) : columnsNamed(values.columns);
  const asked = rowCount(values) ?? (values.all ? Number.POSITIVE_INFINITY : undefined);
  const limit = Math.min(asked ?? Math.max(screen.height ?? 0, ROWS_USUAL), source.engine.count);
  const { ranking, plugin } = rankedBy(source, limit);
  const others = ineligible(source);
  const head = headLines(source, screen);
  const foot = footLines(source, { ranking, plugin }, others, screen);
  if (statistics) foot.push(...wrapped(statisticsWords(statistics), screen.width));
  // Two blank lines, the heading, and the line of the prompt that follows.
  const room = screen.height === undefined ? ROWS_USUAL : screen.height - head.length - foot.length - 4;
  const rows = ranking.ranked.slice(0, asked ?? Math.max(room, ROWS_LEAST));
  if (values.all) rows.push(...others);
  const shown = { machine: source.machine, userName: userNames(source.live) };
  const cells = rows.map((task) => columns.map((column) => column.cell(task, shown)));
  const [heading, ...lines] = tableLines(columns, cells, screen.width - 2);
  const table = lines.map((line, index) => {
    const task = rows[index]!;
    return paintRow(line, task, task.slot === ranking.victim?.slot, palette);
  });
  return [...head, '', palette.heading(`  ${heading}`), ...table, '', ...foot];
}

function checkValues(values: Values): void {
  if (values.columns !== undefined && values.json) {
    throw usage('--columns is for the table; --json always has every key');
  }
  if (values.columns !== undefined) columnsNamed(values.columns);
  rowCount(values);
}

/** Runs the command. `argv` is what follows its name. */
export async function rank(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('rank', argv);
  if (values.help) return writeLines(commandHelp('rank'));
  refuseOperands('rank', positionals);
  return showRanking(values);
}

/** Ranks once, as the options say. */
export async function showRanking(values: Values): Promise<void> {
  checkValues(values);
  const rounds = integer('--rounds', values.rounds ?? '1', 1, ROUNDS_MAX);
  const source = await openSource(values);
  const measured = values.stats || values.rounds !== undefined;
  if (measured && (source.by.rules || source.by.plugin)) {
    throw usage(
      '--rounds and --stats measure the schemes of the engine; they go without --policy and without a plug-in',
    );
  }
  const statistics = measured ? measureRounds(source, rounds) : null;
  if (measured) source.refill();
  const shown = values.stats ? statistics : null;
  await writeLines(values.json ? jsonLines(source, values, shown) : humanLines(source, values, shown));
}
