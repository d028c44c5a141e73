/**
 * Stage: all of them. Keeps the code of this process in memory: under pressure the kernel drops the pages of files first, and a
 * guard that has to read its own program from a disk decides late.
 *
 * Not mlockall(2): in memory that is locked V8 cannot change what it maps (madvise and mprotect fail) and aborts the process,
 * at once or at exit (Node 20). Its heap is anonymous and leaves memory only where there is swap.
 */
import { readFileSync } from 'node:fs';
import type { Native } from './native.js';

/** `5645fafd7000-5645fb098000 r-xp 0002f000 fe:00 260104   /usr/bin/node`: mappings of files that are not written to. */
const FILE_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9]\d* +\//gm;

/** Locks what is resident, now or later, of the programs and libraries of this process. False when it may not, or only in part. */
export function lockProgram(native: Native | null): boolean {
  if (native === null) return false;
  try {
    for (const [, from, to] of readFileSync('/proc/self/maps', 'latin1').matchAll(FILE_MAPPING)) {
      const address = Number.parseInt(from!, 16);
      native.lockOnFault(address, Number.parseInt(to!, 16) - address);
    }
    return true;
  } catch {
    // RLIMIT_MEMLOCK, or a kernel without mlock2(2).
    return false;
  }
}
