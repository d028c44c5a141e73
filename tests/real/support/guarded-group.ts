// A memory cgroup of the test's own with a guard that may choose nobody but its members.
import type { TestContext } from 'node:test';
import { type GuardProcess, type GuardStart, runGuard } from '../../src/support/guard-process.js';
import { type Eater, startEater } from './eater.js';
import { MIB, makeGroup, v1Top } from './hog.js';
import { realBinary } from './hostile-binary.js';

export interface GuardedGroup {
  readonly dir: string;
  readonly guard: GuardProcess;
  /** Starts one in the group; it is ended after the test. */
  eater(name: string, mib?: number, stubborn?: boolean): Promise<Eater>;
}

/** Why there can be none here, or false. */
export function noGuardedGroup(): string | false {
  const found = v1Top();
  if ('skip' in found) return found.skip;
  const binary = realBinary('eater');
  return 'skip' in binary ? binary.skip : false;
}

/** A group with that limit, and what `--domain` calls it. */
export function limitedGroup(t: TestContext, label: string, limitMib: number): { dir: string; domain: string } {
  const { top } = v1Top() as { top: string };
  const dir = makeGroup(t, top, label, { 'memory.limit_in_bytes': limitMib * MIB });
  return { dir, domain: dir.slice(top.length) };
}

export async function eaterIn(t: TestContext, dir: string, name: string, mib = 0, stubborn = false): Promise<Eater> {
  const eater = await startEater({ name, group: dir, stubborn });
  t.after(() => eater.end());
  if (mib > 0) await eater.take(mib);
  return eater;
}

/** A group with that limit and a guard of it. */
export async function guardedGroup(t: TestContext, limitMib: number, start: GuardStart): Promise<GuardedGroup> {
  const { dir, domain } = limitedGroup(t, 'guarded', limitMib);
  const guard = await runGuard(t, { ...start, args: ['--domain', `memcg:${domain}`, ...start.args] });
  return { dir, guard, eater: (name, mib, stubborn) => eaterIn(t, dir, name, mib, stubborn) };
}
