/**
 * Stage: bytes → table. The rows of a report as task records. A report has no CPU time, no start time, no parent, no
 * session and no capabilities; what stands for them is said here, and what that leaves in doubt in doubts.ts.
 */
import type { Machine, SchemeName, Task } from '../index.js';
import type { TableHeader, TableRow } from './table.js';

/** Every capability that there is: what a task of root usually has. */
const ALL_CAPABILITIES = '1ffffffffff';
const NEVER = -1000;
const OLD_NEVER = -17;
const OLD_MOST = 15;
const USER_HZ = 100;

/** oom_adj as oom_score_adj, by the rule of the kernels that have both. */
function scoreAdjOf({ oomScoreAdj, oomAdj }: TableRow): number {
  if (oomScoreAdj !== null) return oomScoreAdj;
  if (oomAdj === null) return 0;
  return oomAdj === OLD_MOST ? -NEVER : Math.trunc((oomAdj * -NEVER) / -OLD_NEVER);
}

/** And the other way round. */
function oldAdjOf({ oomScoreAdj, oomAdj }: TableRow): number {
  if (oomAdj !== null) return oomAdj;
  return Math.min(Math.trunc(((oomScoreAdj ?? 0) * -OLD_NEVER) / -NEVER), OLD_MOST);
}

/** The machine that they are of, as far as a report tells. */
export function machineOf(pageSize: number, totalPages: number): Machine {
  return { hz: USER_HZ, pageSize, uptimeS: 0, totalPages };
}

/** The tasks of a table, in its order. */
export function tasksOf(rows: readonly TableRow[], pageSize: number): Task[] {
  return rows.map((row, index) => {
    const tables = row.pgtablesBytes ?? ((row.ptePages ?? 0) + (row.pmdPages ?? 0)) * pageSize;
    return {
      tgid: row.tgid,
      comm: row.comm,
      uid: row.uid,
      euid: row.uid,
      totalVmPages: row.totalVmPages,
      rssPages: row.rssPages,
      rssAnonPages: row.rssAnonPages ?? 0,
      rssShmemPages: row.rssShmemPages ?? 0,
      swapPages: row.swapPages ?? 0,
      pgtablesBytes: tables,
      capEff: row.uid === 0 ? ALL_CAPABILITIES : '0',
      oomScoreAdj: scoreAdjOf(row),
      oomAdj: oldAdjOf(row),
      // The kernel prints the table in the order in which it looks for its victim, and equal points fall by that order.
      startTimeTicks: index,
      hasMm: true,
    };
  });
}

/** What a table of that kernel does not print, and points of other schemes would need. */
export type Missing =
  | 'page tables'
  | 'swap'
  | 'CPU time'
  | 'run time'
  | 'niceness'
  | 'children'
  | 'capabilities'
  | 'sessions';

const CLASSIC: readonly Missing[] = ['CPU time', 'run time', 'niceness', 'capabilities'];
const CLASSIC_WITH_CHILDREN: readonly Missing[] = [...CLASSIC, 'children'];

/** What a scheme reckons with besides memory, and no report has. Capabilities are guessed from uid 0. */
const NEVER_IN_REPORTS: Record<SchemeName, readonly Missing[]> = {
  'linux-2.4': CLASSIC,
  'linux-2.6.10': CLASSIC,
  'linux-2.6.11': CLASSIC_WITH_CHILDREN,
  'linux-2.6.16': CLASSIC_WITH_CHILDREN,
  'linux-2.6.20': CLASSIC_WITH_CHILDREN,
  'linux-2.6.32': CLASSIC_WITH_CHILDREN,
  'linux-2.6.36': ['capabilities'],
  'linux-3.0': ['capabilities'],
  'linux-3.5': ['capabilities'],
  'linux-3.15': ['capabilities'],
  'linux-4.17': [],
  'linux-5.9': [],
  badness: ['CPU time', 'run time', 'niceness'],
  resident: [],
  family: ['sessions'],
};

/** What `scheme` reckons with and the table under `header` does not have. */
export function missingFor(scheme: SchemeName, { columns }: TableHeader): Missing[] {
  const missing = [...NEVER_IN_REPORTS[scheme]];
  // Before 2.6.36 points came from the address space, which every table has.
  if (missing.includes('CPU time') && scheme !== 'badness') return missing;
  if (!columns.includes('swapents')) missing.push('swap');
  const tables = columns.includes('pgtables_bytes') || columns.includes('nr_ptes');
  if (!tables && scheme !== 'linux-2.6.36') missing.push('page tables');
  return missing;
}
