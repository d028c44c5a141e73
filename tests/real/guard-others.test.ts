// Somebody else has killed a hog of 1 GiB, and its memory is not back yet, when the guard looks and finds memory short: another daemon's
// SIGKILL, and the kernel's own killer. One death is enough. The guard is stopped (SIGSTOP) until the very moment, so that it always sees it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { realCount } from './support/count.js';
import { type Eater, touchMemory } from './support/eater.js';
import { type GuardedGroup, guardedGroup, noGuardedGroup } from './support/guarded-group.js';

const KILLS = 20;
const KILLS_REDUCED = 5;
const LIMIT_MIB = 1280;
const HOG_MIB = 1024;
const BYSTANDER_MIB = 100;
/** With the hog 12 % are available: short, and SIGKILL at once. Without it nine tenths are. */
const ARGS = ['--enforce', '-m', '40,30'];

/** Kills the hog and returns as soon as it is dying. */
type Killer = (group: GuardedGroup, hog: Eater) => void;

const byDaemon: Killer = (_group, hog) => process.kill(hog.pid, 'SIGKILL');

/** One page too many; returns when the kernel has counted its victim. Without a pause, which would be too long. */
const byKernel: Killer = ({ dir }, hog) => {
  const kills = () => Number(/oom_kill (\d+)/.exec(readFileSync(join(dir, 'memory.oom_control'), 'latin1'))![1]);
  const before = kills();
  void hog.take(LIMIT_MIB);
  for (const end = performance.now() + 10_000; kills() === before; ) {
    if (performance.now() > end) throw new Error('the kernel has not killed');
  }
};

interface Tally {
  seen: number;
  inFlight: number;
  second: number;
}

async function oneKill(group: GuardedGroup, bystanders: readonly Eater[], kill: Killer, tally: Tally): Promise<void> {
  const { guard } = group;
  const before = guard.lines.length;
  guard.child.kill('SIGSTOP');
  const hog = await group.eater('hog', HOG_MIB);
  kill(group, hog);
  guard.child.kill('SIGCONT');
  assert.equal(await hog.ended, 'SIGKILL');
  const said = () => guard.lines.slice(before);
  // A guard that saw nothing short in time says nothing at all: that run proves nothing, and is not counted.
  const levels = () => said().filter(({ kind }) => kind === 'level');
  await guard.until('calm', () => (levels().at(-1)?.level ?? 'none') === 'none').catch(() => {});
  if (levels().some(({ level }) => level === 'kill' || level === 'term')) tally.seen++;
  if (guard.rounds.some(({ outcome }) => outcome === 'in-flight')) tally.inFlight++;
  tally.second += bystanders.filter(({ lives }) => !lives).length;
  assert.equal(tally.second, 0, JSON.stringify(said(), null, 1));
}

function defineTest(who: string, kill: Killer): void {
  const name = `guard: a hog that ${who} has killed is the only one to die while its memory is coming back`;
  test(name, { skip: noGuardedGroup(), timeout: 280_000 }, async (t: TestContext) => {
    const group = await guardedGroup(t, LIMIT_MIB, { args: ARGS });
    const bystanders = [await group.eater('bystander', BYSTANDER_MIB), await group.eater('small', 1)];
    await touchMemory(HOG_MIB);
    const count = realCount(KILLS, KILLS_REDUCED);
    const tally: Tally = { seen: 0, inFlight: 0, second: 0 };
    for (let tries = 0; tally.seen < count && tries < 6 * count; tries++) await oneKill(group, bystanders, kill, tally);
    t.diagnostic(`${tally.seen} kills seen in flight, ${tally.second} second kills`);
    assert.ok(tally.seen >= count, `the guard saw memory short in ${tally.seen} runs only`);
    assert.ok(tally.inFlight > 0, group.guard.told());
    assert.equal((await group.guard.stop()).ended, 0);
  });
}

defineTest('another daemon', byDaemon);
defineTest('the kernel', byKernel);
