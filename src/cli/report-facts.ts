/** Stage: report. What a kernel's OOM report says, in words: one list of facts for the terminal and for the page. */
import type { RankedTask } from '../index.js';
import {
  constraintOf,
  freedBy,
  type LogCounts,
  type Named,
  notesOf,
  type OomEvent,
  type Reranking,
  type Usage,
  victimOf,
} from '../report/index.js';
import { printable } from './names.js';
import { counted, grouped, memory } from './quantities.js';
import { named } from './words.js';

export interface Fact {
  label: string;
  text: string;
}

const KIB = 1024;

function kilobytes(kb: number): string {
  return memory(kb * KIB);
}

function namedPid({ pid, comm }: Named): string {
  return `${pid} (${printable(comm)})`;
}

/** When, as the log says it; null where it does not. */
export function timeWords({ stamp, uptimeS }: OomEvent): string | null {
  if (stamp !== null) return printable(stamp);
  return uptimeS === null ? null : `${uptimeS.toFixed(3)} s after boot`;
}

function invokerText({ invoker }: OomEvent): string | null {
  if (!invoker) return null;
  const { comm, pid, gfpMask, gfpFlags, order, oomAdj, oomScoreAdj } = invoker;
  const who = comm === null ? 'a task that the line does not name' : printable(comm);
  const facts = [gfpFlags === null ? `gfp_mask ${gfpMask}` : printable(gfpFlags)];
  if (order !== null && order >= 0) facts.push(counted(2 ** order, 'page'));
  if (oomScoreAdj !== null) facts.push(`oom_score_adj ${oomScoreAdj}`);
  else if (oomAdj !== null) facts.push(`oom_adj ${oomAdj}`);
  return `${who}${pid === null ? '' : ` (pid ${pid})`}: ${facts.join(', ')}`;
}

function usageWords({ usageKb, limitKb, failcnt }: Usage): string {
  const limit = limitKb === null ? 'no limit' : `limit ${kilobytes(limitKb)}`;
  return `${kilobytes(usageKb)} used, ${limit}, hit ${counted(failcnt, 'time')}`;
}

function machineText(event: OomEvent, pageSize: number): string[] {
  const { ramPages, reservedPages, totalSwapKb, freeSwapKb, zones } = event.memory;
  const facts: string[] = [];
  if (ramPages !== null) facts.push(`${memory((ramPages - (reservedPages ?? 0)) * pageSize)} of RAM`);
  if (totalSwapKb !== null && freeSwapKb !== null) {
    facts.push(`${kilobytes(totalSwapKb)} of swap, ${kilobytes(freeSwapKb)} of it free`);
  }
  for (const { name, freeKb, minKb } of zones) {
    if (freeKb < minKb) facts.push(`zone ${printable(name)} has ${kilobytes(freeKb)} free, below ${kilobytes(minKb)}`);
  }
  return facts;
}

const PLACES: Record<string, string> = {
  CONSTRAINT_NONE: 'the whole machine',
  CONSTRAINT_CPUSET: 'the memory nodes of a cpuset',
  CONSTRAINT_MEMORY_POLICY: 'the memory nodes of a memory policy',
  CONSTRAINT_MEMCG: 'a memory cgroup',
};

function shortageText(event: OomEvent, { page }: Reranking): string {
  const { context, limit, cgroup } = event;
  const constraint = constraintOf(event);
  const path = context?.oomMemcg ?? limit?.oomMemcg ?? cgroup.path;
  const place = constraint === null ? 'the machine, or a part of it: the log does not say' : PLACES[constraint];
  const facts = [place ?? printable(constraint!)];
  if (constraint === 'CONSTRAINT_MEMCG' && path !== null) facts[0] = `memory cgroup ${printable(path)}`;
  if (constraint === 'CONSTRAINT_CPUSET' && context?.memsAllowed) facts.push(`nodes ${context.memsAllowed}`);
  if (constraint === 'CONSTRAINT_MEMORY_POLICY' && context?.nodemask) facts.push(`nodes ${context.nodemask}`);
  if (cgroup.memory) facts.push(usageWords(cgroup.memory));
  if (cgroup.swap) facts.push(`swap ${usageWords(cgroup.swap)}`);
  return [...facts, ...machineText(event, page.pageSize)].join(', ');
}

function freedWords(event: OomEvent, { page, pageTables }: Reranking): string {
  const freed = freedBy(event, page.pageSize, pageTables);
  if (freed.givesBackKb === null) return 'the log does not say what that gives back';
  const parts: [string, number | null][] = [
    ['anon', freed.anonKb],
    ['file', freed.fileKb],
    ['shmem', freed.shmemKb],
    ['swap', freed.swapKb],
    ['page tables', freed.pageTablesKb],
  ];
  const known = parts.filter(([, kb]) => kb !== null).map(([name, kb]) => `${name} ${kilobytes(kb!)}`);
  return `gives back ${kilobytes(freed.givesBackKb)}${known.length > 0 ? ` (${known.join(', ')})` : ''}`;
}

function victimText(event: OomEvent, reranking: Reranking): string {
  const victim = victimOf(event);
  if (!victim) return event.noVictim === null ? 'the log does not say whom' : 'nobody';
  const { context, limit } = event;
  const path = context?.taskMemcg ?? limit?.taskMemcg ?? null;
  const facts = [namedPid(victim), ...(path === null ? [] : [`of ${printable(path)}`])];
  return `${facts.join(' ')}: ${freedWords(event, reranking)}`;
}

