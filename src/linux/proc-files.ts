/** Stage: bytes of /proc. What goes wrong with files of a live /proc, by name, and its list of pids. */
import { readdirSync } from 'node:fs';
import { pidsAmong } from '../proc/proc-files.js';

export { isForbidden, isGone } from '../proc/proc-files.js';

export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/** Names below `root` that are pids, in the order the system gives them. */
export function listPids(root: string): string[] {
  return pidsAmong(readdirSync(root));
}
