/**
 * Stage: bytes → table. The task table of a report. Its columns changed with the kernels, so a row is read by the names
 * in the header above it and never by position; what the name of a task holds is the rest of the line.
 */

/** One row. Null where the table of that kernel has no such column. Quantities in pages unless they say otherwise. */
export interface TableRow {
  /** Of the thread that still has the memory; usually the tgid. */
  pid: number;
  tgid: number;
  comm: string;
  uid: number;
  totalVmPages: number;
  rssPages: number;
  rssAnonPages: number | null;
  rssFilePages: number | null;
  rssShmemPages: number | null;
  swapPages: number | null;
  /** Bytes of page tables, since 4.15. */
  pgtablesBytes: number | null;
  /** Pages of page tables: of the lowest level (3.7), and of the next (4.0). */
  ptePages: number | null;
  pmdPages: number | null;
  oomAdj: number | null;
  oomScoreAdj: number | null;
  /** Whether a task of this pid and name was killed earlier in the same log. */
  killedBefore: boolean;
}

/** The head of a task table in a kernel log. */
export interface TableHeader {
  /** Names between pid and name, in their order. */
  columns: readonly string[];
  /** The wide pid column of 4.19 and later. */
  wide: boolean;
}

const HEADER = /^\[ {0,8}pid {0,8}\] {1,8}(uid {1,8}tgid {1,8}total_vm {1,8}rss [a-z_ ]{0,200}[ ])name$/;
const COLUMNS_MAX = 32;

/** The header that a line is, or null. */
export function parseTableHeader(text: string): TableHeader | null {
  const found = HEADER.exec(text.trimEnd());
  if (!found) return null;
  const columns = found[1]!.trim().split(/ +/);
  if (columns.length > COLUMNS_MAX || new Set(columns).size !== columns.length) return null;
  return { columns, wide: /^\[ {2}pid {2}\]/.test(text) };
}

/** Whether a line has the shape of a row, whatever its columns. */
export function looksLikeRow(text: string): boolean {
  return /^\[ {0,12}\d{1,10}\] {1,12}-?\d{1,10} {1,12}\d{1,10} /.test(text);
}

/** Above this no machine has pages, and sums stay exact. */
const QUANTITY_MAX = 2 ** 44;
const U32 = 2 ** 32;
const PID = /\[ {0,12}(\d{1,10})\]/y;
const CELL = / {1,24}(-?\d{1,16})(?= |$)/y;

/** The numbers of a row by column, and its name. Null when a cell is missing or no number. */
function cells(
  text: string,
  columns: readonly string[],
): { pid: number; values: Map<string, number>; comm: string } | null {
  PID.lastIndex = 0;
  const pid = PID.exec(text);
  if (!pid) return null;
  let at = PID.lastIndex;
  const values = new Map<string, number>();
  for (const column of columns) {
    CELL.lastIndex = at;
    const cell = CELL.exec(text);
    if (!cell) return null;
    at = CELL.lastIndex;
    values.set(column, Number(cell[1]));
  }
  // One blank before the name; more than one belong to it.
  return { pid: Number(pid[1]), values, comm: text.slice(at + 1) };
}

const QUANTITIES = 'tgid total_vm rss rss_anon rss_file rss_shmem swapents pgtables_bytes nr_ptes nr_pmds'.split(' ');

function inRange(values: Map<string, number>): boolean {
  const within = (name: string, low: number, high: number) => {
    const value = values.get(name) ?? 0;
    return value >= low && value <= high;
  };
  const quantities = QUANTITIES.every((name) => within(name, 0, QUANTITY_MAX));
  const ids = within('tgid', 1, U32 - 1) && within('uid', -U32 / 2, U32 - 1);
  return quantities && ids && within('oom_score_adj', -1000, 1000) && within('oom_adj', -17, 15);
}

/** The row that a line is below `header`; null when it is none, or holds what no kernel would print. */
export function parseTableRow(text: string, header: TableHeader): TableRow | null {
  const read = text.startsWith('[') ? cells(text, header.columns) : null;
  if (!read || !inRange(read.values)) return null;
  const { pid, values, comm } = read;
  const optional = (name: string) => values.get(name) ?? null;
  return {
    pid,
    tgid: values.get('tgid')!,
    comm,
    // Printed signed: 4294967294 as -2.
    uid: (values.get('uid')! + U32) % U32,
    totalVmPages: values.get('total_vm')!,
    rssPages: values.get('rss')!,
    rssAnonPages: optional('rss_anon'),
    rssFilePages: optional('rss_file'),
    rssShmemPages: optional('rss_shmem'),
    swapPages: optional('swapents'),
    pgtablesBytes: optional('pgtables_bytes'),
    ptePages: optional('nr_ptes'),
    pmdPages: optional('nr_pmds'),
    oomAdj: optional('oom_adj'),
    oomScoreAdj: optional('oom_score_adj'),
    killedBefore: false,
  };
}
