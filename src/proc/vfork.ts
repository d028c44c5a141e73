/**
 * Stage: bytes → table. Tells a child of vfork that has not called exec yet: it runs in its parent's address space, so
 * that killing it gives nothing back, and the kernel's own oom_score of it is 0. No file of /proc says so; a process
 * is taken for one when it has not called exec (PF_FORKNOEXEC), a thread of its parent sleeps uninterruptibly, as
 * vfork makes it, and parent and child have as many pages mapped and resident.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { isForbidden, isGone, type ProcFiles, type ProcPlace } from './proc-files.js';

/** What a reading has found out about parents: their statm while a thread of theirs sleeps as vfork makes it, else null. */
export type SleepingParents = Map<number, string | null>;

/**
 * Whether the task of a place that is staged is in vfork. Costs nothing for a task that has called exec, and
 * with `parents` kept for one reading a few files for each parent of the others.
 */
export function isInVfork(engine: Engine, { files, root }: ProcPlace, parents: SleepingParents = new Map()): boolean {
  const { fields } = engine;
  if ((fields[L.FIELD_PF_FLAGS]! & L.PF_FORKNOEXEC) === 0) return false;
  const ppid = fields[L.FIELD_PPID]!;
  let statm = parents.get(ppid);
  if (statm === undefined) {
    statm = sleepingStatm(files, `${root}/${ppid}`);
    parents.set(ppid, statm);
  }
  // A forked copy has the same size too, but hardly the same resident set: that is what tells most of them.
  return statm?.startsWith(`${fields[L.FIELD_TOTAL_VM_PAGES]} ${fields[L.FIELD_RSS_PAGES]} `) ?? false;
}

function sleepingStatm(files: ProcFiles, parent: string): string | null {
  try {
    const threads = files.list(`${parent}/task`);
    const sleeps = threads.some((tid) => stateOf(files.text(`${parent}/task/${tid}/stat`)) === 'D');
    return sleeps ? files.text(`${parent}/statm`) : null;
  } catch (error) {
    if (isGone(error) || isForbidden(error)) return null;
    throw error;
  }
}

/** The state letter of a stat: what follows the last parenthesis. */
function stateOf(stat: string): string | undefined {
  return stat[stat.lastIndexOf(')') + 2];
}
