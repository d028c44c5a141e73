/** Stage: domain. A process and all that come from it, with a budget of memory: what is left of it, and who may die for it. */
import { BadnessError } from '../errors.js';
import type { LinuxDomain } from './linux-domain.js';
import type { Native } from './native.js';
import { SubtreeMembers } from './subtree.js';
import { SubtreeReader } from './subtree-reader.js';

export interface SubtreeDomainOptions {
  /** The process at the top: it is charged, and never chosen. */
  readonly root: number;
  readonly budgetBytes: number;
  /** What its children have in their environment (plantCookie). */
  readonly cookie?: string | undefined;
  readonly native: Native | null;
}

/** @throws BadnessError `EDOMAIN` when there is no such process; RangeError for a budget below 1 MiB. */
export function subtreeDomain({ root, budgetBytes, cookie, native }: SubtreeDomainOptions): LinuxDomain {
  const members = openMembers(root, cookie);
  const sharesVm = native ? (a: number, b: number) => native.sharesVm(a, b) : null;
  const subtree = new SubtreeReader(members, budgetBytes, { sharesVm });
  const reader = {
    read: () => {
      try {
        return subtree.read();
      } catch (cause) {
        if (members.state === 'alive') throw cause;
        throw new BadnessError('ENODEV', `process ${root} has ended, and with it its subtree`, { cause });
      }
    },
  };
  return {
    kind: 'subtree',
    name: `descendants of ${root}`,
    reader,
    members: () => {
      members.refresh();
      return members.pids();
    },
    isMember: ({ pid }) => members.has(pid),
    exempt: null,
    oomKills: () => null,
    sources: () => [],
    rootTgid: root,
    close: () => members.close(),
  };
}

function openMembers(root: number, cookie: string | undefined): SubtreeMembers {
  try {
    const members = new SubtreeMembers({ root, ...(cookie === undefined ? {} : { cookie }) });
    members.refresh();
    return members;
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ESRCH') throw cause;
    throw new BadnessError('EDOMAIN', `there is no process ${root} whose descendants could be guarded`, { cause });
  }
}
