/**
 * Stage: all of them. Keeps the code of this process in memory: under pressure the kernel drops the pages of files first, and a
 * guard that has to read its own program from a disk decides late.
 *
 * Not mlockall(2): in memory that is locked V8 cannot change what it maps (madvise and mprotect fail) and aborts the process,
 * at once or at exit (Node 20). Its heap is anonymous and leaves memory only where there is swap.
 *
 * And keeps no more than that: of the 42 MiB of program that Node 20 has touched when a guard begins to watch, 30 are what starting takes,
 * compilers and parsers for the most part. They leave this process first; what it goes on to use comes back from the page cache.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Native } from './native.js';

/** `5645fafd7000-5645fb098000 r-xp 0002f000 fe:00 260104   /usr/bin/node`: mappings of files that are not written to. */
const FILE_MAPPING = '^([0-9a-f]+)-([0-9a-f]+) r-[x-]p ([0-9a-f]+) \\S+ [1-9]\\d* +(/.*)$';
/** Those of them, in smaps, that nothing was written into before either: relocations, for one. */
const CLEAN_MAPPING = `${FILE_MAPPING}\\n(?:[A-Z].*\\n)*?Anonymous: +0 kB\\n(?:[A-Z].*\\n)*?Swap: +0 kB$`;

/** Where mappings of programs and libraries lie that hold nothing but their files: a text of /proc/PID/smaps. */
export function cleanMappings(smaps: string): Mapping[] {
  return mappingsIn(smaps, CLEAN_MAPPING);
}

interface Mapping {
  readonly address: number;
  readonly bytes: number;
  /** Where in the file it begins, bytes. */
  readonly offset: number;
  readonly path: string;
}

function mappingsIn(text: string, pattern: string): Mapping[] {
  return [...text.matchAll(new RegExp(pattern, 'gm'))].map(([, from, to, offset, path]) => {
    const address = Number.parseInt(from!, 16);
    const bytes = Number.parseInt(to!, 16) - address;
    return { address, bytes, offset: Number.parseInt(offset!, 16), path: path! };
  });
}

/**
 * Drops what the runtime's own program has touched until now; what else is mapped is the application's business. To be called when all is
 * loaded. The symbols at the beginning of the file are wanted whenever a function is called for the first time, in the first kill too:
 * `keepSymbols` for a guard that locks what it keeps.
 */
export function shedProgram(native: Native, { keepSymbols = false } = {}): void {
  try {
    const program = readlinkSync('/proc/self/exe');
    for (const { address, bytes, offset, path } of cleanMappings(readFileSync('/proc/self/smaps', 'latin1')))
      if (path === program && (offset > 0 || !keepSymbols)) native.dropPages(address, bytes);
  } catch {
    // A kernel without smaps, or a program that is locked already: it stays as it is.
  }
}

/**
 * What is resident of the programs and libraries of this process, now or later. To be called when what a guard does has run once. False when
 * it may not lock, or only in part; nothing is wrong then.
 */
export function lockProgram(native: Native): boolean {
  try {
    for (const { address, bytes } of mappingsIn(readFileSync('/proc/self/maps', 'latin1'), FILE_MAPPING))
      native.lockOnFault(address, bytes);
    return true;
  } catch {
    // RLIMIT_MEMLOCK, or a kernel without mlock2(2).
    return false;
  }
}
