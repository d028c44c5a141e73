/**
 * Stage: candidate queue, identity. The tasks of this machine as the candidate queue wants them: the handle of a task is
 * the number of a descriptor kept on its stat, so every thread of this process can ask it.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { CandidateQueue, type QueueEngine, type TaskHandles } from '../queue.js';
import { type Identity, keptIdentity } from './identity.js';
import { isForbidden, isGone } from './proc-files.js';
import { tgidOf } from './task-status.js';
import { groupIsDead } from './thread-group.js';

/** The group of a process or thread id. */
function groupOf(id: number): number | undefined {
  return tgidOf(readFileSync(`/proc/${id}/status`, 'latin1'));
}

function isAlive(handle: number): boolean {
  // Its first field is the pid, which the handle alone does not tell.
  const text = keptIdentity(0, handle).text();
  return text !== null && !groupIsDead(keptIdentity(Number.parseInt(text, 10), handle));
}

function open(id: number): { tgid: number; handle: number } | undefined {
  let handle = -1;
  try {
    const tgid = groupOf(id);
    if (tgid === undefined) return undefined;
    handle = openSync(`/proc/${tgid}/stat`, 'r');
    // Still its group, and alive, after the descriptor was there: then the descriptor is of the task that was meant.
    if (groupOf(id) === tgid && isAlive(handle)) return { tgid, handle };
  } catch (error) {
    if (!isGone(error) && !isForbidden(error)) {
      if (handle >= 0) closeSync(handle);
      throw error;
    }
  }
  if (handle >= 0) closeSync(handle);
  return undefined;
}

/** The tasks behind /proc. `open` throws what open(2) throws when there are no descriptors left. */
export const queueTasks: TaskHandles = { open, isAlive, close: closeSync };

/** The task of a candidate that was taken, as an identity that owns the descriptor from now on. */
export function candidateIdentity({ tgid, handle }: { tgid: number; handle: number }): Identity {
  return keptIdentity(tgid, handle);
}

/** The candidate queue of an engine, for tasks of this machine. */
export function openQueue(engine: QueueEngine): CandidateQueue {
  return new CandidateQueue(engine, queueTasks);
}
