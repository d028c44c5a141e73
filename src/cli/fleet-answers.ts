/** Stage: report. What machines answered and told, in words. All of it comes from machines, and is shown as a terminal may have it. */
import type { FleetReport, PreviewAnswer, PreviewFound } from '../fleet/index.js';
import { printable } from './names.js';
import { counted, grouped, memory } from './quantities.js';
import { type Column, screenOf, tableLines, wrapped } from './table.js';

const KIB = 1024;

type Victim = PreviewFound['kills'][number];

const TOP: Column[] = [
  { title: 'HOST', least: 10 },
  { title: 'LEVEL' },
  { title: 'AVAILABLE', right: true },
  { title: 'NEXT', right: true },
  { title: 'GIVES BACK', right: true },
  { title: 'POINTS', right: true, dispensable: 1 },
  { title: 'NAME', least: 8 },
];

const WHO: Column[] = [
  { title: 'HOST', least: 10 },
  { title: 'LEVEL' },
  { title: '#', right: true },
  { title: 'PID', right: true },
  { title: 'SIGNAL' },
  { title: 'GIVES BACK', right: true },
  { title: 'POINTS', right: true, dispensable: 1 },
  { title: 'NAME', least: 8 },
];

/** What is not there stays so. */
const shown = (cell: string) => (cell === '' ? '' : printable(cell));
const screen = () => screenOf(process.stdout).width;
const level = (name: string) => (name === 'none' ? 'calm' : name);
const table = (columns: Column[], rows: string[][]) =>
  rows.length === 0
    ? []
    : tableLines(
        columns,
        rows.map((row) => row.map(shown)),
        screen(),
      );

const ENDS: { readonly [end in PreviewFound['end']]: string } = {
  enough: '(enough)',
  'not-short': '(nobody: memory is not short then)',
  nobody: '(nobody else may be chosen, and memory is still short)',
  'in-flight': '(waits for a task that is dying)',
  most: '(and more)',
};

function victimCells({ pid, back_kib: backKib, points, comm }: Victim): string[] {
  return [memory(backKib * KIB), points === null ? '' : grouped(points), `${comm} (${pid})`];
}

function failedRow({ host, error }: PreviewAnswer, width: number): string[] {
  const blank = Array.from({ length: width - 2 }, () => '');
  return [host, ...blank, `${error!.code}: ${error!.message}`];
}

/** Machines as they come, with the next victim of each. */
export function topLines(answers: readonly PreviewAnswer[]): string[] {
  const rows = answers.map((answer) => {
    const { host, found } = answer;
    if (found === null) return failedRow(answer, TOP.length);
    const [next] = found.kills;
    const percent = `${found.now.available_percent.toFixed(1)} %`;
    if (next === undefined) return [host, level(found.level), percent, '', '', '', ENDS[found.end] ?? ''];
    const [back, points] = victimCells(next);
    return [host, level(found.level), percent, String(next.pid), back!, points!, next.comm];
  });
  return table(TOP, rows);
}

/** A line for each who would die, and how it ends on each machine. */
export function whoDiesLines(answers: readonly PreviewAnswer[]): string[] {
  const rows = answers.flatMap((answer) => {
    const { host, found } = answer;
    if (found === null) return [failedRow(answer, WHO.length)];
    const kills = found.kills.map((kill, index) => {
      const [back, points] = victimCells(kill);
      return [host, level(found.start_level), `${index + 1}`, `${kill.pid}`, kill.signal, back!, points!, kill.comm];
    });
    if (found.end === 'enough' && kills.length > 0) return kills;
    return [...kills, [host, level(found.start_level), '', '', '', '', '', ENDS[found.end] ?? '']];
  });
  return table(WHO, rows);
}

/** How many have answered, and who has not. */
export function silentLines(answered: number, silent: readonly string[]): string[] {
  const all = answered + silent.length;
  if (all === 0) return ['no machine has told how it stands'];
  const who = silent.length === 0 ? '' : `; silent: ${silent.map((host) => printable(host)).join(', ')}`;
  return wrapped(`${answered} of ${counted(all, 'machine')} answered${who}`, screen());
}

interface Told {
  readonly outcome?: string;
  readonly reason?: string | null;
  readonly enforce?: boolean;
  readonly victim?: { readonly tgid?: number; readonly comm?: string } | null;
  readonly freed_bytes?: number | null;
}

/** A machine may say anything. */
function timeOf(wallMs: unknown): string {
  const date = new Date(Number(wallMs));
  return Number.isNaN(date.getTime()) ? '?' : `${date.toISOString().slice(0, 19)}Z`;
}

/** One round of a machine. */
export function decisionLine(report: FleetReport): string {
  const head = `${timeOf(report.wall_ms)} ${printable(report.host)}`;
  if (report.kind === 'dropped') return `${head} dropped ${counted(report.count, 'decision')} that waited longest`;
  if (report.kind !== 'decision') return `${head} ${report.kind}`;
  const { outcome = 'round', reason, enforce, victim, freed_bytes: freed } = (report.event?.report ?? {}) as Told;
  const who = victim ? `${victim.tgid} (${printable(String(victim.comm))})` : 'nobody';
  const why = reason ? ` (${printable(String(reason))})` : '';
  const back = typeof freed === 'number' && freed > 0 ? `, ${memory(freed)} freed` : '';
  const policy = !report.policy ? 'own policy' : `${printable(String(report.policy.key))} ${report.policy.revision}`;
  const beside = report.shadow?.changed ? `; the shadow would have chosen otherwise` : '';
  return `${head} ${printable(String(outcome))}${why}: ${who}${back}; ${policy}${enforce === false ? ', dry' : ''}${beside}`;
}
