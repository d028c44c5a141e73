// Real stalls of memory, of one small cgroup, while nothing else is slowed.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { ownFolder } from '../../src/support/own-folder.js';
import { MIB, makeGroup, onTmpfs, startIn, v1Top } from './hog.js';

/** Why the stalls of this machine cannot be read, or false. */
export function noPsi(): string | false {
  try {
    readFileSync('/proc/pressure/memory');
    return false;
  } catch (error) {
    return `no PSI: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** Why no stalls can be made here, or false. */
export function noStalls(): string | false {
  const v1 = v1Top();
  return 'skip' in v1 ? `no way to make stalls: ${v1.skip}` : false;
}

/**
 * Rewrites files within 16 MiB of memory until the test ends: reclaim waits for writeback, which counts as a stall of memory.
 * False where files live in memory, and nothing is written back.
 */
export function makeStalls(t: TestContext): boolean {
  if (onTmpfs(tmpdir())) return false;
  const { top } = v1Top() as { top: string };
  // In this order, because the writers must be gone before their files are.
  const dir = makeGroup(t, top, 'stall', { 'memory.limit_in_bytes': 16 * MIB });
  const files = ownFolder(t);
  for (let index = 0; index < 4; index++) {
    startIn(t, [dir], `while :; do dd if=/dev/zero of=${files}/f${index} bs=1M count=64 conv=notrunc; done`);
  }
  return true;
}
