/** Stage: bytes of /proc. What the machine itself says: page size, clock, memory. */
import { readFileSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import { BadnessError } from '../errors.js';
import type { Machine } from '../task.js';
import { isForbidden } from './proc-files.js';

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

/**
 * The auxiliary vector of this process: pairs of machine words. Hidden from a process that has changed its user (setuid) and called no
 * execve since: it may look into nobody, itself included.
 */
function auxiliary(root: string): Map<number, number> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(`${root}/self/auxv`);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return new Map([[AT_PAGESZ, pageSizeBySizes(root)]]);
  }
  const values = new Map<number, number>();
  const wide = process.arch.includes('64') || process.arch === 's390x';
  const word = wide ? 8 : 4;
  const read = (at: number) => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  for (let at = 0; at + 2 * word <= bytes.length; at += 2 * word) values.set(read(at), read(at + word));
  return values;
}

/** The size of this process's address space, once in kB and once in pages, tells the size of a page: the power of two that fits best. */
function pageSizeBySizes(root: string): number {
  const kib = kibValues(readFileSync(`${root}/self/status`, 'utf8')).get('VmSize') ?? Number.NaN;
  const pages = Number.parseInt(readFileSync(`${root}/self/statm`, 'utf8'), 10);
  const pageSize = 1024 * 2 ** Math.round(Math.log2(kib / pages));
  if (Number.isFinite(pageSize)) return pageSize;
  throw new BadnessError('EBADMSG', `${root}/self: expected VmSize in status and pages in statm`);
}

/** `key: value kB` lines, in kB. */
function kibValues(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, key, value] of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) values.set(key!, Number(value));
  return values;
}

/** Memory of the machine now, in pages. */
export interface Memory {
  totalPages: number;
  swapUsedPages: number;
  /** MemAvailable, what can be had without swapping. */
  availablePages: number;
}

/** Size and swap use of the machine, from /proc/meminfo: `MemTotal:       24684092 kB`. */
export function readMemory(root: string, pageSize: number): Memory {
  const kib = kibValues(readFileSync(`${root}/meminfo`, 'utf8'));
  const pages = (key: string) => Math.floor(((kib.get(key) ?? 0) * 1024) / pageSize);
  return {
    totalPages: pages('MemTotal') + pages('SwapTotal'),
    swapUsedPages: pages('SwapTotal') - pages('SwapFree'),
    availablePages: pages('MemAvailable'),
  };
}

/**
 * Pages that processors keep at hand for themselves, from /proc/zoneinfo (`count:` of every pageset). They are free, and
 * MemAvailable does not count them: of 300 MiB just given back it may not show 190 (measured on 6.18 with two processors).
 * 0 where it cannot be read.
 */
export function readPerCpuPages(root: string): number {
  try {
    const counts = readFileSync(`${root}/zoneinfo`, 'latin1').matchAll(/^ +count: +(\d+)$/gm);
    return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
  } catch {
    return 0;
  }
}

/** Seconds since boot, to 1/100: `1804.55 3390.22`. */
export function readUptime(root: string): number {
  return Number.parseFloat(readFileSync(`${root}/uptime`, 'utf8'));
}

/**
 * The machine that `root` (normally /proc) belongs to. `hz` is the kernel's tick rate that CPU times are expressed at;
 * 100 takes /proc's own ticks as they are. Throws BadnessError `ENOTLINUX` where there is no such /proc.
 */
export function readMachine(root = '/proc', hz: number = L.USER_HZ): Machine {
  try {
    const values = auxiliary(root);
    const pageSize = values.get(AT_PAGESZ) ?? 4096;
    const ticks = values.get(AT_CLKTCK) ?? L.USER_HZ;
    if (ticks !== L.USER_HZ) {
      throw new BadnessError('EUSERHZ', `expected ${L.USER_HZ} clock ticks per second (AT_CLKTCK), got ${ticks}`);
    }
    return { hz, pageSize, uptimeS: readUptime(root), totalPages: readMemory(root, pageSize).totalPages };
  } catch (cause) {
    if (cause instanceof BadnessError) throw cause;
    throw new BadnessError('ENOTLINUX', `expected a Linux /proc at ${root}, found none; give tasks instead`, { cause });
  }
}
