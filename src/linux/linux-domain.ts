/** Stage: domain. What runs short of memory on this machine, and whose members may die for it: the interface, and the whole system. */
import type { DomainKind } from '../domains.js';
import type { Thresholds } from '../policy/levels.js';
import type { MemoryReader } from '../pressure/memory-source.js';
import type { PressureSource } from '../pressure/pressure.js';
import { machineOomKills } from './cgroup.js';
import type { Exempt } from './exempt.js';
import type { FileCalls } from './file-calls.js';
import type { Identity } from './identity.js';
import { MeminfoReader } from './meminfo.js';

/** What is short of memory on a Linux machine: how its memory is read, and who belongs to it. */
export interface LinuxDomain {
  readonly kind: DomainKind;
  /** As printed at start and in reports: `system`, `memcg /a/b`, `node 1`, `descendants of 4711`. */
  readonly name: string;
  readonly reader: MemoryReader;
  /** Pids of the members, as /proc spells them, in the order of strings; null when everybody is one. */
  readonly members: (() => readonly string[]) | null;
  /** Asked of the one chosen, right before it is held: it may have left since it was listed. */
  isMember(identity: Identity): boolean;
  /** Flags for a task that is read in full: of those that are listed and may still not be chosen. Null for none. */
  readonly exempt: Exempt | null;
  /** Victims that the kernel's own killer took here, a number that only grows; null when it is not told. */
  oomKills(): number | null;
  /** What else speaks or wakes besides the reader; the guard owns them. `polls`: somebody waits with poll(2). */
  sources(polls: boolean, thresholds: Thresholds): PressureSource[];
  /** Its own pressure stall information, where it has any; else that of the machine. */
  readonly psiPath?: string;
  /** Its directory, of a cgroup. */
  readonly dir?: string;
  /** Root of a subtree, for schemes that count families from it. */
  readonly rootTgid?: number;
  /** Closes its reader, and what else it keeps open. */
  close(): void;
}

/** The machine. @throws errno names when /proc/meminfo cannot be read. */
export function systemDomain(root = '/proc', files?: FileCalls): LinuxDomain {
  const reader = new MeminfoReader(root, files);
  return {
    kind: 'system',
    name: 'system',
    reader,
    members: null,
    isMember: () => true,
    exempt: null,
    oomKills: () => machineOomKills(root, files),
    sources: () => [],
    close: () => reader.close(),
  };
}
