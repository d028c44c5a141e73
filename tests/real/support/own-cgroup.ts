// Cgroups of the test's own: one that counts memory (v1 or v2), one v1 freezer. Below the cgroup this process is in; removed afterwards.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PATIENCE_MS } from '../../src/support/patience.js';
import { pause } from './count.js';

export interface MemoryCgroup {
  readonly path: string;
  /** What its tasks are charged with now. */
  usageBytes(): number;
  add(pid: number): void;
  pids(): number[];
  /** Kills what is left in it (all of it was started by the test) and removes it. */
  remove(): Promise<void>;
}

export interface Freezer {
  add(pid: number): void;
  freeze(): Promise<void>;
  thaw(): void;
  remove(): Promise<void>;
}

let serial = 0;

/** A memory cgroup, or the reason why it cannot be made. */
export function memoryCgroup(label: string): MemoryCgroup | { skip: string } {
  const home = v1Home('memory') ?? v2MemoryHome();
  if (home === null) return { skip: 'no memory controller' };
  const path = join(home, `badness-${label}-${process.pid}-${serial++}`);
  const made = make(path);
  if (made !== null) return { skip: `cannot make a memory cgroup: ${made}` };
  const usage = ['memory.usage_in_bytes', 'memory.current'].map((name) => join(path, name)).find(existsSync);
  if (!usage) {
    rmdirSync(path);
    return { skip: 'the memory controller is not delegated' };
  }
  return {
    path,
    usageBytes: () => Number(readFileSync(usage, 'utf8')),
    add: (pid) => writeFileSync(join(path, 'cgroup.procs'), String(pid)),
    pids: () => procs(path),
    remove: () => remove(path),
  };
}

/** A v1 freezer cgroup, or the reason why it cannot be made. */
export function freezer(label: string): Freezer | { skip: string } {
  const home = v1Home('freezer');
  if (home === null) return { skip: 'no v1 freezer' };
  const path = join(home, `badness-${label}-${process.pid}-${serial++}`);
  const made = make(path);
  if (made !== null) return { skip: `cannot make a freezer cgroup: ${made}` };
  const state = join(path, 'freezer.state');
  if (!existsSync(state)) {
    rmdirSync(path);
    return { skip: 'no v1 freezer' };
  }
  const thaw = () => writeFileSync(state, 'THAWED');
  return {
    add: (pid) => writeFileSync(join(path, 'cgroup.procs'), String(pid)),
    async freeze() {
      writeFileSync(state, 'FROZEN');
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(5)) {
        if (readFileSync(state, 'utf8').trim() === 'FROZEN') return;
      }
      throw new Error(`not frozen within ${PATIENCE_MS} ms: ${path}`);
    },
    thaw,
    async remove() {
      thaw();
      await remove(path);
    },
  };
}

function make(path: string): string | null {
  try {
    mkdirSync(path);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function v1Home(controller: string): string | null {
  const mount = join('/sys/fs/cgroup', controller);
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((one) => one.split(':')[1]?.split(',').includes(controller));
  if (!line || !existsSync(join(mount, 'cgroup.procs'))) return null;
  const inside = join(mount, line.split(':').slice(2).join(':'));
  return existsSync(inside) ? inside : mount;
}

function v2MemoryHome(): string | null {
  const mount = '/sys/fs/cgroup';
  try {
    const enabled = readFileSync(join(mount, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
    return enabled.includes('memory') ? mount : null;
  } catch {
    return null;
  }
}

function procs(path: string): number[] {
  return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

async function remove(path: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    try {
      for (const pid of procs(path)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It went by itself.
        }
      }
      rmdirSync(path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      await pause(20); // a group needs a moment after its last task
    }
  }
  throw new Error(`cannot remove ${path}`);
}
