/** Stage: table → points, before the points. Sizes that a report implies: of a page, of page tables, of all memory. */
import { releaseNumber } from './era.js';
import { constraintOf, type OomEvent, rowOf, victimOf } from './event.js';

/** The page size of the machine of a log, and how it is known. */
export interface PageSize {
  /** Bytes. */
  pageSize: number;
  /** `kill line`: what it says in kB over what the table says in pages. `assumed`: nothing tells, so the usual one. */
  from: 'kill line' | 'assumed';
}

const USUAL_PAGE_BYTES = 4096;
const PAGE_KBS = [4, 8, 16, 32, 64, 256];

/** Bytes of a page on the machine that wrote the report. */
export function pageSizeOf(event: OomEvent): PageSize {
  const { killed } = event;
  const row = killed && rowOf(event, killed.pid);
  if (row && killed.totalVmKb !== null) {
    const kb = PAGE_KBS.find((size) => row.totalVmPages * size === killed.totalVmKb && row.totalVmPages > 0);
    if (kb !== undefined) return { pageSize: kb * 1024, from: 'kill line' };
  }
  return { pageSize: USUAL_PAGE_BYTES, from: 'assumed' };
}

/** The page tables of a victim, and in which unit they were printed. */
export interface PageTables {
  /** Null where it cannot be known what was printed. */
  kb: number | null;
  /** What the kill line printed as `kB`; kernels 5.4.0 … 5.4.8 and 5.5-rc printed bytes there. */
  unit: 'kB' | 'bytes' | 'unknown';
}

const KERNEL_5_4 = releaseNumber('5.4')!;
const KERNEL_5_5 = releaseNumber('5.5')!;
/** The first release of the 5.4 series that divides. */
const FIXED_PATCH = 9;
/** A page mapped by itself needs a table at each level, and no more than this many times the space it maps. */
const TABLES_PER_SPACE = 4;
const SLACK_KB = 64;
/** A page table of ARM or s390; elsewhere it is a whole page. Bytes of page tables are a multiple of it. */
const LEAST_TABLE_BYTES = 2048;

/** What the release says: unfixed kernels print bytes. 5.4.0 is also what vendors call their fixed ones. */
function unitByRelease(release: string | null): PageTables['unit'] {
  const number = release === null ? null : releaseNumber(release);
  if (number === null) return 'unknown';
  const patch = number - KERNEL_5_4;
  if (patch > 0 && patch < FIXED_PATCH) return 'bytes';
  if (number > KERNEL_5_5 || (patch >= FIXED_PATCH && number < KERNEL_5_5)) return 'kB';
  return 'unknown';
}

/** What the number itself says, in an address space of so many kB. */
function unitByValue(printed: number, totalVmKb: number): PageTables['unit'] {
  if (printed % LEAST_TABLE_BYTES !== 0) return 'kB';
  return printed > totalVmKb * TABLES_PER_SPACE + SLACK_KB ? 'bytes' : 'unknown';
}

/** The victim's page tables. Null when the kill line does not speak of them. */
export function pageTablesOf(event: OomEvent): PageTables | null {
  const { killed } = event;
  const printed = killed?.pgtablesPrinted ?? null;
  if (killed === null || printed === null) return null;
  const bytes = rowOf(event, killed.pid)?.pgtablesBytes ?? null;
  let unit: PageTables['unit'] = 'unknown';
  if (printed === 0) unit = 'kB';
  else if (bytes !== null && printed === bytes) unit = 'bytes';
  else if (bytes !== null && printed === Math.floor(bytes / 1024)) unit = 'kB';
  if (unit === 'unknown') unit = unitByRelease(event.release);
  if (unit === 'unknown') unit = unitByValue(printed, killed.totalVmKb ?? 0);
  const kb = { kB: printed, bytes: printed / 1024, unknown: null }[unit];
  return { kb, unit };
}

/** What killing the victim gives back, and what of it the reaper had when it spoke. Null where the log does not say. */
export interface Freed {
  anonKb: number | null;
  fileKb: number | null;
  shmemKb: number | null;
  swapKb: number | null;
  pageTablesKb: number | null;
  /** All of these that are known; null when none is. */
  givesBackKb: number | null;
  /** `kill line`, or `table` for kernels before 2.6.33, whose kill lines have no sizes. */
  from: 'kill line' | 'table' | null;
  reapedKb: number | null;
}

