/** Stage: report. Simulations for people: a table of what each policy came to, and what happened when. */
import type { GuardEvent } from '../guard/index.js';
import type { ContestRow, Scenario, SimKill, SimResult } from '../simulate/index.js';
import { cut, printable } from './names.js';
import { counted, cpuTime, memory } from './quantities.js';
import { type Column, tableLines, wrapped } from './table.js';

const NAME_LEAST = 12;
const COLUMNS: Column[] = [
  { title: 'POLICY', least: NAME_LEAST },
  { title: 'KILLED', right: true },
  { title: 'INNOCENT', right: true },
  { title: 'BY KERNEL', right: true, dispensable: 2 },
  { title: 'SHORT', right: true, dispensable: 3 },
  { title: 'STALLED', right: true, dispensable: 4 },
  { title: 'RELIEF', right: true, dispensable: 5 },
  { title: 'WORK LOST', right: true, dispensable: 6 },
  { title: 'FINISHED', right: true, dispensable: 7 },
];
const PLOT_WIDTH = 60;
const BLOCKS = '▁▂▃▄▅▆▇█';

/** `0.4 s`, `28 s`, `12.3 min` */
export function span(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(0)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

/** A mean, whole where it is. */
function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function cells(row: ContestRow): string[] {
  const innocents = number(row.innocentsKilled);
  const most = row.runs.length > 1 ? ` (${row.innocentsMost})` : '';
  return [
    printable(row.name),
    number(row.kills),
    innocents + most,
    number(row.kernelKills),
    span(row.pressureMs),
    span(row.stalledMs),
    span(row.reliefMs),
    cpuTime(row.lostCpuMs / 1000),
    number(row.finished),
  ];
}

/** What the scenario is, and how its contenders did. */
export function contestLines(scenario: Scenario, rows: readonly ContestRow[], width: number): string[] {
  const { name, about, machine, lasts } = scenario;
  const { seed } = rows[0]!.runs[0]!;
  const swap = machine.swap === 0 ? 'no swap' : `${memory(machine.swap)} of swap`;
  const seeds =
    rows[0]!.runs.length === 1 ? `seed ${seed}` : `${rows[0]!.runs.length} runs from seed ${seed}, means (most)`;
  const head = about === '' ? name : `${name}: ${about}`;
  return [
    ...wrapped(printable(head), width),
    `${memory(machine.memory)} of memory, ${swap}, ${span(lasts)}, ${seeds}`,
    '',
    ...tableLines(COLUMNS, rows.map(cells), width),
  ];
}

interface Moment {
  readonly atMs: number;
  readonly words: string;
}

function killMoment({ atMs, by, comm, tgid, bytes, culprit }: SimKill): Moment {
  const who = { guard: 'killed', kernel: 'killed by the kernel:', parent: 'ends with its parent:' }[by];
  return { atMs, words: `${who} ${printable(comm)} (${tgid}), ${memory(bytes)}${culprit ? ', guilty' : ', INNOCENT'}` };
}

function guardMoment(event: GuardEvent): Moment[] {
  if (event.kind === 'level')
    return [{ atMs: event.atMs, words: `${event.level === 'none' ? 'enough' : event.level}: ${event.words}` }];
  if (event.kind !== 'round') return [];
  const { outcome, reason, kill, victim } = event.report;
  if (outcome === 'released') {
    const comm = victim ? printable(victim.comm) : '';
    return [
      {
        atMs: event.atMs,
        words: `gone: ${comm} (${kill!.tgid}), ${span(kill!.timings.totalMs)} after the first signal`,
      },
    ];
  }
  const why = reason === null ? '' : ` (${reason})`;
  return [{ atMs: event.atMs, words: `nobody is killed: ${outcome}${why}` }];
}

/** Where many moments are alike only the first and the last are shown. */
function shortened(moments: readonly Moment[], count: number): string[] {
  const line = ({ atMs, words }: Moment) => `${(atMs / 1000).toFixed(2).padStart(8)} s  ${words}`;
  if (moments.length <= count) return moments.map(line);
  const head = Math.ceil(count / 2);
  const left = moments.length - count;
  const tail = count - head;
  return [
    ...moments.slice(0, head).map(line),
    `            … and ${left} more; -n shows more …`,
    ...moments.slice(moments.length - tail).map(line),
  ];
}

/** Memory in use over time in one line, and who was killed below it: `o` guilty, `x` an innocent. */
function plotLines({ samples, kills }: SimResult, { machine, lasts }: Scenario): string[] {
  const columns = Array.from({ length: PLOT_WIDTH }, (_, index) => {
    const from = Math.floor((index * samples.length) / PLOT_WIDTH);
    const to = Math.max(from + 1, Math.floor(((index + 1) * samples.length) / PLOT_WIDTH));
    const used = samples.slice(from, to).map((one) => machine.memory - one.availableBytes);
    const share = Math.max(0, ...used) / machine.memory;
    return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(share * BLOCKS.length))]!;
  });
  const marks = Array<string>(PLOT_WIDTH).fill(' ');
  for (const { atMs, culprit } of kills) {
    const at = Math.min(PLOT_WIDTH - 1, Math.floor((atMs * PLOT_WIDTH) / lasts));
    if (marks[at] !== 'x') marks[at] = culprit ? 'o' : 'x';
  }
  const signs = marks.join('').trimEnd();
  return [`  memory    ${columns.join('')}`, ...(signs === '' ? [] : [`  kills     ${signs}`])];
}

/** What happened in the first run of a contender, at most `count` lines of it. */
export function timelineLines(scenario: Scenario, row: ContestRow, count: number, width: number): string[] {
  const run = row.runs[0]!;
  // Of one moment the reason first.
  const moments = [...run.events.flatMap(guardMoment), ...run.kills.map(killMoment)];
  moments.sort((a, b) => a.atMs - b.atMs);
  const quiet = moments.length === 0 ? ['            nothing happened'] : shortened(moments, count);
  const lines = quiet.map((line) => cut(line, width));
  const seeds = row.runs.length > 1 ? `, seed ${run.seed}` : '';
  return [
    '',
    `${printable(row.name)}${seeds}: ${counted(run.kills.length, 'kill')}`,
    ...plotLines(run, scenario),
    ...lines,
  ];
}
