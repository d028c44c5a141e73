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
import { readFileSync } from 'node:fs';
import type { Native } from './native.js';

/** `5645fafd7000-5645fb098000 r-xp 0002f000 fe:00 260104   /usr/bin/node`: mappings of files that are not written to, by where they begin. */
const fileMapping = (offset: string) => `^([0-9a-f]+)-([0-9a-f]+) r-[x-]p ${offset} \\S+ [1-9]\\d* +/`;
const FILE_MAPPING = fileMapping('[0-9a-f]+');
/**
 * Those of them, in smaps, that nothing was written into before either: relocations, for one. Not where a file begins: the symbols there are
 * wanted whenever a function is called for the first time, in the first kill too.
 */
const CLEAN_MAPPING = `${fileMapping('(?!0+ )[0-9a-f]+')}.*\\n(?:[A-Z].*\\n)*?Anonymous: +0 kB\\n(?:[A-Z].*\\n)*?Swap: +0 kB$`;

/** Where mappings of programs and libraries lie that hold nothing but their files: a text of /proc/PID/smaps. */
export function cleanMappings(smaps: string): Mapping[] {
  return mappingsIn(smaps, CLEAN_MAPPING);
}

interface Mapping {
  readonly address: number;
  readonly bytes: number;
}

function mappingsIn(text: string, pattern: string): Mapping[] {
  return [...text.matchAll(new RegExp(pattern, 'gm'))].map(([, from, to]) => {
    const address = Number.parseInt(from!, 16);
    return { address, bytes: Number.parseInt(to!, 16) - address };
  });
}

/** To be called when all is loaded, and nothing of what a guard does has run. */
export function shedProgram(native: Native): void {
  try {
    for (const { address, bytes } of cleanMappings(readFileSync('/proc/self/smaps', 'latin1')))
      native.dropPages(address, bytes);
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
