/** Stage: watch → measure. In: the files of one memory cgroup, v1 or v2. Out: limit, use and what is available, in KiB; kills counted. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MemoryState } from '../pressure/memory-state.js';
import { type CgroupPlace, upwards } from './cgroup-place.js';
import { KeptFile, KeyedFile, malformed } from './kept-file.js';

/** Names of the same things in the two versions. v1 memory.stat does not tell reclaimable slab, so there it counts as used. */
const FILES = {
  1: {
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    stat: ['total_inactive_file', 'total_active_file', 'total_rss', 'total_swap'],
    swapLimit: 'memory.memsw.limit_in_bytes',
    kills: 'memory.oom_control',
  },
  2: {
    limit: 'memory.max',
    usage: 'memory.current',
    stat: ['inactive_file', 'active_file', 'anon', 'slab_reclaimable'],
    swapLimit: 'memory.swap.max',
    kills: 'memory.events',
  },
} as const;

const MOST_DIRS = 4096;
const MOST_PIDS = 1_048_576;

/** The limit that bounds a cgroup: its own, or one of a group above it. */
export interface CgroupLimit {
  readonly version: 1 | 2;
  /** The group that has the limit: the domain. */
  readonly dir: string;
  readonly limitBytes: number;
}

/** Memory of a cgroup at one moment, in KiB. */
export interface CgroupState extends MemoryState {
  readonly usageKib: number;
  /** Page cache that can be dropped; dirty pages must be written first. */
  readonly fileKib: number;
  readonly anonKib: number;
}

/** Free and total swap of the machine in KiB: what a group's swap is taken from. */
export type SwapOfMachine = () => { readonly swapTotalKib: number; readonly swapFreeKib: number };

const NO_SWAP: SwapOfMachine = () => ({ swapTotalKib: 0, swapFreeKib: 0 });

/** The limit of one group in bytes; Infinity when it has none. @throws errno names. */
export function cgroupLimitBytes(dir: string, version: 1 | 2): number {
  const path = join(dir, FILES[version].limit);
  if (!existsSync(path)) return Number.POSITIVE_INFINITY; // the root of v2 has no such file
  const file = new KeptFile(path);
  try {
    return file.number();
  } finally {
    file.close();
  }
}

/**
 * The limit that a process meets first: the smallest of its group's and of all above, the nearest of equal ones. Null without any below
 * `memTotalBytes`: a limit that the machine cannot fill limits nothing.
 */
export function nearestLimit(place: CgroupPlace, memTotalBytes = Number.POSITIVE_INFINITY): CgroupLimit | null {
  let found: CgroupLimit | null = null;
  for (const dir of upwards(place.dir, place.top)) {
    const limitBytes = cgroupLimitBytes(dir, place.version);
    if (limitBytes < (found?.limitBytes ?? memTotalBytes)) found = { version: place.version, dir, limitBytes };
  }
  return found;
}

/**
 * The memory of one cgroup with all below it, read on kept descriptors.
 * `availableKib` = limit − usage + file pages + reclaimable slab (v2), within 0 … limit; percentages are of available + anonymous memory,
 * as for the machine ({@link MeminfoReader}). Swap is what the group may still have of what the machine has free.
 */
export class CgroupReader {
  readonly dir: string;
  readonly version: 1 | 2;
  readonly #limit: KeptFile;
  readonly #usage: KeptFile;
  readonly #stat: KeyedFile;
  readonly #swap: SwapOfMachine;
  readonly #swapLimit: KeptFile | null;
  readonly #swapUsage: KeptFile | null;

  /** @throws ENOENT, EACCES by errno name. */
  constructor(group: { readonly dir: string; readonly version: 1 | 2 }, swap: SwapOfMachine = NO_SWAP) {
    const names = FILES[group.version];
    const optional = (name: string) => (existsSync(join(group.dir, name)) ? new KeptFile(join(group.dir, name)) : null);
    this.dir = group.dir;
    this.version = group.version;
    this.#swap = swap;
    this.#limit = new KeptFile(join(group.dir, names.limit));
    this.#usage = new KeptFile(join(group.dir, names.usage));
    this.#stat = new KeyedFile(join(group.dir, 'memory.stat'), names.stat, 'pairs');
    this.#swapLimit = optional(names.swapLimit);
    this.#swapUsage = group.version === 2 ? optional('memory.swap.current') : null;
  }

