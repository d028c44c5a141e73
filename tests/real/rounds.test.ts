// 200 kills one after the other, of victims that take 0–500 ms to die: how many began while an earlier victim still held memory?
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killTask } from '../../src/linux/kill.js';
import { loadNative } from '../../src/linux/native.js';
import { realCount } from './support/count.js';
import { hostileBinary } from './support/hostile-binary.js';
import { startHostile } from './support/hostile-process.js';
import { type MemoryCgroup, memoryCgroup } from './support/own-cgroup.js';

const ROUNDS = 200;
const MIB = 2 ** 20;
const SMALL_MIB = 24;
const LARGE_MIB = 2048;
// A cgroup's count lags by what each CPU keeps in stock (64 pages); page tables, 1/512 of the memory, follow one RCU grace period later.
const emptyBytes = (mib: number): number => 2 * MIB + (mib * MIB) / 256;
// Not root, so no CAP_SYS_RAWIO: SIGKILL asked is SIGKILL sent.
const VICTIM_UID = 65534;

interface Victim {
  readonly kind: string;
  readonly mib: number;
  readonly argument: number;
  readonly signal: 'SIGTERM' | 'SIGKILL';
}

function victimOf(round: number, rounds: number): Victim {
  if (round === Math.floor(rounds / 2)) return { kind: 'threads', mib: LARGE_MIB, argument: 50, signal: 'SIGKILL' };
  // 0, 5 … 500 ms, spread over the rounds whatever their number.
  const delay = ((round * 37) % 101) * 5;
  return { kind: 'slowterm', mib: SMALL_MIB, argument: delay, signal: 'SIGTERM' };
}

interface Tally {
  held: number;
  /** The first that held memory when its release was reported. */
  first: string | null;
  notReleased: number;
  slowestMs: number;
  largeMs: number;
  delaysMs: number[];
}

interface Started {
  readonly victim: Victim;
  readonly pid: number;
  readonly group: MemoryCgroup;
}

async function start(victim: Victim, binary: string): Promise<Started> {
  const group = memoryCgroup('round');
  if ('skip' in group) throw new Error(group.skip);
  const { pid } = await startHostile({ ...victim, binary, uid: VICTIM_UID, cgroup: group });
  return { victim, pid, group };
}

const holds = ({ victim, group }: Started): boolean => group.usageBytes() > emptyBytes(victim.mib);

async function killOne(
  started: Started,
  native: 'auto' | 'none',
  earlier: readonly Started[],
  tally: Tally,
): Promise<void> {
  const { victim, pid } = started;
  // The question, at the start of each kill.
  for (const before of earlier) {
    if (!holds(before)) continue;
    tally.held++;
    tally.first ??= `${before.victim.kind} of ${before.victim.mib} MiB still holds ${before.group.usageBytes()} bytes`;
  }
  const report = await killTask({ pid }, { native, signal: victim.signal });
  if (report.outcome !== 'released') tally.notReleased++;
  const ms = report.timings.releasedMs ?? Number.POSITIVE_INFINITY;
  tally.slowestMs = Math.max(tally.slowestMs, ms);
  if (victim.mib === LARGE_MIB) tally.largeMs = ms;
  else tally.delaysMs.push(ms - victim.argument);
}

function defineTest(native: 'auto' | 'none'): void {
  const binary = hostileBinary();
  const probe = process.getuid?.() === 0 ? memoryCgroup('probe') : { skip: 'needs root' };
  const skip = 'skip' in binary ? binary.skip : 'skip' in probe ? probe.skip : false;
  test(`rounds: no kill begins while an earlier victim holds memory (${native})`, {
    skip,
    timeout: 280_000,
  }, async (t) => {
    if ('skip' in binary || 'skip' in probe) return;
    await probe.remove();
    const load = await loadNative({ native });
    if (native === 'auto' && load.native === null) return t.skip(load.reason ?? 'no native calls');
    const rounds = realCount(ROUNDS);
    const tally: Tally = { held: 0, first: null, notReleased: 0, slowestMs: 0, largeMs: Number.NaN, delaysMs: [] };
    const earlier: Started[] = [];
    // The next victim stands ready before this one is killed, so nothing lies between a release and the kill that follows it.
    let next: Started | null = await start(victimOf(0, rounds), binary.path);
    try {
      for (let round = 0; next !== null && round < rounds; round++) {
        const current: Started = next;
        next = round + 1 < rounds ? await start(victimOf(round + 1, rounds), binary.path) : null;
        await killOne(current, native, earlier, tally);
        earlier.push(current);
        if (earlier.length > 5) await earlier.shift()!.group.remove();
      }
      for (const last of earlier) if (holds(last)) tally.held++;
    } finally {
      for (const one of next ? [...earlier, next] : earlier) await one.group.remove();
    }
    const over = tally.delaysMs.sort((a, b) => a - b);
    t.diagnostic(
      `${rounds} rounds: held ${tally.held}, not released ${tally.notReleased}, slowest ${Math.round(tally.slowestMs)} ms, ` +
        `2 GiB × 50 threads ${Math.round(tally.largeMs)} ms, over the victim's own delay: median ${Math.round(over[over.length >> 1] ?? 0)} ms`,
    );
    assert.equal(tally.held, 0, tally.first ?? '');
    assert.equal(tally.notReleased, 0);
  });
}

for (const native of ['auto', 'none'] as const) defineTest(native);
