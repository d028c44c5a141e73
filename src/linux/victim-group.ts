/** Stage: kill. In: a victim, and what binds others to it. Out: the group that goes with it, or null. */
import { cgroupMembers } from './cgroup.js';
import type { KillGroup } from './kill-group.js';
import { findOomGroup } from './oom-group.js';
import { peek, peekStat, pidNumbers } from './thread-group.js';

/** What is asked of a victim's surroundings. */
export interface VictimGroupOptions {
  /**
   * Where `memory.oom.group` is looked for: up to that cgroup, in the whole hierarchy (null), or nowhere (undefined): a limit that the kernel
   * knows nothing of kills nobody besides its victim.
   */
  readonly within?: string | null | undefined;
  /** All of its process group, as earlyoom -g; of it those who are members of what is short of memory. */
  readonly processGroup?: boolean | undefined;
  /** Pids of those, as /proc spells them; null when everybody is one. */
  readonly members: (() => readonly string[]) | null;
  /** Who of these may not be chosen, and why. */
  readonly ineligible: (pids: readonly number[]) => ReadonlyMap<number, string>;
}

/** A cgroup with `memory.oom.group` comes before the process group. */
export function victimGroup(
  pid: number,
  { within, processGroup, members, ineligible }: VictimGroupOptions,
): KillGroup | null {
  const cgroup = within === undefined ? null : findOomGroup(pid, within);
  const spared = (pids: readonly number[]) => new Map([...neverKilled(pids), ...ineligible(pids)]);
  if (cgroup) {
    const pids = () => cgroupMembers(cgroup.dir).pids;
    return { by: 'memory.oom.group', name: cgroup.path, pids, spared };
  }
  const number = processGroup ? peekStat(pid)?.pgrp : undefined;
  // 0: that of another pid namespace, where it says nothing.
  if (!number) return null;
  const among = () => members?.().map(Number) ?? pidNumbers();
  const pids = () => among().filter((one) => peekStat(one)?.pgrp === number);
  return { by: 'process group', name: String(number), pids, spared };
}

/** As it is now: it may have been set since tasks were read, and whoever was forked since then was not read. */
function neverKilled(pids: readonly number[]): Map<number, string> {
  const never = pids.filter((pid) => Number(peek(pid, 'oom_score_adj')) === -1000);
  return new Map(never.map((pid) => [pid, 'adj -1000']));
}