function sum(...parts: (number | null)[]): number | null {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : known.reduce((all, part) => all + part, 0);
}

function reapedKb({ killed, reaped }: OomEvent): number | null {
  const report = killed && reaped.find(({ pid }) => pid === killed.pid);
  if (!report || killed.anonRssKb === null) return null;
  const before = sum(killed.anonRssKb, killed.fileRssKb, killed.shmemRssKb)!;
  return Math.max(before - report.anonRssKb - report.fileRssKb - report.shmemRssKb, 0);
}

/** The memory of the victim, from its kill line and its row. */
export function freedBy(event: OomEvent, pageSize: number, tables: PageTables | null): Freed {
  const victim = victimOf(event);
  const row = victim && rowOf(event, victim.pid);
  const { killed } = event;
  const pageKb = pageSize / 1024;
  const swapKb = row?.swapPages == null ? null : row.swapPages * pageKb;
  const sized = killed !== null && killed.anonRssKb !== null;
  const [anonKb, fileKb, shmemKb] = sized
    ? [killed.anonRssKb, killed.fileRssKb, killed.shmemRssKb]
    : [null, null, null];
  const inTable = row?.pgtablesBytes == null ? null : row.pgtablesBytes / 1024;
  const pageTablesKb = tables?.kb ?? inTable;
  const rss = sized ? sum(anonKb, fileKb, shmemKb) : row && row.rssPages * pageKb;
  const givesBackKb = rss === null ? null : sum(rss, swapKb, pageTablesKb);
  const from = sized ? 'kill line' : row ? 'table' : null;
  return { anonKb, fileKb, shmemKb, swapKb, pageTablesKb, givesBackKb, from, reapedKb: reapedKb(event) };
}

/** Pages that oom_score_adj is a thousandth of, as far as they are known: at least and at most. */
export interface TotalPages {
  low: number;
  high: number;
  /** Where they are from, in words. */
  from: string;
}

/** More than any machine has. */
const PAGES_MAX = 2 ** 40;

function cgroupPages({ cgroup }: OomEvent, limitKb: number, pageKb: number): TotalPages {
  const low = Math.floor(limitKb / pageKb);
  const { swap, memorySwap } = cgroup;
  let swapKb: number | null = 0;
  if (swap) swapKb = swap.limitKb;
  else if (memorySwap) swapKb = memorySwap.limitKb === null ? null : Math.max(memorySwap.limitKb - limitKb, 0);
  if (swapKb === null) return { low, high: PAGES_MAX, from: 'the limit of the cgroup, and an unknown amount of swap' };
  const high = low + Math.floor(swapKb / pageKb);
  return {
    low,
    high,
    from: high === low ? 'the limit of the cgroup' : 'the limit of the cgroup, and at most its swap',
  };
}

/** Where there is no more to go by: memory holds at least the largest task. */
function largest({ rows }: OomEvent): number {
  return rows.reduce((most, { rssPages, swapPages }) => Math.max(most, rssPages + (swapPages ?? 0)), 1);
}

/** What the kernel scaled oom_score_adj by. */
export function totalPagesOf(event: OomEvent, pageSize: number): TotalPages {
  const { memory, context } = event;
  const pageKb = pageSize / 1024;
  const ofCgroup = constraintOf(event) === 'CONSTRAINT_MEMCG';
  const limitKb = ofCgroup ? (event.cgroup.memory?.limitKb ?? null) : null;
  if (limitKb !== null) return cgroupPages(event, limitKb, pageKb);
  const { ramPages, reservedPages, totalSwapKb } = memory;
  if (ramPages === null || ofCgroup) {
    return { low: largest(event), high: PAGES_MAX, from: 'all memory, which the report does not say' };
  }
  const swapPages = Math.floor((totalSwapKb ?? 0) / pageKb);
  const all = Math.max(ramPages - (reservedPages ?? 0), 1) + swapPages;
  const part = ['CONSTRAINT_CPUSET', 'CONSTRAINT_MEMORY_POLICY'].includes(context?.constraint ?? '');
  if (part) {
    const low = Math.min(Math.max(largest(event), swapPages), all);
    return { low, high: all, from: 'some nodes of the memory, which the report does not size' };
  }
  return { low: all, high: all, from: 'RAM that is not reserved, and swap' };
}
