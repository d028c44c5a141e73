/** The vector files as the formulas read them: every row as inputs of the scalar form, and as a table. */
import * as L from '../../../assembly/layout.js';
import type { Inputs } from '../../reference/badness.js';
import type { Parameters, Table, TaskRecord } from '../../reference/table.js';
import rows2610 from '../../vectors/badness-2.6.10.json' with { type: 'json' };
import otherEras from '../../vectors/badness-other-eras.json' with { type: 'json' };
import modern from '../../vectors/oom_score-modern.json' with { type: 'json' };
import own from '../../vectors/own-schemes.json' with { type: 'json' };

export interface Case {
  name: string;
  scheme: number;
  inputs: Inputs;
  /** The row's task is tasks[0], with its quantities in `cells` when a table cannot hold them. */
  table: Table;
  parameters: Parameters;
  /** Field and value of a quantity above QUANTITY_MAX or below 0. */
  misfit: [field: number, value: bigint] | null;
  /** null = not eligible, which scores 0 where points are asked for all the same. */
  points: bigint | null;
  /** Only where the row tells. */
  oomScore?: bigint;
  terms?: { cpu_units: bigint; cpu_div: bigint; run_units: bigint; run_div: bigint };
}

const NO_PARAMETERS: Parameters = { max_discount: 4, age: 0, adj: 0, total_pages: 0, root: 0 };
const NO_INPUTS: Inputs = {
  ...{ total_vm: 0n, children_vm: 0n, charge: 0n, utime: 0n, stime: 0n, uptime: 0n, start: 0n },
  ...{ total_pages: 0n, max_discount: 4n, flags: 0, oom_adj: 0, oom_score_adj: 0, hz: 100, bits: 64, age: 0, adj: 0 },
};

type Truth = boolean | number;

interface ClassicRow {
  name: string;
  hz: number;
  total_vm: string;
  utime: string;
  stime: string;
  nice: number;
  uid: number;
  euid: number;
  cap_sys_admin: Truth;
  cap_sys_resource?: Truth;
  cap_sys_rawio: Truth;
  points: string;
}

const capEff = (row: { cap_sys_admin: Truth; cap_sys_resource?: Truth; cap_sys_rawio?: Truth }): string => {
  let caps = 0;
  if (row.cap_sys_admin) caps |= 1 << L.CAP_SYS_ADMIN_BIT;
  if (row.cap_sys_resource) caps |= 1 << L.CAP_SYS_RESOURCE_BIT;
  if (row.cap_sys_rawio) caps |= 1 << L.CAP_SYS_RAWIO_BIT;
  return caps.toString(16);
};

function privileges(row: ClassicRow): number {
  let flags = 0;
  if (row.nice > 0) flags |= L.TASK_NICED;
  if (row.uid === 0 || row.euid === 0) flags |= L.TASK_ROOT_UID;
  if (row.cap_sys_admin) flags |= L.TASK_CAP_ADMIN;
  if (row.cap_sys_resource) flags |= L.TASK_CAP_RESOURCE;
  if (row.cap_sys_rawio) flags |= L.TASK_CAP_RAWIO;
  return flags;
}

