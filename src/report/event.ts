/** Stage: bytes → table. One OOM event: everything that the lines of a log say of it, and nothing that they do not. */
import type { Context } from './context.js';
import type { Invoker } from './invocation.js';
import type { Killed, Named, Reaped, Selected } from './kill-lines.js';
import { type CgroupMemory, emptyCgroupMemory, emptyMachineMemory, type MachineMemory } from './memory.js';
import type { LogLine } from './prefix.js';
import type { TableHeader, TableRow } from './table.js';

/** A task that went along with the victim, and why. */
export interface AlsoKilled extends Named {
  because: 'shares memory' | 'memory.oom.group' | 'same line again';
}

/** One OOM event of a kernel log: who asked, the memory, the table, who was killed. */
export interface OomEvent {
  /** Lines of the log, from 1, and how many of those between say something of this event. */
  firstLine: number;
  lastLine: number;
  linesRead: number;
  /** Records of /dev/kmsg that are missing between the first line and the last. */
  linesLost: number;
  stamp: string | null;
  uptimeS: number | null;
  /** The thread or CPU that printed the report, where the kernel says so. */
  caller: string | null;
  /** Release of the kernel, where the log says it. */
  release: string | null;
  invoker: Invoker | null;
  context: Context | null;
  /** The cgroups of the line that kernels before 5.0 print. */
  limit: { taskMemcg: string | null; oomMemcg: string } | null;
  memory: MachineMemory;
  cgroup: CgroupMemory;
  header: TableHeader | null;
  rows: TableRow[];
  /** Rows that are no rows of this table, or do not fit. */
  rowsRefused: number;
  selected: Selected | null;
  killed: Killed | null;
  alsoKilled: AlsoKilled[];
  /** The cgroup that was killed whole. */
  oomGroup: string | null;
  reaped: Reaped[];
  unreaped: Named[];
  alreadyExiting: Named | null;
  /** The kernel's words for having no victim. */
  noVictim: string | null;
  panic: string | null;
  /** What else the kernel said: `tried to kill init!`. */
  remarks: string[];
  /** Reports and kill lines that the kernel held back just before. */
  suppressedBefore: number;
}

/** The most rows a table may have; a machine with more is not known. */
export const ROWS_MAX = 131_072;
/** The most entries of each other list. */
export const ENTRIES_MAX = 4096;

export function emptyEvent(line: LogLine, number: number): OomEvent {
  return {
    firstLine: number,
    lastLine: number,
    linesRead: 0,
    linesLost: 0,
    stamp: line.stamp,
    uptimeS: line.uptimeS,
    caller: line.caller,
    release: null,
    invoker: null,
    context: null,
    limit: null,
    memory: emptyMachineMemory(),
    cgroup: emptyCgroupMemory(),
    header: null,
    rows: [],
    rowsRefused: 0,
    selected: null,
    killed: null,
    alsoKilled: [],
    oomGroup: null,
    reaped: [],
    unreaped: [],
    alreadyExiting: null,
    noVictim: null,
    panic: null,
    remarks: [],
    suppressedBefore: 0,
  };
}

/** Whether the kernel has come to the end of its choice, so that the next kill line is of another event. */
export function isDecided(event: OomEvent): boolean {
  const { killed, alreadyExiting, noVictim, panic } = event;
  return killed !== null || alreadyExiting !== null || noVictim !== null || panic !== null;
}

/** Whom the kernel killed, or would have had to kill. Null when the log does not say: a child may go for the one selected. */
export function victimOf(event: OomEvent): Named | null {
  const { killed, alreadyExiting, context, reaped, unreaped } = event;
  return killed ?? alreadyExiting ?? context?.task ?? reaped[0] ?? unreaped[0] ?? null;
}

/** The number of the row of a pid, which may be that of a thread or of the group; -1 when it is not in the table. */
export function slotOf({ rows }: OomEvent, pid: number): number {
  const slot = rows.findIndex((row) => row.pid === pid);
  return slot >= 0 ? slot : rows.findIndex((row) => row.tgid === pid);
}

/** The row of a process, or of a thread of it, in the table of an event; null where it has none. */
export function rowOf(event: OomEvent, pid: number): TableRow | null {
  return event.rows[slotOf(event, pid)] ?? null;
}

/** The kind of shortage: the context line's, or what other lines imply. Null before 5.0 where they do not. */
export function constraintOf({ context, killed, selected, limit, cgroup }: OomEvent): string | null {
  if (context) return context.constraint;
  const message = killed?.message ?? selected?.message ?? '';
  const ofCgroup = limit !== null || cgroup.memory !== null || message.startsWith('Memory cgroup');
  if (ofCgroup) return 'CONSTRAINT_MEMCG';
  if (message.includes('MPOL_BIND')) return 'CONSTRAINT_MEMORY_POLICY';
  return message.endsWith('cpuset') ? 'CONSTRAINT_CPUSET' : null;
}

/** Whether the kernel ranked nobody: some kills take whoever asked for memory. */
export function choseNobody({ killed, selected }: OomEvent): boolean {
  const message = killed?.message ?? selected?.message ?? '';
  return /oom_kill_allocating_task|MPOL_BIND|cpuset$/.test(message);
}

/** Whether a report was printed whole, in part, or not at all (the kernel limits their rate). */
export function reportOf(event: OomEvent): 'whole' | 'truncated' | 'none' {
  const { invoker, header, context, linesLost } = event;
  if (invoker === null && header === null && context === null) return 'none';
  return invoker !== null && isDecided(event) && linesLost === 0 ? 'whole' : 'truncated';
}
