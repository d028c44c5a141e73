/** Stage: bytes of /proc → report. The CPU time of one thread, as the 2005 proposal's /proc/PID/oom told it. */
import { readFileSync } from 'node:fs';
import { BadnessError } from '../errors.js';
import { isForbidden, isGone } from './proc-files.js';

export interface ThreadTimes {
  /** In user mode and in the kernel, of this thread alone: 1/100 s (USER_HZ); jiffies at HZ are these times HZ / 100. */
  readonly utimeTicks: number;
  readonly stimeTicks: number;
}

// Counted from field 3 (state) of proc_pid_stat(5): utime is 14, stime 15.
const UTIME = 11;
const STIME = 12;

/** Throws BadnessError `ESRCH` when that process has no such thread, `EACCES` when it may not be seen (hidepid). */
export function threadTimes(pid: number, tid = pid): ThreadTimes {
  try {
    const text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { utimeTicks: Number(fields[UTIME]), stimeTicks: Number(fields[STIME]) };
  } catch (error) {
    const whom = pid === tid ? `no task has the id ${pid}` : `process ${pid} has no thread ${tid}`;
    if (isGone(error)) throw new BadnessError('ESRCH', whom);
    if (isForbidden(error)) throw new BadnessError('EACCES', `${pid} may not be read`, { cause: error });
    throw error;
  }
}
