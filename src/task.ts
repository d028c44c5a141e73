/**
 * Stage: bytes → table, for tasks that come as objects. One record, the same keys in and out; the library says them in
 * camelCase, JSON and the kernel in snake_case.
 */
import * as L from '../assembly/layout.js';
import { decodeComm, encodeComm } from './comm.js';
import type { Engine } from './engine.js';

/** A process, something that a program registered, or a task of a scenario. */
export type TaskKind = 'process' | 'registered' | 'simulated';

/** One thread group as one reading saw it. Absent quantities are 0. */
export interface Task {
  kind?: TaskKind;
  /** Thread group id, the pid that everybody means; of a registered task the id that it was given, 0 … 2^53. */
  tgid: number;
  ppid?: number;
  /** Session id. */
  sid?: number;
  /** At most 15 bytes are kept. A byte that is not UTF-8 stands as a lone surrogate U+DC80 … U+DCFF. */
  comm?: string;
  /** One letter, as in /proc/PID/stat. */
  state?: string;
  threads?: number;
  totalVmPages?: number;
  rssPages?: number;
  rssAnonPages?: number;
  rssShmemPages?: number;
  /** rss as the kernel's approximate counters say it (stat field 24), where that is known: `linux-…` schemes use it. */
  statRssPages?: number;
  swapPages?: number;
  pgtablesBytes?: number;
  /** Jiffies at the machine's `hz`. */
  utimeJiffies?: number;
  stimeJiffies?: number;
  /** 1/100 s since boot. */
  startTimeTicks?: number;
  nice?: number;
  uid?: number;
  euid?: number;
  /** Effective capabilities, hexadecimal text. */
  capEff?: string;
  /** −1000 … 1000 */
  oomScoreAdj?: number;
  /** −17 … 15, for kernels before 2.6.36. */
  oomAdj?: number;
  cgroup?: string;
  /** Whether it has an address space. Default: totalVmPages > 0 or rssPages > 0. */
  hasMm?: boolean;
  kthread?: boolean;
  /** Whether it is leaving by itself (PF_EXITING). */
  exiting?: boolean;
}

/** What a snapshot says of its machine. */
export interface Machine {
  /** Jiffies per second of utime and stime, 48 … 1535. */
  hz: number;
  /** Bytes. */
  pageSize: number;
  /** Seconds since boot, to 1/100. */
  uptimeS: number;
  /** Pages of memory and swap together. */
  totalPages: number;
}

/** The machine of tasks that come without one. */
export const MACHINE_DEFAULTS: Machine = { hz: 100, pageSize: 4096, uptimeS: 0, totalPages: 0 };

export const TASK_KINDS: readonly TaskKind[] = ['process', 'registered', 'simulated'];

/** Ids of registered tasks take two words: none of them is a pid. */
const WORD = 2 ** 32;

type NumberKey = { [K in keyof Task]-?: Task[K] extends number | undefined ? K : never }[keyof Task];

/** Number keys of a task, the cell each is staged in, and the column it is read back from ([column, width, signed]). */
const NUMBERS: readonly [key: NumberKey, field: number, column: number, type: 'f64' | 'u32' | 'i32'][] = [
  ['tgid', L.FIELD_TGID, L.C_ID, 'u32'],
  ['ppid', L.FIELD_PPID, L.C_PPID, 'u32'],
  ['sid', L.FIELD_SID, L.C_SID, 'u32'],
  ['threads', L.FIELD_THREADS, L.C_THREADS, 'u32'],
  ['totalVmPages', L.FIELD_TOTAL_VM_PAGES, L.C_TOTAL_VM, 'f64'],
  ['rssPages', L.FIELD_RSS_PAGES, L.C_RSS, 'f64'],
  ['rssAnonPages', L.FIELD_RSS_ANON_PAGES, L.C_RSS_ANON, 'f64'],
  ['rssShmemPages', L.FIELD_RSS_SHMEM_PAGES, L.C_RSS_SHMEM, 'f64'],
  ['statRssPages', L.FIELD_STAT_RSS_PAGES, L.C_STAT_RSS, 'f64'],
  ['swapPages', L.FIELD_SWAP_PAGES, L.C_SWAP, 'f64'],
  ['pgtablesBytes', L.FIELD_PGTABLES_BYTES, L.C_PGTABLES_BYTES, 'f64'],
  ['utimeJiffies', L.FIELD_UTIME_JIFFIES, L.C_UTIME, 'f64'],
  ['stimeJiffies', L.FIELD_STIME_JIFFIES, L.C_STIME, 'f64'],
  ['startTimeTicks', L.FIELD_START_TIME_TICKS, L.C_START_TICKS, 'f64'],
  ['nice', L.FIELD_NICE, L.C_NICE, 'i32'],
  ['uid', L.FIELD_UID, L.C_UID, 'u32'],
  ['euid', L.FIELD_EUID, L.C_EUID, 'u32'],
  ['oomScoreAdj', L.FIELD_OOM_SCORE_ADJ, L.C_OOM_SCORE_ADJ, 'i32'],
  ['oomAdj', L.FIELD_OOM_ADJ, L.C_OOM_ADJ, 'i32'],
];