function reapedText(event: OomEvent, { page, pageTables }: Reranking): string | null {
  const { reapedKb } = freedBy(event, page.pageSize, pageTables);
  return reapedKb === null ? null : `${kilobytes(reapedKb)} was back when the kernel's reaper was done`;
}

/** What the second ranking says, and what that is worth. */
function againText(event: OomEvent, { scheme, ranking, same, chosen }: Reranking): string {
  if (!ranking || scheme === null) return 'cannot be ranked again';
  const { victim } = ranking;
  if (!victim) return `${scheme} would choose nobody`;
  const who = named(victim);
  if (same === null) return `${scheme} would choose ${who}`;
  if (!same) return `${scheme} names ${who}, the kernel chose ${namedPid(chosen!)}`;
  const score = event.selected?.score ?? null;
  const printed =
    score === null || victim.oomScore === null ? '' : `; the kernel's score is ${score}, ours ${victim.oomScore}`;
  return `${scheme} names ${who}, as the kernel did${printed}`;
}

const SURE = { sure: ', surely', likely: ', most likely', vendor: ', as far as it goes', unknown: '' };

/** Everything there is to say of an event besides its tables. Names in it can be shown anywhere. */
export function factsOf(event: OomEvent, reranking: Reranking): Fact[] {
  const { era, scheme, doubts } = reranking;
  const facts: [string, string | null][] = [
    ['asked', invokerText(event)],
    ['short', shortageText(event, reranking)],
    ['killed', victimText(event, reranking)],
    ['reaped', reapedText(event, reranking)],
    ['kernel', `${scheme ?? 'scheme not known'}${SURE[era.sure]}: ${printable(era.why)}`],
    ['again', againText(event, reranking)],
    ...doubts.map(({ text }): [string, string] => ['doubt', printable(text)]),
    ...notesOf(event, reranking).map((note): [string, string] => ['note', printable(note)]),
  ];
  return facts.filter(([, text]) => text !== null).map(([label, text]) => ({ label, text: text! }));
}

/** Schemes by whom they choose, in sentences; the kernel's choice first. */
export function choiceLines({ schemes, page }: Reranking): string[] {
  const groups = new Map<number, { victim: RankedTask | null; same: boolean; names: string[] }>();
  for (const { scheme, victim, same } of schemes) {
    const key = victim?.slot ?? -1;
    const group = groups.get(key) ?? { victim, same: same === true, names: [] };
    group.names.push(scheme);
    groups.set(key, group);
  }
  const ordered = [...groups.values()].sort((a, b) => Number(b.same) - Number(a.same));
  return ordered.map(({ victim, names }) => {
    if (!victim) return `nobody: ${names.join(', ')}`;
    const size = memory(victim.chargePages * page.pageSize);
    return `${named(victim)}, gives back ${size}: ${names.join(', ')}`;
  });
}

export const RANKING_TITLES = ['#', 'PID', 'POINTS', 'MEMORY', 'VM', 'ADJ', 'UID', 'NAME'];

/** The cells of a row of the second ranking, in the order of the titles. */
export function rankingCells(task: RankedTask, event: OomEvent, pageSize: number): string[] {
  const old = event.header?.columns.includes('oom_score_adj') === false;
  return [
    task.rank === null ? '-' : String(task.rank),
    String(task.tgid),
    task.points === null ? '-' : grouped(task.points),
    memory(task.chargePages * pageSize),
    memory(task.totalVmPages * pageSize),
    String(old ? task.oomAdj : task.oomScoreAdj),
    String(task.uid),
    printable(task.comm),
  ];
}

/** The worst `count` of the ranking, and whom the kernel chose where that is further down. */
export function shownTasks({ ranking, chosenSlot }: Reranking, count: number): RankedTask[] {
  if (!ranking) return [];
  const shown = ranking.ranked.slice(0, count);
  const kernels = ranking.ranked.find(({ slot }) => slot === chosenSlot);
  return kernels && !shown.includes(kernels) ? [...shown, kernels] : shown;
}

/** What became of the lines of a log, and what no report can tell. */
export function logLines(counts: LogCounts, events: number, ranked: number): string[] {
  const parts: [number, string][] = [
    [counts.read, 'read'],
    [counts.other, 'of the kernel about something else'],
    [counts.foreign, 'written by programs and not believed'],
    [counts.unknown, 'with words of an OOM report that make no sense'],
    [counts.orphans, 'rows of a table without its header'],
    [counts.tooLong, 'too long'],
  ];
  const lines = parts.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`);
  const all = `${counted(events, 'OOM event')} in ${grouped(counts.lines)} lines: ${lines.join(', ')}`;
  const said = [counts.lines === 0 ? 'the log is empty' : all];
  if (counts.lost > 0) said.push(`${grouped(counts.lost)} records are missing in the log`);
  if (counts.suppressed > 0)
    said.push(`the kernel says that it held back ${grouped(counts.suppressed)} messages of kills`);
  if (ranked > 0) {
    said.push(
      'no report has CPU time, run time, niceness, children, sessions or capabilities: badness and the kernels before 2.6.36 are ranked by memory alone, family not at all, and uid 0 stands for all capabilities',
    );
  }
  return said;
}
