/** What has become of a process. */
import { readFileSync } from 'node:fs';

/** A process that is there, running, stopped or asleep, has a state; one that has been reaped has none. */
export function processState(pid: number): string | null {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))![1]!;
  } catch {
    return null;
  }
}

/** Not merely waiting to be reaped by whoever is its parent. */
export function isAlive(pid: number): boolean {
  return ![null, 'Z', 'X'].includes(processState(pid));
}
