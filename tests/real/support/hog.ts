// Processes that take memory inside a cgroup of the test's own, by tools that every machine has. None can take more than 200 MiB.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { cgroupSubtree } from '../../../src/linux/cgroup.js';
import { findMemoryCgroup, isV1Root } from '../../../src/linux/cgroup-place.js';
import { PATIENCE_MS } from '../../src/support/patience.js';
import { pause } from './count.js';

export const MIB = 2 ** 20;
const MOST_KIB = 200 * 1024;

/** The top of the v1 memory hierarchy where groups can be made, or the reason why not. */
export function v1Top(): { top: string } | { skip: string } {
  const place = findMemoryCgroup();
  if (place?.version !== 1) return { skip: 'no v1 memory cgroup' };
  if (process.getuid?.() !== 0) return { skip: 'not root' };
  if (!isV1Root(place.top)) return { skip: 'not at the root of the v1 hierarchy' };
  return noGroups(place.top) ?? { top: place.top };
}

/** Where cgroup v2 is mounted, or the reason why it cannot be used. `controller`: it must have memory. */
export function v2Top(controller: boolean): { top: string } | { skip: string } {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((one) => one.includes(' - cgroup2 '));
  const top = line?.split(' ')[4];
  if (top === undefined) return { skip: 'no cgroup v2' };
  if (process.getuid?.() !== 0) return { skip: 'not root' };
  const controllers = readFileSync(join(top, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
  if (controller && !controllers.includes('memory')) return { skip: 'cgroup v2 has no memory controller here' };
  return noGroups(top) ?? { top };
}

/** Why no group can be made below, as where it is mounted to be read only. */
export function noGroups(top: string): { skip: string } | null {
  const dir = join(top, `badness-try-${process.pid}`);
  try {
    mkdirSync(dir);
    rmdirSync(dir);
    return null;
  } catch (error) {
    return { skip: `cannot make a cgroup: ${(error as NodeJS.ErrnoException).code}` };
  }
}

let serial = 0;

/** Makes a group (removed after the test, with what is still in it), and sets files of it. */
export function makeGroup(
  t: TestContext,
  parent: string,
  label: string,
  files: Record<string, string | number> = {},
): string {
  const dir = join(parent, `badness-${label}-${process.pid}-${serial++}`);
  mkdirSync(dir);
  t.after(() => removeGroup(dir));
  for (const [name, value] of Object.entries(files)) writeFileSync(join(dir, name), String(value));
  return dir;
}

/** Kills what is left in it and in the groups below (the test started it all), and removes them. */
export async function removeGroup(dir: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end && existsSync(dir); ) {
    for (const one of cgroupSubtree(dir).reverse()) {
      try {
        for (const pid of readFileSync(join(one, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
          process.kill(Number(pid), 'SIGKILL');
        }
        rmdirSync(one);
      } catch {
        // Its last task needs a moment to leave, or went by itself.
      }
    }
    await pause(20);
  }
  if (existsSync(dir)) throw new Error(`cannot remove ${dir}`);
}

/** A shell inside the groups, which becomes `command`. Killed after the test. */
export function startIn(t: TestContext, groups: readonly string[], command: string): ChildProcess {
  const enter = groups.map((dir) => `echo $$ > '${dir}/cgroup.procs'`).join(' && ');
  // Not more address space than the bound, should a group fail to limit it.
  const child = spawn('sh', ['-c', `${enter} && ulimit -v ${MOST_KIB} && ${command}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Takes memory without end; in a limited group until it is out of memory. */
export function startHog(t: TestContext, ...groups: string[]): ChildProcess {
  return startIn(t, groups, 'exec tail /dev/zero');
}

/** Takes about so much memory and keeps it until its input is closed. */
export function startHolder(t: TestContext, mib: number, ...groups: string[]): ChildProcess {
  const child = startIn(t, groups, `exec tail -c ${mib}M`);
  const block = Buffer.alloc(MIB, 'x');
  child.stdin!.on('error', () => {}); // it was killed
  for (let written = 0; written < mib; written++) child.stdin!.write(block);
  return child;
}

/** Its exit signal or code. */
export async function ended(child: ChildProcess): Promise<string | number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? child.exitCode!;
}

/** Waits until it is so. @throws when it is not within the time. */
export async function until(what: string, holds: () => boolean, withinMs = PATIENCE_MS): Promise<void> {
  for (const end = Date.now() + withinMs; !holds(); await pause(5)) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
}

/** True where files live in memory, so that writing them makes no writeback. */
export function onTmpfs(dir: string): boolean {
  return statfsSync(dir).type === 0x01021994; // TMPFS_MAGIC
}
