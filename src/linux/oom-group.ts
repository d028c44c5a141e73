/** Stage: kill. In: a victim. Out: the cgroup that the kernel would kill whole with it (`memory.oom.group`), or null. v2 only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findMemoryCgroup, upwards } from './cgroup-place.js';

/** A cgroup with `memory.oom.group`. */
export interface OomGroup {
  readonly dir: string;
  /** As the kernel prints it: below the mount. */
  readonly path: string;
}

/**
 * The outermost cgroup of a task that has `memory.oom.group`, from its own up to `within`, the group that is short of memory, or all of
 * the hierarchy where that is null. Groups that this process is in do not count: they cannot go whole without it, and a guard inside of a
 * container is there so that less than all of it has to. Null without one, when the task has left `within`, and where nothing can be read.
 */
export function findOomGroup(pid: number, within: string | null = null, root = '/proc'): OomGroup | null {
  try {
    const place = findMemoryCgroup(pid, root);
    if (place?.version !== 2) return null;
    const last = within ?? place.top;
    const dirs = upwards(place.dir, last);
    if (dirs.at(-1) !== last) return null;
    const whole = dirs.filter(diesWhole);
    // The usual case, and nobody has been signalled yet.
    if (whole.length === 0) return null;
    const own = findMemoryCgroup('self', root);
    const dir = whole.findLast((one) => !own || !contains(one, own.dir));
    return dir === undefined ? null : { dir, path: dir.slice(place.top.length) };
  } catch {
    // It is gone, or hidden: nothing binds others to it.
    return null;
  }
}

function contains(dir: string, other: string): boolean {
  return other === dir || other.startsWith(`${dir}/`);
}

/** The file is missing in the root, and where the controller is not enabled. */
function diesWhole(dir: string): boolean {
  try {
    return readFileSync(join(dir, 'memory.oom.group'), 'latin1').trim() === '1';
  } catch {
    return false;
  }
}
