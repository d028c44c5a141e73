// Stage: kill, release. In: a kept identity. Out: its threads, and whether any of them can still hold memory.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isDead, parseTaskStat, type TaskStat } from '../proc/task-stat.js';
import { errorCode, type Identity } from './identity.js';
import { isOutOfDescriptors, listPids } from './proc-files.js';

/** The thread ids of a process, ascending; empty when it is gone or hidden. @throws EMFILE: that there are none must not come of it. */
export function listThreads(pid: number): number[] {
  try {
    // Its link count is 2 + the number of threads (proc_task_getattr(), fs/proc/base.c): most have one and need no listing.
    if (statSync(`/proc/${pid}/task`).nlink === 3) return [pid];
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return [];
  }
}

/** The process ids /proc shows to us, ascending. */
export function pidNumbers(): number[] {
  return listPids('/proc')
    .map(Number)
    .sort((a, b) => a - b);
}

/** A file under /proc/PID/ by name, null when it is gone or hidden. Without identity: only for surveys. @throws EMFILE. */
export function peek(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return null;
  }
}

/** The parsed `stat` of a process, null when it is gone. */
export function peekStat(pid: number): TaskStat | null {
  const text = peek(pid, 'stat');
  return text === null ? null : parseTaskStat(text);
}

/**
 * True when no thread of the group can hold memory any more: it was reaped, or the leader is Z/X and no thread is left beside it,
 * or every thread is Z/X. A leader that is Z with live threads is alive.
 * `stat` must be an identity kept on `stat`: one read answers for the whole group, under the kernel's own lock.
 */
export function groupIsDead(stat: Identity): boolean {
  const text = stat.text();
  if (text === null) return true;
  const leader = parseTaskStat(text);
  if (leader === null) throw new Error(`/proc/${stat.pid}/stat cannot be parsed: ${text.slice(0, 80)}`);
  if (!isDead(leader.state)) return false;
  if (leader.numThreads <= 1) return true;
  // A traced thread stays behind as Z until its tracer looks, so the count alone does not prove a live one. Twice, because
  // a thread may start another and end between the listing and the reading.
  return threadsAreDead(stat.pid) && threadsAreDead(stat.pid);
}

function threadsAreDead(pid: number): boolean {
  for (const tid of listThreads(pid)) {
    let text: string;
    try {
      text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'ESRCH') continue;
      throw error;
    }
    const thread = parseTaskStat(text);
    if (thread === null || !isDead(thread.state)) return false;
  }
  return true;
}
