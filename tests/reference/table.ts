/**
 * Stage: scoring, as the tests believe it. Task records in, the inputs of the formula and the points of a whole table
 * out: facts derived from a record, children, families, and what an f64 column can hold.
 */
import * as L from '../../assembly/layout.js';
import { badness, type Inputs, ownCharge, type Terms } from './badness.js';
import { isEligible } from './eligible.js';

const QUANTITY_MAX = BigInt(L.QUANTITY_MAX);

/** The task record of the JSON interface, as far as scoring reads it. Absent = 0. */
export interface TaskRecord {
  tgid: number;
  ppid?: number;
  sid?: number;
  comm?: string;
  total_vm_pages?: number;
  rss_pages?: number;
  swap_pages?: number;
  pgtables_bytes?: number;
  utime_jiffies?: number;
  stime_jiffies?: number;
  start_time_ticks?: number;
  nice?: number;
  uid?: number;
  euid?: number;
  /** Hex text, as in /proc/PID/status. */
  cap_eff?: string;
  oom_score_adj?: number;
  oom_adj?: number;
  has_mm?: boolean;
  kthread?: boolean;
  /** TASK_* facts that a record has no key for (MEMDIE, EXITING, ORIGIN …). */
  flags?: number;
}

export interface Table {
  hz: number;
  page_size: number;
  uptime_ticks: number;
  tasks: readonly TaskRecord[];
}

export interface Parameters {
  max_discount: number;
  age: number;
  adj: number;
  total_pages: number;
  /** Root tgid of a subtree, 0 for none. */
  root: number;
}

/** Every TASK_* bit of a record: what its flags say, and what follows from its values. */
export function factsOf(task: TaskRecord): number {
  const caps = BigInt(`0x${task.cap_eff ?? '0'}`);
  const cap = (bit: number) => ((caps >> BigInt(bit)) & 1n) === 1n;
  const hasMm = task.has_mm ?? ((task.total_vm_pages ?? 0) > 0 || (task.rss_pages ?? 0) > 0);
  let flags = task.flags ?? 0;
  const set = (when: boolean, flag: number) => {
    if (when) flags |= flag;
  };
  set(!hasMm, L.TASK_NO_MM);
  set(task.kthread === true, L.TASK_KTHREAD);
  set(task.tgid === L.PID_INIT, L.TASK_INIT);
  set(task.oom_score_adj === L.ADJ_MIN, L.TASK_ADJ_NEVER);
  set(task.oom_adj === L.OOM_DISABLE, L.TASK_OOM_DISABLE);
  set((task.nice ?? 0) > 0, L.TASK_NICED);
  set((task.uid ?? 0) === 0 || (task.euid ?? 0) === 0, L.TASK_ROOT_UID);
  set(cap(L.CAP_SYS_ADMIN_BIT), L.TASK_CAP_ADMIN);
  set(cap(L.CAP_SYS_RESOURCE_BIT), L.TASK_CAP_RESOURCE);
  set(cap(L.CAP_SYS_RAWIO_BIT), L.TASK_CAP_RAWIO);
  return flags;
}

/** rss + swap + whole pages of page tables. */
export function chargeOf(table: Table, task: TaskRecord): bigint {
  const tables = BigInt(task.pgtables_bytes ?? 0) / BigInt(table.page_size);
  return BigInt(task.rss_pages ?? 0) + BigInt(task.swap_pages ?? 0) + tables;
}

/**
 * The family a task belongs to: its session; or, in a subtree domain, the last task reached by walking up from it
 * until the next parent would be the root, or is not in the table. So a task that does not descend from the root
 * belongs to its topmost known ancestor: keys of one table are then all tgids, and sessions play no part.
 * A ring of parents (readings at different times can hold one) is one family, with all that hang on it.
 */
export function familyKey(table: Table, task: TaskRecord, root: number): number {
  if (root === 0) return task.sid ?? 0;
  const path: number[] = [];
  let at = task;
  while (at.ppid !== root) {
    path.push(at.tgid);
    const parent = table.tasks.find((t) => t.tgid === at.ppid);
    if (parent === undefined) break;
    const ring = path.indexOf(parent.tgid);
    if (ring >= 0) return Math.min(...path.slice(ring));
    at = parent;
  }
  return at.tgid;
}

