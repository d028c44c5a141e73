/**
 * Stage: points. What a plug-in is given and where: the one table that the copying, the worker, the documentation
 * (docs/plugins.md) and the constants of the template (examples/scheme-assemblyscript/) are made from.
 *
 * A region of `HEADER_BYTES + n · TASK_BYTES` bytes, little-endian, at an address that is a multiple of 8: the header, then one column
 * after the other, each with n entries.
 */
import * as L from '../../assembly/layout.js';

/** What `abi_version` of a module must answer. */
export const PLUGIN_ABI = 1;
export const HEADER_BYTES = 64;

export interface HeaderCell {
  /** As in modules and docs; JavaScript modules get it in camelCase. */
  readonly name: string;
  /** Bytes from the start of the region. */
  readonly at: number;
  readonly words: string;
}

/** Each an f64. The rest of the header is 0, and free for later versions. */
export const HEADER: readonly HeaderCell[] = [
  { name: 'total_pages', at: 0, words: 'memory and swap of the domain, in pages' },
  { name: 'page_size', at: 8, words: 'bytes' },
  { name: 'hz', at: 16, words: 'jiffies a second' },
  { name: 'uptime_s', at: 24, words: 'seconds since boot, to 1/100' },
  { name: 'tasks', at: 32, words: 'n' },
];

export type CellType = 'f64' | 'u32' | 'i32' | 'bytes';

export interface Column {
  readonly name: string;
  readonly type: CellType;
  /** Of one entry. */
  readonly bytes: number;
  /** The column starts at HEADER_BYTES + offset · n. */
  readonly offset: number;
  /** In the engine's table. */
  readonly from: number;
  readonly words: string;
}

const WIDTHS = { f64: 8, u32: 4, i32: 4, bytes: L.COMM_BYTES } as const;

/** Widest first, so that every column is aligned whatever n is. */
const COLUMN_LIST: readonly [name: string, type: CellType, from: number, words: string][] = [
  ['points', 'f64', L.C_POINTS, 'in: what the fallback scheme gives; out: yours'],
  ['total_vm_pages', 'f64', L.C_TOTAL_VM, 'address space'],
  ['rss_pages', 'f64', L.C_RSS, 'resident'],
  ['rss_anon_pages', 'f64', L.C_RSS_ANON, 'resident, anonymous'],
  ['rss_shmem_pages', 'f64', L.C_RSS_SHMEM, 'resident, shared memory and tmpfs'],
  ['swap_pages', 'f64', L.C_SWAP, 'swapped out'],
  ['pgtables_bytes', 'f64', L.C_PGTABLES_BYTES, 'page tables'],
  ['utime_jiffies', 'f64', L.C_UTIME, 'CPU time, user'],
  ['stime_jiffies', 'f64', L.C_STIME, 'CPU time, system'],
  ['start_time_ticks', 'f64', L.C_START_TICKS, '1/100 s since boot'],
  ['tgid', 'u32', L.C_ID, 'the pid that everybody means'],
  ['ppid', 'u32', L.C_PPID, 'parent'],
  ['sid', 'u32', L.C_SID, 'session'],
  ['threads', 'u32', L.C_THREADS, ''],
  ['uid', 'u32', L.C_UID, 'real user'],
  ['euid', 'u32', L.C_EUID, 'effective user'],
  ['nice', 'i32', L.C_NICE, '−20 … 19'],
  ['oom_score_adj', 'i32', L.C_OOM_SCORE_ADJ, '−1000 … 1000'],
  ['comm', 'bytes', L.C_COMM, 'name, NUL-padded; whatever bytes its process wanted'],
];

/** In the order of the region. */
export const COLUMNS: readonly Column[] = (() => {
  let offset = 0;
  return COLUMN_LIST.map(([name, type, from, words]) => {
    const column = { name, type, bytes: WIDTHS[type], offset, from, words };
    offset += column.bytes;
    return column;
  });
})();

/** What the columns take for one task. */
export const TASK_BYTES = COLUMNS.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes of a region for n tasks. */
export function regionBytes(n: number): number {
  return HEADER_BYTES + n * TASK_BYTES;
}

/** The table of the columns as the documentation has it. */
export function layoutTable(): string[] {
  const cells = HEADER.map(({ name, at, words }) => `| ${at} | \`${name}\` | f64 | ${words} |`);
  const columns = COLUMNS.map(({ name, type, bytes, offset, words }) => {
    const kind = type === 'bytes' ? `${bytes} bytes` : type;
    return `| ${HEADER_BYTES} + ${offset} · n | \`${name}\` | ${kind} | ${words} |`;
  });
  return ['| at | what | each | meaning |', '|---|---|---|---|', ...cells, ...columns];
}

/** The same as constants, for AssemblyScript. */
export function layoutConstants(): string[] {
  const shout = (name: string) => name.toUpperCase();
  return [
    `export const ABI_VERSION: i32 = ${PLUGIN_ABI};`,
    `export const HEADER_BYTES: usize = ${HEADER_BYTES};`,
    `export const TASK_BYTES: usize = ${TASK_BYTES};`,
    ...HEADER.map(({ name, at }) => `export const ${shout(name)}: usize = ${at}; // f64`),
    ...COLUMNS.map(({ name, type, offset }) => `export const ${shout(name)}: usize = ${offset}; // ${type}, · n`),
  ];
}
