/** Stage: domain. In: /proc/PID/cgroup and mountinfo. Out: the directory of the memory cgroup that a process is in, v1 or v2. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a process is charged. */
export interface CgroupPlace {
  readonly version: 1 | 2;
  /** The group's directory. */
  readonly dir: string;
  /** The topmost directory of the hierarchy that can be seen from here: `dir` or above it. */
  readonly top: string;
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

/** `35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory` (proc_pid_mountinfo(5)). */
function cgroupMounts(mountinfo: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const before = left?.split(' ') ?? [];
    const [type, , options] = right?.split(' ') ?? [];
    if (before.length < 6 || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    mounts.push({ root: plainPath(before[3]!), point: plainPath(before[4]!), type, options: options ?? '' });
  }
  return mounts;
}

/** Blank, tab, newline and backslash stand as three octal digits. */
function plainPath(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Paths of the process by hierarchy: `4:memory:/a/b`, `0::/user.slice`. */
function cgroupPath(cgroup: string, version: 1 | 2): string | null {
  for (const line of cgroup.split('\n')) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) continue;
    const found = version === 1 ? controllers.split(',').includes('memory') : id === '0' && controllers === '';
    if (found) return path.replace(/ \(deleted\)$/, '');
  }
  return null;
}

/** The directory of `path` below one of the mounts, or null when it lies outside of what is mounted (`/../x`, another namespace). */
function resolve(path: string, mounts: readonly Mount[]): { dir: string; top: string } | null {
  if (path.split('/').includes('..')) return null;
  // The later mount covers the earlier one.
  for (const { root, point } of mounts.toReversed()) {
    const inside =
      root === '/' ? path : path === root ? '/' : path.startsWith(`${root}/`) ? path.slice(root.length) : null;
    if (inside === null) continue;
    const dir = join(point, inside).replace(/(.)\/$/, '$1');
    if (existsSync(dir)) return { dir, top: point };
  }
  return null;
}

/**
 * The memory cgroup of a process; null when there is none, or none that can be seen. On a hybrid machine the v1 hierarchy counts when it
 * carries the memory controller. `root` is where /proc is.
 * @throws ENOENT, ESRCH, EACCES when /proc/PID/cgroup cannot be read.
 */
export function findMemoryCgroup(pid: number | 'self' = 'self', root = '/proc'): CgroupPlace | null {
  const cgroup = readFileSync(join(root, String(pid), 'cgroup'), 'utf8');
  const mounts = cgroupMounts(readFileSync(join(root, 'self/mountinfo'), 'utf8'));
  const v1 = cgroupPath(cgroup, 1);
  if (v1 !== null) {
    const carrying = mounts.filter(({ type, options }) => type === 'cgroup' && options.split(',').includes('memory'));
    const place = resolve(v1, carrying);
    return place && { version: 1, ...place };
  }
  const v2 = cgroupPath(cgroup, 2);
  const place =
    v2 === null
      ? null
      : resolve(
          v2,
          mounts.filter(({ type }) => type === 'cgroup2'),
        );
  if (place === null) return null;
  // A group may lack the controller that its parent has: then the parent is charged.
  const dir = upwards(place.dir, place.top).find((one) => existsSync(join(one, 'memory.current')));
  if (dir !== undefined) return { version: 2, dir, top: place.top };
  // The root of v2 counts nothing itself; what lies below it does.
  return hasMemory(place.top) ? { version: 2, dir: place.top, top: place.top } : null;
}

/** Whether groups below can have the memory controller of v2. */
function hasMemory(top: string): boolean {
  try {
    return readFileSync(join(top, 'cgroup.controllers'), 'utf8').trim().split(' ').includes('memory');
  } catch {
    return false;
  }
}

/** `dir` and the directories above it, up to and with `top`; nearest first. */
export function upwards(dir: string, top: string): string[] {
  const dirs = [dir];
  for (let at = dir; at !== top && at.startsWith(top === '/' ? '/' : `${top}/`); ) {
    at = at.slice(0, at.lastIndexOf('/')) || '/';
    dirs.push(at);
  }
  return dirs;
}

/** True for a v1 hierarchy's own root, where no limit and no OOM notification applies. */
export function isV1Root(dir: string): boolean {
  return existsSync(join(dir, 'cgroup.sane_behavior')); // CFTYPE_ONLY_ON_ROOT of cgroup1_base_files
}
