/** Stage: bytes of /proc. What the kernel told this process when it began: the size of a page, and of a clock tick. */
import { readFileSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import { BadnessError } from '../errors.js';
import { kibValues } from '../proc/machine.js';
import { isForbidden } from '../proc/proc-files.js';

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

/** Bytes of a page, as `root` (where /proc is) says. Throws BadnessError `EUSERHZ`, `EBADMSG`; errno names. */
export function pageSizeOf(root: string): number {
  const values = auxiliary(root);
  const ticks = values.get(AT_CLKTCK) ?? L.USER_HZ;
  if (ticks !== L.USER_HZ) {
    throw new BadnessError('EUSERHZ', `expected ${L.USER_HZ} clock ticks per second (AT_CLKTCK), got ${ticks}`);
  }
  return values.get(AT_PAGESZ) ?? 4096;
}