/** A sum over tasks is a quantity, and stops at the largest one. */
const limited = (sum: bigint): bigint => (sum > QUANTITY_MAX ? QUANTITY_MAX : sum);

/** What the era adds for children: those with an mm of their own, whole (2.6.11) or half and one page (later). */
function childrenVm(scheme: number, table: Table, parent: TaskRecord): bigint {
  if (scheme < L.SCHEME_LINUX_2_6_11 || scheme > L.SCHEME_LINUX_2_6_32) return 0n;
  let sum = 0n;
  for (const child of table.tasks) {
    if (child === parent || child.ppid !== parent.tgid) continue;
    if ((factsOf(child) & (L.TASK_NO_MM | L.TASK_SAME_MM)) !== 0) continue;
    const vm = BigInt(child.total_vm_pages ?? 0);
    sum += scheme === L.SCHEME_LINUX_2_6_11 ? vm : vm / 2n + 1n;
  }
  return limited(sum);
}

/** What the other eligible members of the family are charged. */
function familyRest(table: Table, task: TaskRecord, parameters: Parameters): bigint {
  const key = familyKey(table, task, parameters.root);
  const total_pages = BigInt(parameters.total_pages);
  let sum = 0n;
  for (const other of table.tasks) {
    if (other === task || !isEligible(L.SCHEME_FAMILY, factsOf(other))) continue;
    if (familyKey(table, other, parameters.root) !== key) continue;
    const oom_score_adj = other.oom_score_adj ?? 0;
    sum += ownCharge(chargeOf(table, other), { adj: parameters.adj, oom_score_adj, total_pages });
  }
  return limited(sum);
}

/** The formula's inputs for one task of a table; a table is always scored with 64-bit words. */
export function inputsOf(scheme: number, table: Table, task: TaskRecord, parameters: Parameters): Inputs {
  const ticks = (t: number | undefined) => BigInt(t ?? 0);
  // The jiffies of 2.4 are the only ones that start times are asked in; /proc gives ticks of USER_HZ.
  const clock = (t: bigint) => (scheme === L.SCHEME_LINUX_2_4 ? (t * BigInt(table.hz)) / 100n : t / 100n);
  const withTables = scheme !== L.SCHEME_LINUX_2_6_36;
  const [uptime, start] = [clock(ticks(table.uptime_ticks)), clock(ticks(task.start_time_ticks))];
  return {
    total_vm: ticks(task.total_vm_pages),
    children_vm: scheme === L.SCHEME_FAMILY ? familyRest(table, task, parameters) : childrenVm(scheme, table, task),
    charge: withTables ? chargeOf(table, task) : ticks(task.rss_pages) + ticks(task.swap_pages),
    utime: ticks(task.utime_jiffies),
    stime: ticks(task.stime_jiffies),
    uptime,
    start,
    total_pages: BigInt(parameters.total_pages),
    max_discount: BigInt(parameters.max_discount),
    flags: factsOf(task),
    oom_adj: task.oom_adj ?? 0,
    oom_score_adj: task.oom_score_adj ?? 0,
    hz: table.hz,
    bits: 64,
    age: parameters.age,
    adj: parameters.adj,
  };
}

export function termsOf(scheme: number, table: Table, task: TaskRecord, parameters: Parameters): Terms {
  return badness(scheme, inputsOf(scheme, table, task, parameters));
}

/** Points as the f64 column holds them: nothing above POINTS_MAX, and rounded to even between 2^53 and there. */
export function inColumn(points: bigint): bigint {
  const limit = BigInt(L.POINTS_MAX);
  return BigInt(Number(points > limit ? limit : points));
}

/** Points of every task in table order; null = not eligible. */
export function pointsOfTable(scheme: number, table: Table, parameters: Parameters): (bigint | null)[] {
  return table.tasks.map((task) =>
    isEligible(scheme, factsOf(task)) ? inColumn(termsOf(scheme, table, task, parameters).points) : null,
  );
}
