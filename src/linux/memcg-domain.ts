/** Stage: domain. A memory cgroup, v1 or v2, with all below it: what is left of its limit, and its members. */
import { join } from 'node:path';
import type { Thresholds } from '../policy/levels.js';
import { boundOf } from '../policy/threshold.js';
import type { PressureSource } from '../pressure/pressure.js';
import { type CgroupLimit, CgroupReader, cgroupMembers, cgroupOomKills } from './cgroup.js';
import { findMemoryCgroup, isV1Root } from './cgroup-place.js';
import type { LinuxDomain } from './linux-domain.js';
import { MeminfoReader } from './meminfo.js';
import type { Native } from './native.js';
import { V1OomSource } from './v1-oom-source.js';
import { V1UsageSource } from './v1-usage-source.js';
import { V2EventsSource } from './v2-events.js';

export interface MemcgDomainOptions {
  /** As printed: the path below the mount. */
  readonly path: string;
  readonly native: Native | null;
}

/** @throws errno names, BadnessError `EBADMSG` for a group without a limit. */
export function memcgDomain(limit: CgroupLimit, options: MemcgDomainOptions): LinuxDomain {
  const { dir, version } = limit;
  const machine = new MeminfoReader();
  const reader = new CgroupReader(limit, () => machine.read());
  reader.read();
  return {
    kind: 'memcg',
    dir,
    name: `memcg ${options.path}`,
    reader,
    members: () => memberNames(dir),
    isMember: ({ pid }) => isBelow(pid, dir),
    exempt: null,
    oomKills: () => cgroupOomKills(dir, version),
    sources: (polls, thresholds) => eventSources(limit, options, polls, thresholds),
    ...(version === 2 ? { psiPath: join(dir, 'memory.pressure') } : {}),
    close() {
      reader.close();
      machine.close();
    },
  };
}

function memberNames(dir: string): string[] {
  return cgroupMembers(dir).pids.map(String).sort();
}

function isBelow(pid: number, dir: string): boolean {
  try {
    const place = findMemoryCgroup(pid);
    return place !== null && (place.dir === dir || place.dir.startsWith(`${dir}/`));
  } catch {
    return false;
  }
}

/** What the kernel says by itself about the group. Each is only one way more to notice: without it the memory is still read. */
function eventSources(
  { dir, version, limitBytes }: CgroupLimit,
  { native }: MemcgDomainOptions,
  polls: boolean,
  { term, kill }: Thresholds,
): PressureSource[] {
  if (version === 2) return [new V2EventsSource(dir)];
  const usageBytes = [term, kill].map(({ available }) => limitBytes - boundOf(available, limitBytes));
  const oom = isV1Root(dir) ? [] : [new V1OomSource(dir, native, polls)];
  return [...oom, ...(native && polls ? usageSource(dir, native, usageBytes) : [])];
}

/** Containers are often shown their cgroups read-only (EROFS), and nothing can be registered there. The source of OOM says so in its note. */
function usageSource(dir: string, native: Native, usageBytes: readonly number[]): PressureSource[] {
  try {
    return [new V1UsageSource(dir, native, usageBytes)];
  } catch {
    return [];
  }
}