/** A classic row, `extra` being the facts that only its own file tells. Clocks are in seconds (2.4: jiffies). */
function classicCase(scheme: number, row: ClassicRow, clocks: { now: bigint; start: bigint }, extra: Extra): Case {
  const { bits, flags, oomAdj, children } = extra;
  const word = (v: bigint) => BigInt.asUintN(bits, v);
  const perSecond = scheme === L.SCHEME_LINUX_2_4 ? 1n : 100n;
  const tgid = 100;
  const cells: [number, bigint][] = [
    [L.FIELD_TOTAL_VM_PAGES, BigInt(row.total_vm)],
    [L.FIELD_UTIME_JIFFIES, BigInt(row.utime)],
    [L.FIELD_STIME_JIFFIES, BigInt(row.stime)],
    [L.FIELD_START_TIME_TICKS, clocks.start * perSecond],
  ];
  const [vm, utime, stime, start] = cells.map(([, value]) => Number(value));
  const task: TaskRecord = {
    ...{ tgid, ppid: 50, total_vm_pages: vm!, utime_jiffies: utime!, stime_jiffies: stime!, start_time_ticks: start! },
    ...{ nice: row.nice, uid: row.uid, euid: row.euid, cap_eff: capEff(row), oom_adj: oomAdj, flags },
    has_mm: (flags & L.TASK_NO_MM) === 0,
  };
  const tasks = [task, ...children.map((child, i) => ({ ...child, tgid: 200 + i, ppid: tgid }))];
  const misfit = cells.find(([, value]) => value < 0n || value > BigInt(L.QUANTITY_MAX)) ?? null;
  return {
    ...{ name: row.name, scheme, misfit, parameters: NO_PARAMETERS, points: BigInt(row.points) },
    table: { hz: row.hz, page_size: 4096, uptime_ticks: Number(clocks.now * perSecond), tasks },
    inputs: {
      ...{ ...NO_INPUTS, total_vm: word(BigInt(row.total_vm)), children_vm: extra.childrenVm },
      ...{ utime: word(BigInt(row.utime)), stime: word(BigInt(row.stime)) },
      ...{ uptime: word(clocks.now), start: word(clocks.start), hz: row.hz, bits, oom_adj: oomAdj },
      flags: flags | privileges(row),
    },
  };
}

interface Extra {
  bits: number;
  flags: number;
  oomAdj: number;
  children: Omit<TaskRecord, 'tgid'>[];
  childrenVm: bigint;
}

export function cases2610(): Case[] {
  return rows2610.rows.map((row) => {
    const flags = (row.has_mm ? 0 : L.TASK_NO_MM) | (row.memdie ? L.TASK_MEMDIE : 0);
    const clocks = { now: BigInt(row.uptime), start: BigInt(row.start_time) };
    const extra = { bits: row.bits, flags, oomAdj: 0, children: [], childrenVm: 0n };
    const [cpu_units, cpu_div] = [BigInt(row.cpu_time), BigInt(row.cpu_div)];
    const [run_units, run_div] = [BigInt(row.run_time), BigInt(row.run_div)];
    const terms = { cpu_units, cpu_div, run_units, run_div };
    return { ...classicCase(L.SCHEME_LINUX_2_6_10, row, clocks, extra), terms };
  });
}

interface EraRow extends ClassicRow {
  era: string;
  now: string;
  start: string;
  oom_adj: number;
  mems_disjoint: number;
  swapoff: number;
  children: { total_vm: string | null; same_mm: boolean }[];
}

interface ShareRow {
  name: string;
  era?: string;
  rss: string;
  swap: string;
  pgtable_pages?: string;
  pgtables_bytes?: string;
  adj: number;
  cap_sys_admin?: number;
  totalpages: string;
  badness: string | null;
  oom_score: number;
}

const ERAS: Record<string, number> = {
  '2.4.20': L.SCHEME_LINUX_2_4,
  '2.6.11': L.SCHEME_LINUX_2_6_11,
  '2.6.16': L.SCHEME_LINUX_2_6_16,
  '2.6.20': L.SCHEME_LINUX_2_6_20,
  '2.6.32': L.SCHEME_LINUX_2_6_32,
  '2.6.36': L.SCHEME_LINUX_2_6_36,
  '3.0-3.4': L.SCHEME_LINUX_3_0,
  '3.5-3.14': L.SCHEME_LINUX_3_5,
  '3.15-4.16': L.SCHEME_LINUX_3_15,
  '4.17-5.8': L.SCHEME_LINUX_4_17,
  '5.9+': L.SCHEME_LINUX_5_9,
};

function eraCase(row: EraRow): Case {
  const scheme = ERAS[row.era]!;
  const flags = (row.mems_disjoint ? L.TASK_MEMS_DISJOINT : 0) | (row.swapoff ? L.TASK_ORIGIN : 0);
  const children = row.children.map((child) => ({
    total_vm_pages: Number(child.total_vm ?? 0),
    has_mm: child.total_vm !== null,
    flags: child.same_mm ? L.TASK_SAME_MM : 0,
  }));
  let childrenVm = 0n;
  for (const child of row.children) {
    if (child.total_vm === null || child.same_mm) continue;
    const vm = BigInt(child.total_vm);
    childrenVm += scheme === L.SCHEME_LINUX_2_6_11 ? vm : vm / 2n + 1n;
  }
  const extra = { bits: 64, flags, oomAdj: row.oom_adj, children, childrenVm };
  return classicCase(scheme, row, { now: BigInt(row.now), start: BigInt(row.start) }, extra);
}