  /**
   * Reads now. A group without a limit any more has none to be short of: EBADMSG.
   * @throws ENODEV when the group was removed; BadnessError `EBADMSG` for what cannot be understood.
   */
  read(): CgroupState {
    const limitBytes = this.#limit.number();
    const usageBytes = this.#usage.number();
    if (!Number.isFinite(limitBytes)) throw malformed(this.#limit.path, 'the group has no limit');
    if (!Number.isFinite(usageBytes)) throw malformed(this.#usage.path, 'expected a number of bytes');
    this.#stat.refresh();
    const [inactive, active, anon, fourth] = this.#stat.values as unknown as [number, number, number, number];
    if (Number.isNaN(inactive + active + anon)) throw malformed(this.#stat.path, 'file or anonymous memory is missing');
    const slab = this.version === 2 ? fourth || 0 : 0;
    const free = limitBytes - usageBytes + inactive + active + slab;
    const totalKib = Math.floor(limitBytes / 1024);
    const availableKib = Math.max(0, Math.min(totalKib, Math.floor(free / 1024)));
    const anonKib = Math.floor(anon / 1024);
    return {
      totalKib,
      availableKib,
      basisKib: Math.max(1, availableKib + anonKib),
      usageKib: Math.floor(usageBytes / 1024),
      fileKib: Math.floor((inactive + active) / 1024),
      anonKib,
      ...this.#swapState(limitBytes, this.version === 1 ? fourth || 0 : 0),
    };
  }

  #swapState(limitBytes: number, swappedV1: number): { swapTotalKib: number; swapFreeKib: number } {
    // Taken by name: who tells the swap of the machine may tell its memory too.
    const { swapTotalKib, swapFreeKib } = this.#swap();
    if (swapTotalKib === 0 || this.#swapLimit === null) return { swapTotalKib, swapFreeKib };
    // v1 limits memory and swap together: a group that fills its memory has the difference left for swap.
    const bound = this.#swapLimit.number() - (this.version === 1 ? limitBytes : 0);
    const used = this.version === 1 ? swappedV1 : (this.#swapUsage?.number() ?? 0);
    return {
      swapTotalKib: Math.max(0, Math.min(swapTotalKib, Math.floor(bound / 1024))),
      swapFreeKib: Math.max(0, Math.min(swapFreeKib, Math.floor((bound - used) / 1024))),
    };
  }

  close(): void {
    for (const file of [this.#limit, this.#usage, this.#stat, this.#swapLimit, this.#swapUsage]) file?.close();
  }
}

/** The directories of a group and of all below it, the group first; those that vanish meanwhile are left out. */
export function cgroupSubtree(dir: string): string[] {
  const dirs = [dir];
  for (let index = 0; index < dirs.length && dirs.length < MOST_DIRS; index++) {
    try {
      for (const entry of readdirSync(dirs[index]!, { withFileTypes: true })) {
        if (entry.isDirectory() && dirs.length < MOST_DIRS) dirs.push(join(dirs[index]!, entry.name));
      }
    } catch (error) {
      if (!gone(error)) throw error;
    }
  }
  return dirs;
}

/** Members of a group and of all below it. `complete` false: too many to be counted, or some not to be seen from this pid namespace (listed as 0). */
export function cgroupMembers(dir: string): { readonly pids: number[]; readonly complete: boolean } {
  const pids = new Set<number>();
  const dirs = cgroupSubtree(dir);
  let complete = dirs.length < MOST_DIRS;
  for (const one of dirs) {
    const text = membersOf(one);
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const pid = Number(line);
      if (!Number.isSafeInteger(pid) || pid < 0) throw malformed(join(one, 'cgroup.procs'), `not a pid: ${line}`);
      if (pid === 0 || pids.size >= MOST_PIDS) complete = false;
      else pids.add(pid);
    }
  }
  return { pids: [...pids], complete };
}

/** A threaded group of v2 (EOPNOTSUPP) shows its processes in the group above that is none. */
function membersOf(dir: string): string {
  let file: KeptFile | null = null;
  try {
    file = new KeptFile(join(dir, 'cgroup.procs'));
    const end = file.read(true);
    return file.bytes.toString('latin1', 1, end);
  } catch (error) {
    if (gone(error) || (error as NodeJS.ErrnoException).code === 'EOPNOTSUPP') return '';
    throw error;
  } finally {
    file?.close();
  }
}

function gone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENODEV';
}

/**
 * Victims that the kernel's own OOM killer took, as a number that only grows while the files stay. `memcg`: of a group with all below it
 * (v1 counts a victim in its own group only, so the groups are summed; v2 sums itself). Null when the kernel does not tell (before 4.13).
 */
export function cgroupOomKills(dir: string, version: 1 | 2): number | null {
  let sum: number | null = null;
  for (const one of version === 1 ? cgroupSubtree(dir) : [dir]) {
    const kills = oneValue(join(one, FILES[version].kills), 'oom_kill');
    if (kills !== null) sum = (sum ?? 0) + kills;
  }
  return sum;
}

/** Victims of the kernel anywhere on the machine since boot: `oom_kill` of /proc/vmstat. Null before Linux 4.13. */
export function machineOomKills(root = '/proc'): number | null {
  return oneValue(join(root, 'vmstat'), 'oom_kill');
}

function oneValue(path: string, key: string): number | null {
  let file: KeyedFile | null = null;
  try {
    file = new KeyedFile(path, [key], 'pairs');
    file.refresh();
    const value = file.values[0]!;
    return Number.isNaN(value) ? null : value;
  } catch (error) {
    if (gone(error)) return null;
    throw error;
  } finally {
    file?.close();
  }
}
