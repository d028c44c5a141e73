/** Stage: watch → measure. In: the files of one memory cgroup, v1 or v2. Out: limit, use and what is available, in KiB; kills counted. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupGroup, CgroupMemory, FILES, type SwapOfMachine } from '../proc/cgroup-memory.js';
import { KeyedFile, type LineForm, malformed, numberOf } from '../proc/keyed-file.js';
import { type CgroupPlace, upwards } from './cgroup-place.js';
import type { FileCalls } from './file-calls.js';
import { KeptFile } from './kept-file.js';
import { liveFiles } from './live-files.js';

export type { CgroupState } from '../proc/cgroup-memory.js';

/** A kernel has no more memory groups than that (MEM_CGROUP_ID_MAX): members that are left out are never chosen. */
const MOST_DIRS = 65_536;
/** Asked of before every choice while memory is short: a kill in a group beyond them is not noticed. */
const MOST_COUNTED = 4096;
const MOST_PIDS = 1_048_576;

/** The limit that bounds a cgroup: its own, or one of a group above it. */
export interface CgroupLimit {
  readonly version: 1 | 2;
  /** The group that has the limit: the domain. */
  readonly dir: string;
  readonly limitBytes: number;
}

/** The limit of one group in bytes, `memory.high` where that is the less; Infinity when it has none. @throws errno names. */
export function cgroupLimitBytes(dir: string, version: 1 | 2): number {
  const { limit, high } = FILES[version];
  return Math.min(bytesIn(join(dir, limit)), high === null ? Number.POSITIVE_INFINITY : bytesIn(join(dir, high)));
}

function bytesIn(path: string): number {
  if (!existsSync(path)) return Number.POSITIVE_INFINITY; // the root of v2 has no such file
  const file = new KeptFile(path);
  try {
    return numberOf(file);
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

/** The memory of a cgroup of this machine, read through kept descriptors. */
export class CgroupReader extends CgroupMemory {
  /** @throws ENOENT, EACCES by errno name. */
  constructor(group: CgroupGroup, swap?: SwapOfMachine) {
    super(liveFiles, group, swap);
  }
}

/** The directories of a group and of all below it, the group first; those that vanish meanwhile are left out. */
export function cgroupSubtree(dir: string, most = MOST_DIRS): string[] {
  const dirs = [dir];
  for (let index = 0; index < dirs.length && dirs.length < most; index++) {
    try {
      for (const entry of readdirSync(dirs[index]!, { withFileTypes: true })) {
        if (entry.isDirectory() && dirs.length < most) dirs.push(join(dirs[index]!, entry.name));
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
 * Victims that the kernel's own OOM killer took, as a number that only grows while the files stay: of a group with all below it (v1 counts
 * a victim in its own group only, so the groups are summed; v2 sums itself). Null when the kernel does not tell (before 4.13), and while it
 * cannot be read (EMFILE): who only wants to know whether somebody else is killing does without.
 */
export function cgroupOomKills(dir: string, version: 1 | 2): number | null {
  return orNull(() => {
    const groups = version === 1 ? cgroupSubtree(dir, MOST_COUNTED) : [dir];
    const kills = groups.flatMap((one) => killsIn(join(one, FILES[version].kills), 'pairs') ?? []);
    return kills.length === 0 ? null : kills.reduce((sum, one) => sum + one);
  });
}

/** Victims of the kernel anywhere on the machine since boot: `oom_kill` of /proc/vmstat. Null before Linux 4.13, and while it cannot be read. */
export function machineOomKills(root = '/proc', files?: FileCalls): number | null {
  return orNull(() => killsIn(join(root, 'vmstat'), 'records', files));
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function killsIn(path: string, form: LineForm, files?: FileCalls): number | null {
  let file: KeyedFile | null = null;
  try {
    file = new KeyedFile(new KeptFile(path, files), ['oom_kill'], form);
    file.refresh();
    const [value] = file.values;
    return Number.isNaN(value) ? null : value!;
  } catch (error) {
    if (gone(error)) return null;
    throw error;
  } finally {
    file?.close();
  }
}