function shareCase(scheme: number, row: ShareRow): Case {
  const tables = row.pgtables_bytes ?? (BigInt(row.pgtable_pages!) * 4096n).toString();
  const counted = scheme === L.SCHEME_LINUX_2_6_36 ? 0n : BigInt(tables) / 4096n;
  const admin = row.cap_sys_admin ? L.TASK_CAP_ADMIN : 0;
  const task: TaskRecord = {
    ...{ tgid: 100, has_mm: true, rss_pages: Number(row.rss), swap_pages: Number(row.swap) },
    ...{ pgtables_bytes: Number(tables), oom_score_adj: row.adj, uid: 1000, euid: 1000 },
    cap_eff: capEff({ cap_sys_admin: row.cap_sys_admin ?? 0 }),
  };
  const never = row.adj === L.ADJ_MIN;
  return {
    ...{ name: row.name, scheme, misfit: null, oomScore: BigInt(row.oom_score) },
    points: never || row.badness === null ? null : BigInt(row.badness),
    table: { hz: 100, page_size: 4096, uptime_ticks: 0, tasks: [task] },
    parameters: { ...NO_PARAMETERS, total_pages: Number(row.totalpages) },
    inputs: {
      ...{ ...NO_INPUTS, charge: BigInt(row.rss) + BigInt(row.swap) + counted, oom_score_adj: row.adj },
      ...{ total_pages: BigInt(row.totalpages), flags: admin | (never ? L.TASK_ADJ_NEVER : 0) },
    },
  };
}

export function casesOtherEras(): Case[] {
  const rows = otherEras.rows as unknown as (EraRow | ShareRow)[];
  return rows.map((row) => ('rss' in row ? shareCase(ERAS[row.era!]!, row) : eraCase(row)));
}

/** Two cases a row: 5.9 and later, and the older columns. */
export function casesModern(): Case[] {
  return modern.rows.flatMap((row) => [
    shareCase(L.SCHEME_LINUX_5_9, row),
    shareCase(L.SCHEME_LINUX_4_17, {
      ...row,
      name: `${row.name} (4.17 … 5.8)`,
      badness: row.badness_v4_17_to_5_8,
      oom_score: row.oom_score_v4_17_to_5_8,
    }),
  ]);
}

export interface OwnCase {
  name: string;
  scheme: number;
  table: Table;
  parameters: Parameters;
  /** In table order; null = not eligible. */
  points: (bigint | null)[];
  /** tgids. */
  ranking: number[];
}

const OWN: Record<string, number> = {
  badness: L.SCHEME_BADNESS,
  resident: L.SCHEME_RESIDENT,
  family: L.SCHEME_FAMILY,
};
const AGES: Record<string, number> = {
  'spare-old': L.AGE_SPARE_OLD,
  'spare-young': L.AGE_SPARE_YOUNG,
  ignore: L.AGE_IGNORE,
};

export function casesOwn(): OwnCase[] {
  return own.tables.map((t, i) => {
    const given = t.points as Record<string, number | null>;
    return {
      name: `table ${i}, ${t.scheme}`,
      scheme: OWN[t.scheme]!,
      table: { hz: t.hz, page_size: t.page_size, uptime_ticks: t.uptime_s * 100, tasks: t.tasks },
      parameters: {
        ...{ max_discount: t.max_discount, age: AGES[t.age]!, adj: L.ADJ_NEVER_ONLY },
        ...{ total_pages: t.total_pages, root: t.root_tgid ?? 0 },
      },
      points: t.tasks.map(({ tgid }) => (given[tgid] == null ? null : BigInt(given[tgid]))),
      ranking: t.ranking,
    };
  });
}