/** The key that a refused field came from. */
export function keyOfField(field: number): string {
  return NUMBERS.find(([, staged]) => staged === field)?.[0] ?? 'flags';
}

/** Starts a snapshot. Throws RangeError when the machine is out of range. */
export function beginSnapshot(engine: Engine, machine: Machine): void {
  const { hz, pageSize, uptimeS } = machine;
  if (engine.abi.table_begin(hz, pageSize, Math.round(uptimeS * L.USER_HZ)) < 0) {
    throw new RangeError(
      `expected hz ${L.HZ_MIN}..${L.HZ_MAX}, page_size > 0 and uptime_s >= 0, got hz ${hz}, page_size ${pageSize}, uptime_s ${uptimeS}`,
    );
  }
}

/** Stages a task in the engine's window, for table_put. */
export function stageTask(engine: Engine, task: Task): void {
  const { fields } = engine;
  fields.fill(0);
  for (const [key, field] of NUMBERS) fields[field] = task[key] ?? 0;
  fields[L.FIELD_KIND] = TASK_KINDS.indexOf(task.kind ?? 'process');
  if (task.kind === 'registered') {
    fields[L.FIELD_TGID] = task.tgid % WORD;
    fields[L.FIELD_ID_HI] = Math.floor(task.tgid / WORD);
  }
  fields[L.FIELD_STATE] = (task.state ?? 'S').charCodeAt(0);
  const caps = BigInt(`0x${task.capEff || '0'}`);
  fields[L.FIELD_CAP_LO] = Number(caps & 0xffffffffn);
  fields[L.FIELD_CAP_HI] = Number(caps >> 32n);
  let flags = 0;
  if (task.kthread) flags |= L.TASK_KTHREAD;
  if (task.exiting) flags |= L.TASK_EXITING;
  if (task.hasMm === true) flags |= L.TASK_HAS_MM;
  if (task.hasMm === false) flags |= L.TASK_NO_MM;
  if (task.statRssPages !== undefined) flags |= L.TASK_STAT_RSS;
  fields[L.FIELD_FLAGS] = flags;
  const at = engine.window + L.W_COMM;
  engine.bytes.fill(0, at, at + L.COMM_BYTES);
  encodeComm(task.comm ?? '', engine.bytes.subarray(at, at + L.COMM_BYTES - 1));
}

/** Appends a task to the snapshot begun. Returns its slot. Throws RangeError naming the key that does not fit. */
export function putTask(engine: Engine, task: Task): number {
  stageTask(engine, task);
  return putStaged(engine, task);
}

/** Appends the task that is staged; as putTask. */
export function putStaged(engine: Engine, task: Task): number {
  const slot = engine.abi.table_put(engine.window);
  if (slot >= 0) return slot;
  if (slot === L.E_FULL) throw new RangeError(`expected at most ${engine.capacity} tasks (maxTasks)`);
  const key = keyOfField(engine.view.getUint32(engine.window + L.W_ERROR_FIELD, true));
  const got = (task as unknown as Record<string, unknown>)[key];
  throw new RangeError(`${key} of task ${task.tgid} is out of range: got ${String(got)}`);
}

/** Fills a snapshot with `tasks` and makes it the current one. Throws RangeError for values that do not fit. */
export function loadTasks(engine: Engine, tasks: Iterable<Task>, machine: Machine): void {
  beginSnapshot(engine, machine);
  for (const task of tasks) putTask(engine, task);
  engine.abi.table_publish();
}

/** The task in a slot of the current snapshot. */
export function taskAt(engine: Engine, slot: number): Required<Omit<Task, 'cgroup'>> {
  const task: Record<string, unknown> = { kind: TASK_KINDS[engine.u32(L.C_KIND, slot)] };
  for (const [key, , column, type] of NUMBERS) task[key] = engine[type](column, slot);
  task.tgid = engine.u32(L.C_ID, slot) + engine.u32(L.C_ID_HI, slot) * WORD;
  const at = engine.cell(L.C_COMM, slot, L.COMM_BYTES);
  task.comm = decodeComm(engine.bytes.slice(at, at + L.COMM_BYTES));
  task.state = String.fromCharCode(engine.u32(L.C_STATE, slot));
  const caps = (BigInt(engine.u32(L.C_CAP_HI, slot)) << 32n) | BigInt(engine.u32(L.C_CAP_LO, slot));
  task.capEff = caps.toString(16);
  const flags = engine.u32(L.C_FLAGS, slot);
  task.hasMm = (flags & L.TASK_NO_MM) === 0;
  task.kthread = (flags & L.TASK_KTHREAD) !== 0;
  task.exiting = (flags & L.TASK_EXITING) !== 0;
  return task as Required<Omit<Task, 'cgroup'>>;
}
