// Texts of /proc and of cgroups as kernels print them, and a directory to put them in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MemoryState } from '../../../src/pressure/memory-state.js';
import type { Pressure, PressureSource, WakeUp } from '../../../src/pressure/pressure.js';

/** A machine's files below a directory of its own, removed after the test. */
export class FileTree {
  readonly root: string;

  constructor(t: TestContext, files: Record<string, string> = {}) {
    this.root = mkdtempSync(join(tmpdir(), 'badness-tree-'));
    t.after(() => rmSync(this.root, { recursive: true, force: true }));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  /** In place, so that a kept descriptor sees it. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  at(path: string): string {
    return join(this.root, path);
  }
}

export interface MeminfoFigures {
  total: number;
  free: number;
  available: number;
  anon: number;
  swapTotal?: number;
  swapFree?: number;
  shmem?: number;
  hugetlb?: number;
}

/** /proc/meminfo of Linux 6.x, in KiB; the lines that nobody reads stand between the others as they do there. */
export function meminfoText(figures: MeminfoFigures): string {
  const line = (key: string, kib: number) => `${`${key}:`.padEnd(16)}${String(kib).padStart(8)} kB\n`;
  return (
    line('MemTotal', figures.total) +
    line('MemFree', figures.free) +
    line('MemAvailable', figures.available) +
    line('Buffers', 14364) +
    line('Cached', 1934736) +
    line('SwapCached', 0) +
    line('Active', 702644) +
    line('Active(anon)', 1596) +
    line('SwapTotal', figures.swapTotal ?? 0) +
    line('SwapFree', figures.swapFree ?? 0) +
    line('AnonPages', figures.anon) +
    line('Mapped', 52960) +
    line('Shmem', figures.shmem ?? 8872) +
    line('KReclaimable', 156720) +
    line('SReclaimable', 150000) +
    line('VmallocTotal', 34359738367) +
    'HugePages_Total:       0\nHugePages_Free:        0\n' +
    line('Hugepagesize', 2048) +
    line('Hugetlb', figures.hugetlb ?? 0) +
    line('DirectMap4k', 28672)
  );
}

/** A desktop with 16 GiB, half of it free. */
export const DESKTOP: MeminfoFigures = { total: 16_384_000, free: 4_000_000, available: 8_000_000, anon: 7_000_000 };

/** `arcstats` of OpenZFS 2.x: a kstat header, then name, type, data. */
export function arcstatsText(sizeBytes: number, leastBytes: number): string {
  return (
    '9 1 0x01 147 39984 4127403741 1827405948563\n' +
    'name                            type data\n' +
    'hits                            4    12734\n' +
    `c                               4    ${sizeBytes}\n` +
    `c_min                           4    ${leastBytes}\n` +
    'c_max                           4    8390000000\n' +
    `size                            4    ${sizeBytes}\n` +
    'compressed_size                 4    1\n'
  );
}

/** memory.stat of v1 (Linux 6.x), bytes; the group's own lines stand before the totals and are other numbers. */
export function statV1(file: { inactive: number; active: number }, rss: number, swap = 0): string {
  return (
    'cache 9510912\nrss 13332480\nshmem 4096\nswap 0\ninactive_anon 0\nactive_anon 1531904\ninactive_file 7\nactive_file 9\n' +
    'unevictable 0\nhierarchical_memory_limit 536870912\nhierarchical_memsw_limit 9223372036854771712\n' +
    `total_cache 1995915264\ntotal_rss ${rss}\ntotal_shmem 4096\ntotal_swap ${swap}\ntotal_inactive_anon 1\n` +
    `total_inactive_file ${file.inactive}\ntotal_active_file ${file.active}\ntotal_unevictable 0\n`
  );
}

/** memory.stat of v2 (Linux 6.x), bytes. */
export function statV2(file: { inactive: number; active: number }, anon: number, slabReclaimable: number): string {
  return (
    `anon ${anon}\nfile 999\nkernel 5000\nkernel_stack 100\npagetables 200\nshmem 4096\nfile_dirty 0\ninactive_anon 0\n` +
    `active_anon 0\ninactive_file ${file.inactive}\nactive_file ${file.active}\nunevictable 0\n` +
    `slab_reclaimable ${slabReclaimable}\nslab_unreclaimable 300\nslab 400\n`
  );
}

export const MIB = 2 ** 20;
/** What v1 prints for "no limit". */
export const V1_UNLIMITED = '9223372036854771712\n';

/** A state of `total` KiB of which `available` can be had and the rest is anonymous. */
export function memory(totalKib: number, availableKib: number, swap?: { total: number; free: number }): MemoryState {
  return {
    totalKib,
    availableKib,
    basisKib: totalKib,
    swapTotalKib: swap?.total ?? 0,
    swapFreeKib: swap?.free ?? 0,
  };
}

/** A source that answers what the test last put into it. */
export class FakeSource implements PressureSource {
  readonly name: string;
  answer: Pressure = { level: 'none', error: null };
  delayMs = 100;
  forgotten = 0;
  closed = 0;

  constructor(name: string) {
    this.name = name;
  }

  read(): Pressure {
    return this.answer;
  }

  nextDelayMs(): number {
    return this.delayMs;
  }

  wakeUps(): readonly WakeUp[] {
    return [];
  }

  describe(): string {
    return `${this.name} fake`;
  }

  forget(): void {
    this.forgotten++;
  }

  close(): void {
    this.closed++;
  }
}
