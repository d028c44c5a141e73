/**
 * Stage: table → selection. Whom a guard never chooses besides those the engine excludes by itself: this process, its
 * ancestors, and who is called like somebody on the never list.
 */
import { readFileSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import { exemptNever } from '../proc/never.js';
import type { Exempt } from '../proc/read-all.js';
import { parseTaskStat } from '../proc/task-stat.js';
import { effectiveCapabilities } from './task-status.js';

export type { Exempt } from '../proc/read-all.js';

/** The parent of a task, from its stat; 0 when it is gone, or its parent is of another pid namespace. */
function parentOf(root: string, pid: number): number {
  try {
    return parseTaskStat(readFileSync(`${root}/${pid}/stat`, 'latin1'))?.ppid ?? 0;
  } catch {
    return 0;
  }
}

/**
 * This process and all its ancestors below pid 1. Not only up to the leader of its session: the killer refuses every
 * ancestor, so one that could be chosen would be chosen and refused round after round, and nobody else ever.
 */
export function ownLine(root = '/proc', self = process.pid): Set<number> {
  const line = new Set([self]);
  for (let pid = parentOf(root, self); pid > L.PID_INIT && !line.has(pid); pid = parentOf(root, pid)) line.add(pid);
  return line;
}

/** Exempts this process's own line, and the tasks whose comm matches one of `never` (see NEVER_DEFAULT). */
export function exemptOwnAnd(never: readonly string[], root = '/proc', self = process.pid): Exempt {
  const own = ownLine(root, self);
  const named = exemptNever(never);
  return (engine) => (own.has(engine.fields[L.FIELD_TGID]!) ? L.TASK_SELF : named(engine));
}

const CAP_KILL = 5; // capabilities(7)

/**
 * Exempts the tasks that this process may not signal: a guard of a plain user that chose one would be refused (EPERM) round after
 * round, and kill nobody. Null where everybody may be signalled. Goes by the real uid, as kill(2) does; a task that only kept our
 * uid as its saved one counts as another's.
 */
export function exemptOthersTasks(ids = ownIds(), mayKillAll = mayKillEverybody()): Exempt | null {
  if (mayKillAll) return null;
  return ({ fields }) => (ids.includes(fields[L.FIELD_UID]!) ? 0 : L.TASK_OUTSIDE);
}

function ownIds(): number[] {
  return [process.getuid?.() ?? 0, process.geteuid?.() ?? 0];
}

function mayKillEverybody(): boolean {
  return effectiveCapabilities(readFileSync('/proc/self/status', 'latin1'))?.(CAP_KILL) ?? false;
}
