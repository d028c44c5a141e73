/** Stage: domain. One NUMA node: what is left of its memory, and the tasks that may use it (Mems_allowed_list). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as L from '../../assembly/layout.js';
import type { MemoryState } from '../pressure/memory-state.js';
import { malformed } from '../proc/keyed-file.js';
import { errorCode } from './identity.js';
import { KeptFile } from './kept-file.js';
import type { LinuxDomain } from './linux-domain.js';

export interface NumaRoots {
  /** Default `/proc`. */
  readonly proc?: string;
  /** Default `/sys/devices/system/node`. */
  readonly nodes?: string;
}

/** `Node 0 Active(file):     267432 kB` */
const LINE = /^Node \d+ ([\w()]+):\s+(\d+) kB$/gm;

/** The lists that the kernel prints: `0-2,5`. True when `node` is in it; false for what is no such list. */
export function listHolds(list: string, node: number): boolean {
  return list
    .trim()
    .split(',')
    .some((part) => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      return first !== undefined && Number(first) <= node && node <= Number(last);
    });
}

/**
 * A node has no MemAvailable: what is free, and the file pages and reclaimable slab that can go. Swap is the machine's and gives a
 * node back what it takes, but tells nothing about it: memory alone decides.
 */
function stateOf(text: string, path: string): MemoryState {
  const kib = new Map(Array.from(text.matchAll(LINE), ([, key, value]) => [key!, Number(value)]));
  const need = (key: string): number => {
    const value = kib.get(key);
    if (value === undefined) throw malformed(path, `${key} is missing`);
    return value;
  };
  const totalKib = need('MemTotal');
  if (totalKib === 0) throw malformed(path, 'the node has no memory');
  const cached = need('Active(file)') + need('Inactive(file)') + (kib.get('SReclaimable') ?? 0);
  const availableKib = Math.min(totalKib, need('MemFree') + cached);
  return {
    totalKib,
    availableKib,
    basisKib: Math.max(1, availableKib + need('AnonPages')),
    swapTotalKib: 0,
    swapFreeKib: 0,
  };
}

/** @throws ENOENT for a node that is not there; BadnessError `EBADMSG`. */
export function numaDomain(
  node: number,
  { proc = '/proc', nodes = '/sys/devices/system/node' }: NumaRoots = {},
): LinuxDomain {
  const file = new KeptFile(join(nodes, `node${node}`, 'meminfo'));
  const reader = { read: () => stateOf(file.text(), file.path) };
  reader.read();
  const mayUse = (readStatus: () => string): boolean => {
    const status = textOrNone(readStatus);
    if (status === null) return false;
    const list = /^Mems_allowed_list:\t(.*)$/m.exec(status)?.[1];
    // A kernel without cpusets does not print it: then everybody may use every node.
    return list === undefined || listHolds(list, node);
  };
  return {
    kind: 'numa',
    name: `node ${node}`,
    reader,
    members: null,
    isMember: (identity) => mayUse(() => identity.read('status')),
    exempt: (engine) => {
      const path = `${proc}/${engine.fields[L.FIELD_TGID]!}/status`;
      return mayUse(() => readFileSync(path, 'latin1')) ? 0 : L.TASK_OUTSIDE;
    },
    oomKills: () => null,
    sources: () => [],
    close: () => file.close(),
  };
}

/** Null for a task that is gone or not to be seen, and so not to be chosen. */
function textOrNone(read: () => string): string | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error))) return null;
    throw error;
  }
}
