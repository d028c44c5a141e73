/** Stage: report. What a reader of one event has to know besides its numbers: what is missing, odd, or was put right. */
import { type OomEvent, reportOf, victimOf } from './event.js';
import type { Reranking } from './rerank.js';

function aboutVictim(event: OomEvent): string[] {
  const { killed, selected, alsoKilled, oomGroup, alreadyExiting, noVictim, panic, unreaped } = event;
  const notes: string[] = [];
  if (killed && selected && killed.pid !== selected.pid) {
    notes.push(`the scheme chose ${selected.pid}, and a child of it, ${killed.pid}, was killed in its place`);
  }
  if (!killed && victimOf(event)) notes.push('the kill line itself is not in the log');
  if (alreadyExiting) notes.push('the victim was exiting already and got no signal');
  if (noVictim !== null) notes.push('nobody could be killed');
  if (panic !== null) notes.push(`the kernel panicked: ${panic}`);
  if (oomGroup !== null) notes.push(`memory.oom.group is set on ${oomGroup}: all of it was killed`);
  if (alsoKilled.length > 0) notes.push(`${alsoKilled.length} more were killed with it`);
  if (unreaped.length > 0) notes.push('the reaper could not take its memory; it came back when the task exited');
  return notes;
}

function aboutReport(event: OomEvent): string[] {
  const { invoker, context, rowsRefused, linesLost, suppressedBefore, remarks } = event;
  const notes: string[] = [];
  const report = reportOf(event);
  if (report === 'none') notes.push('no report was printed or kept, only what stands here');
  if (report === 'truncated') notes.push('the report is cut off');
  if (invoker?.order === -1) notes.push('asked for by hand (SysRq f)');
  if (rowsRefused > 0) notes.push(`${rowsRefused} rows of the table were left out: they make no sense or are too many`);
  if (linesLost > 0) notes.push(`${linesLost} records of the log are missing within it`);
  if (suppressedBefore > 0) notes.push(`the kernel held back ${suppressedBefore} messages of earlier kills`);
  if (context?.ambiguous) notes.push('a cgroup path holds the words that end a path; where it was cut may be wrong');
  notes.push(...remarks.map((words) => `the kernel said: ${words}`));
  return notes;
}

function aboutPageTables({ pageTables }: Reranking): string[] {
  if (pageTables?.unit === 'bytes') return ['the kill line has page tables in bytes, not kB (a bug of 5.4.0 … 5.4.8)'];
  if (pageTables?.unit === 'unknown') {
    return ['whether the kill line has page tables in kB or in bytes (a bug of 5.4.0 … 5.4.8) cannot be known'];
  }
  return [];
}

/** In sentences; names in them are as they are. */
export function notesOf(event: OomEvent, reranking: Reranking): string[] {
  return [...aboutVictim(event), ...aboutReport(event), ...aboutPageTables(reranking)];
}
