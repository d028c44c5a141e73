/** Stage: domain. In: the cgroups of this process and of pid 1. Out: what a guard guards when nobody said. */
import { join } from 'node:path';
import { KeyedFile } from '../proc/keyed-file.js';
import { type CgroupLimit, nearestLimit } from './cgroup.js';
import { type CgroupPlace, findMemoryCgroup, upwards } from './cgroup-place.js';
import { KeptFile } from './kept-file.js';

/** What is short of memory, and why it was taken for it. */
export type AutoDomain =
  | { readonly kind: 'system'; readonly reason: string }
  | { readonly kind: 'memcg'; readonly limit: CgroupLimit; readonly reason: string };

/** For whom, and from where, the domain `auto` is looked for. */
export interface AutoDomainOptions {
  /**
   * `daemon`: the limit must hold pid 1 of this pid namespace too. That is a container's; a daemon that systemd runs in a limited unit
   * still guards the host. `library`: the nearest limit above the application.
   */
  readonly for: 'daemon' | 'library';
  /** The application. Default: this process. */
  readonly pid?: number;
  /** Where /proc is. Default `/proc`. */
  readonly root?: string;
}

/**
 * Chooses the domain. Of several limits, one within the other, the smallest counts: it is met first.
 * What cannot be seen (no cgroups, hidden pid 1) leaves the system, and the reason says so.
 * @throws errno names when /proc/meminfo cannot be read.
 */
export function autoDomain(options: AutoDomainOptions): AutoDomain {
  const root = options.root ?? '/proc';
  const place = placeOf(options.pid ?? 'self', root);
  if (typeof place === 'string') return { kind: 'system', reason: place };
  const held = options.for === 'daemon' ? commonPlace(place, root) : place;
  if (typeof held === 'string') return { kind: 'system', reason: held };
  const limit = nearestLimit(held, memTotalBytes(root));
  if (limit === null) {
    const whose = options.for === 'daemon' ? 'no memory limit holds pid 1' : 'no memory limit above this process';
    return { kind: 'system', reason: whose };
  }
  const reason = options.for === 'daemon' ? 'the limit that holds pid 1 (a container)' : 'the nearest limit above';
  return { kind: 'memcg', limit, reason };
}

function placeOf(pid: number | 'self', root: string): CgroupPlace | string {
  try {
    return findMemoryCgroup(pid, root) ?? 'no memory cgroup to be seen';
  } catch (error) {
    return `cgroup of ${pid} cannot be read: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** The nearest group that holds both the process and pid 1. */
function commonPlace(place: CgroupPlace, root: string): CgroupPlace | string {
  const first = placeOf(1, root);
  if (typeof first === 'string') return `pid 1: ${first}`;
  const holders = new Set(upwards(first.dir, first.top));
  const dir = upwards(place.dir, place.top).find((one) => holders.has(one));
  return dir === undefined ? 'pid 1 is in no cgroup of ours' : { ...place, dir };
}

function memTotalBytes(root: string): number {
  const file = new KeyedFile(new KeptFile(join(root, 'meminfo')), ['MemTotal'], 'meminfo');
  try {
    file.refresh();
    return (file.values[0] || Number.POSITIVE_INFINITY) * 1024;
  } finally {
    file.close();
  }
}
