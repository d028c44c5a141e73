/** Stage: domain. In: what a policy calls a domain. Out: that domain of this machine, and why it was taken. */
import { join } from 'node:path';
import { BadnessError } from '../errors.js';
import type { DomainSpec } from '../policy/domain-spec.js';
import { type CgroupLimit, cgroupLimitBytes } from './cgroup.js';
import { type CgroupPlace, findMemoryCgroup } from './cgroup-place.js';
import { autoDomain } from './domain.js';
import { type LinuxDomain, systemDomain } from './linux-domain.js';
import { requireProc } from './machine.js';
import { memcgDomain } from './memcg-domain.js';
import type { Native } from './native.js';
import { numaDomain } from './numa-domain.js';
import { subtreeDomain } from './subtree-domain.js';

/** For whom a domain of this machine is opened, and with what means. */
export interface OpenDomainOptions {
  /** What `auto` means: for a daemon the limit that holds pid 1 too, for a library the nearest above the application. */
  readonly for: 'daemon' | 'library';
  readonly native: Native | null;
  /** Of a subtree: what its processes have in their environment. */
  readonly cookie?: string | undefined;
}

/** A domain of this machine, opened, and why that one. */
export interface OpenedDomain {
  readonly domain: LinuxDomain;
  /** Why, in words. */
  readonly reason: string;
}

/** @throws BadnessError `EDOMAIN` for a domain that is not there or cannot be guarded, `ENOTLINUX`; errno names. */
export function openLinuxDomain(spec: DomainSpec, options: OpenDomainOptions): OpenedDomain {
  if (typeof spec === 'object' && 'registered' in spec) {
    throw new BadnessError(
      'EDOMAIN',
      `registered tasks (${spec.registered}) have a guard of their own: guardRegistered`,
    );
  }
  requireProc();
  if (spec === 'system') return { domain: systemDomain('/proc', options.native?.files), reason: 'as asked' };
  if (spec === 'auto') return openAuto(options);
  if ('memcg' in spec) return { domain: openMemcg(namedLimit(spec.memcg), spec.memcg, options), reason: 'as asked' };
  if ('numaNode' in spec) return { domain: openNode(spec.numaNode), reason: 'as asked' };
  const { native, cookie } = options;
  const domain = subtreeDomain({ root: spec.descendantsOf, budgetBytes: spec.budget, cookie, native });
  return { domain, reason: 'as asked' };
}

function openAuto(options: OpenDomainOptions): OpenedDomain {
  const auto = autoDomain({ for: options.for });
  if (auto.kind === 'system') {
    return { domain: systemDomain('/proc', options.native?.files), reason: auto.reason };
  }
  const { dir } = auto.limit;
  const top = placeOfSelf().top;
  const path = dir === top ? '/' : dir.slice(top.length);
  return { domain: openMemcg(auto.limit, path, options), reason: auto.reason };
}

function placeOfSelf(): CgroupPlace {
  const place = findMemoryCgroup('self');
  if (place === null) throw new BadnessError('EDOMAIN', 'no memory cgroup is to be seen from here; take domain system');
  return place;
}

/** The group of a path below the mount. @throws BadnessError `EDOMAIN` for one that is not there, or has no limit. */
export function namedLimit(path: string): CgroupLimit {
  const { top, version } = placeOfSelf();
  const dir = path === '/' ? top : join(top, path);
  const limitBytes = cgroupLimitBytes(dir, version);
  if (Number.isFinite(limitBytes)) return { version, dir, limitBytes };
  throw new BadnessError('EDOMAIN', `cgroup ${path} (${dir}) is not there or has no memory limit to be short of`);
}

function openMemcg(limit: CgroupLimit, path: string, { native }: OpenDomainOptions): LinuxDomain {
  return memcgDomain(limit, { path, native });
}

function openNode(node: number): LinuxDomain {
  try {
    return numaDomain(node);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new BadnessError('EDOMAIN', `there is no NUMA node ${node} here`, { cause: error });
  }
}
