/** Random tables for the differential tests: over the whole domain of a column, or full of ties. */

import * as L from '../../../assembly/layout.js';
import type { Parameters, Table, TaskRecord } from '../../reference/table.js';
import fc from './fast-check.js';

export const SCHEME_NAMES = [
  ...['linux-2.4', 'linux-2.6.10', 'linux-2.6.11', 'linux-2.6.16', 'linux-2.6.20', 'linux-2.6.32', 'linux-2.6.36'],
  ...['linux-3.0', 'linux-3.5', 'linux-3.15', 'linux-4.17', 'linux-5.9', 'badness', 'resident', 'family'],
] as const;

const around = (v: number): fc.Arbitrary<number> => fc.constantFrom(Math.max(0, v - 1), v, v + 1);
const within = (v: number): number => Math.min(v, L.QUANTITY_MAX);

/** A quantity that likes the places where floors, roots and words change. */
export const quantity: fc.Arbitrary<number> = fc
  .oneof(
    fc.nat(4096),
    fc.nat(0xffffffff),
    fc.double({ min: 0, max: L.QUANTITY_MAX, noNaN: true }).map(Math.floor),
    fc.integer({ min: 0, max: 53 }).chain((bit) => around(2 ** bit)),
    fc.integer({ min: 0, max: 94906265 }).chain((root) => around(root * root)),
    fc.integer({ min: 0, max: 9741 }).chain((root) => around(root ** 4)),
    fc.nat(2 ** 40).chain((n) => around(n * 1024)),
    fc.nat(2 ** 40).chain((n) => around(n * 100)),
    fc.nat(2 ** 22).map((n) => 2 ** 31 + n),
  )
  .map(within);

const SCALES = [1, 1, 1, 2 ** 10, 2 ** 20, 2 ** 30];

const capabilities = fc
  .subarray([L.CAP_SYS_RAWIO_BIT, L.CAP_SYS_ADMIN_BIT, L.CAP_SYS_RESOURCE_BIT, 40])
  .map((bits) => bits.reduce((caps, bit) => caps | (1n << BigInt(bit)), 0n).toString(16));

const FLAGS = [
  ...[L.TASK_MEMDIE, L.TASK_EXITING, L.TASK_ORIGIN, L.TASK_VFORK, L.TASK_SAME_MM, L.TASK_MEMS_DISJOINT],
  ...[L.TASK_PROTECTED, L.TASK_SELF, L.TASK_OUTSIDE, L.TASK_RULE_NEVER],
];

/** Mostly none, else one or two: with more of them nearly every task would be excluded. */
export const someFlags: fc.Arbitrary<number> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(L.TASK_ORIGIN, L.TASK_MEMDIE, L.TASK_EXITING) },
  {
    weight: 1,
    arbitrary: fc.subarray(FLAGS, { minLength: 1, maxLength: 2 }).map((some) => some.reduce((all, f) => all | f, 0)),
  },
);

const oomScoreAdj = fc.oneof(fc.constantFrom(0, 0, -1000, -999, -1, 1, 1000), fc.integer({ min: -1000, max: 1000 }));
const oomAdj = fc.oneof(fc.constantFrom(0, 0, -17, -16, 15, 1), fc.integer({ min: -17, max: 15 }));

/** What both kinds of table have in common; quantities come from `of`. */
function taskOf(of: fc.Arbitrary<number>, start: fc.Arbitrary<number>, flags: fc.Arbitrary<number>) {
  return fc.record({
    ppid: fc.integer({ min: 0, max: 24 }),
    sid: fc.constantFrom(1, 2, 3, 20, 2 ** 31 + 1, 2 ** 32 - 1),
    total_vm_pages: of,
    rss_pages: of,
    swap_pages: fc.oneof(fc.constant(0), of),
    pgtables_bytes: of,
    utime_jiffies: of,
    stime_jiffies: of,
    start_time_ticks: start,
    nice: fc.constantFrom(0, 0, -20, 1, 19),
    uid: fc.constantFrom(0, 1000, 4294967295),
    euid: fc.constantFrom(0, 1000, 1000),
    cap_eff: capabilities,
    oom_score_adj: oomScoreAdj,
    oom_adj: oomAdj,
    kthread: fc.constantFrom(false, false, false, false, true),
    mm: fc.constantFrom('by values', 'by values', 'by values', 'yes', 'no'),
    flags,
  });
}

