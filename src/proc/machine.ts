/** Stage: bytes of /proc. What the machine itself says: page size, clock, memory. */
import * as L from '../../assembly/layout.js';
import { BadnessError } from '../errors.js';
import type { Machine } from '../task.js';
import { malformed } from './keyed-file.js';
import type { ProcFiles } from './proc-files.js';

/** `key: value kB` lines, in kB. */
export function kibValues(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, key, value] of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) values.set(key!, Number(value));
  return values;
}

/** Memory of the machine now, in pages. */
export interface Memory {
  totalPages: number;
  swapUsedPages: number;
}

/** Size and swap use of the machine, from /proc/meminfo: `MemTotal:       24684092 kB`. */
export function memoryAt(files: ProcFiles, root: string, pageSize: number): Memory {
  const kib = kibValues(files.text(`${root}/meminfo`));
  const pages = (key: string) => Math.floor(((kib.get(key) ?? 0) * 1024) / pageSize);
  return {
    totalPages: pages('MemTotal') + pages('SwapTotal'),
    swapUsedPages: pages('SwapTotal') - pages('SwapFree'),
  };
}

/**
 * Pages that processors keep at hand for themselves, from /proc/zoneinfo (`count:` of every pageset). They are free, and
 * MemAvailable does not count them: of 300 MiB just given back it may not show 190 (measured on 6.18 with two processors).
 * 0 where it cannot be read.
 */
export function perCpuPagesAt(files: ProcFiles, root: string): number {
  try {
    const counts = files.text(`${root}/zoneinfo`).matchAll(/^ +count: +(\d+)$/gm);
    return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
  } catch {
    return 0;
  }
}

/** Seconds since boot, to 1/100: `1804.55 3390.22`. Throws BadnessError `EBADMSG`. */
export function uptimeAt(files: ProcFiles, root: string): number {
  const path = `${root}/uptime`;
  const text = files.text(path);
  const seconds = Number.parseFloat(text);
  if (!(seconds >= 0)) throw malformed(path, `cannot read ${JSON.stringify(text.slice(0, 24))}`);
  return seconds;
}

/** There is no such /proc. */
export function notLinux(root: string, cause: unknown): BadnessError {
  // Deno keeps /proc from programs without --allow-all.
  const { name, message } = cause as Error;
  const found = name === 'NotCapable' ? `it may not be read (${message})` : 'found none';
  return new BadnessError('ENOTLINUX', `expected a Linux /proc at ${root}, ${found}; give tasks instead`, { cause });
}

/**
 * The machine that `root` (normally /proc) belongs to. `hz` is the kernel's tick rate that CPU times are expressed at;
 * 100 takes /proc's own ticks as they are. Throws BadnessError `ENOTLINUX` where there is no such /proc.
 */
export function machineAt(files: ProcFiles, root: string, hz: number = L.USER_HZ): Machine {
  try {
    const pageSize = files.pageSize(root);
    return { hz, pageSize, uptimeS: uptimeAt(files, root), totalPages: memoryAt(files, root, pageSize).totalPages };
  } catch (cause) {
    if (cause instanceof BadnessError) throw cause;
    throw notLinux(root, cause);
  }
}