type Loose = Omit<TaskRecord, 'tgid'> & { mm: string };

/** Gives out tgids, no two the same, moves parents next to them, and says has_mm only where it is not what the values say. */
function numbered(tasks: readonly Loose[], first: number): TaskRecord[] {
  return tasks.map(({ mm, ...task }, i) => ({
    ...task,
    tgid: first + i,
    ppid: first - 1 + (task.ppid ?? 0),
    ...(mm === 'by values' ? {} : { has_mm: mm === 'yes' }),
  }));
}

/** Sums that table_put would refuse are brought into range: charge and CPU time are quantities too. */
function fitting(task: TaskRecord): TaskRecord {
  const room = L.QUANTITY_MAX - (task.rss_pages ?? 0);
  const swap = Math.min(task.swap_pages ?? 0, room);
  const tables = Math.min(task.pgtables_bytes ?? 0, room - swap);
  const stime = Math.min(task.stime_jiffies ?? 0, L.QUANTITY_MAX - (task.utime_jiffies ?? 0));
  return { ...task, swap_pages: swap, pgtables_bytes: tables, stime_jiffies: stime };
}

export const parameters: fc.Arbitrary<Parameters> = fc.record({
  max_discount: fc.oneof(fc.constantFrom(1, 2, 4, 2 ** 31), fc.integer({ min: 1, max: 2 ** 31 })),
  age: fc.constantFrom(L.AGE_SPARE_OLD, L.AGE_SPARE_YOUNG, L.AGE_IGNORE),
  adj: fc.constantFrom(L.ADJ_NEVER_ONLY, L.ADJ_KERNEL),
  total_pages: quantity,
  root: fc.constantFrom(0, 0, 1, 2, 5, 30, 2 ** 31 + 2),
});

/** Tables over the whole domain of every column. Scales keep some of them near what machines have. */
export const wideTable: fc.Arbitrary<Table> = fc
  .record({
    hz: fc.constantFrom(48, 95, 96, 100, 250, 383, 1000, 1024, 1535),
    page_size: fc.constantFrom(4096, 16384, 65536),
    uptime_ticks: quantity,
    scale: fc.constantFrom(...SCALES),
    first: fc.constantFrom(1, 2, 10, 2 ** 31),
    tasks: fc.array(taskOf(quantity, quantity, someFlags), { minLength: 1, maxLength: 12 }),
  })
  .map(({ scale, first, tasks, ...table }) => {
    const scaled = (v: number | undefined) => Math.floor((v ?? 0) / scale);
    const small = numbered(tasks, first).map((task) => ({
      ...task,
      total_vm_pages: scaled(task.total_vm_pages),
      rss_pages: scaled(task.rss_pages),
      swap_pages: scaled(task.swap_pages),
    }));
    return { ...table, tasks: small.map(fitting) };
  });

const few = fc.constantFrom(0, 0, 1, 4096, 5000, 100000);

/** Tables in which nearly everything is a tie, in an order that says nothing. `flags` are dealt to single tasks. */
export function tiedTable(flags: fc.Arbitrary<number>): fc.Arbitrary<Table> {
  return fc
    .record({
      hz: fc.constantFrom(100, 1000),
      first: fc.constantFrom(1, 2, 10, 2 ** 31),
      tasks: fc.array(taskOf(few, fc.constantFrom(0, 100, 200), flags), { minLength: 1, maxLength: 20 }),
    })
    .chain(({ hz, first, tasks }) =>
      fc.shuffledSubarray(numbered(tasks, first), { minLength: tasks.length }).map((shuffled) => ({
        ...{ hz, page_size: 4096, uptime_ticks: 200000000, tasks: shuffled },
      })),
    );
}
