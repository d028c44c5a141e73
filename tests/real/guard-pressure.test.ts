// What else can make a guard act besides memory itself, on the real kernel: stalls (PSI) by trigger and by average, alone and together with
// memory, and the OOM of a v1 group that is left to user space. The guard is the library's, and may choose nobody but members of a group.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GuardEvent } from '../../src/guard/index.js';
import { cgroupOomKills } from '../../src/linux/cgroup.js';
import { loadNative } from '../../src/linux/native.js';
import { openLinuxGuard } from '../../src/linux/open-linux-guard.js';
import { PsiReader } from '../../src/linux/psi.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import { pause } from './support/count.js';
import { eaterIn, limitedGroup, noGuardedGroup } from './support/guarded-group.js';
import { until } from './support/hog.js';
import { makeStalls, noPsi, noStalls } from './support/stalls.js';

const LIMIT_MIB = 256;
/** Leaves 60 % available. */
const CALM_MIB = 100;
const FURTHER_MIB = 140;
const STALLED_PERCENT = 20;

interface Watch {
  readonly dir: string;
  readonly events: GuardEvent[];
  rounds(): Extract<GuardEvent, { kind: 'round' }>[];
}

/** A guard of a group of the test's own, in this process. */
async function watch(t: TestContext, pressure: PolicyInput['pressure'], native: 'auto' | 'none'): Promise<Watch> {
  const { dir, domain } = limitedGroup(t, 'pressure', LIMIT_MIB);
  const events: GuardEvent[] = [];
  const guard = await openLinuxGuard({
    policy: definePolicy({ enforce: true, domain: { memcg: domain }, pressure }),
    for: 'library',
    tell: (event) => void events.push(event),
    native,
  });
  t.after(() => guard.close());
  void guard.run();
  return { dir, events, rounds: () => events.filter((event) => event.kind === 'round') };
}

async function withoutNative(t: TestContext): Promise<boolean> {
  const { native, reason } = await loadNative();
  if (native === null) t.skip(`no native calls: ${reason}`);
  return native === null;
}

const stallOptions = { skip: noGuardedGroup() || noPsi() || noStalls(), timeout: 180_000 };

test('guard: a PSI trigger makes a round where memory alone would not', stallOptions, async (t) => {
  if (await withoutNative(t)) return;
  const trigger = { stallMs: 150, windowMs: 2000, level: 'term' } as const;
  const { dir, events, rounds } = await watch(t, { psi: { trigger } }, 'auto');
  const eater = await eaterIn(t, dir, 'calm', CALM_MIB);
  await pause(300);
  assert.equal(rounds().length, 0, JSON.stringify(events));
  const began = performance.now();
  if (!makeStalls(t)) return t.skip('files live in memory here');
  assert.equal(await eater.ended, 'SIGTERM');
  t.diagnostic(`dead ${(performance.now() - began).toFixed(0)} ms after the writers began`);
  await until('the round', () => rounds().length > 0);
  assert.equal(rounds()[0]!.report.outcome, 'released');
});

test('guard: an average of stalls makes a round too, without native calls', stallOptions, async (t) => {
  const { dir, rounds } = await watch(t, { psi: { kill: STALLED_PERCENT } }, 'none');
  const eater = await eaterIn(t, dir, 'calm', CALM_MIB);
  if (!makeStalls(t)) return t.skip('files live in memory here');
  assert.equal(await eater.ended, 'SIGKILL');
  await until('the round', () => rounds().length > 0);
  assert.deepEqual([rounds()[0]!.level, rounds()[0]!.report.outcome], ['kill', 'released']);
});

test('guard: mode all wants stalls and short memory, and neither alone is enough', stallOptions, async (t) => {
  const { dir, events, rounds } = await watch(t, { mode: 'all', psi: { kill: STALLED_PERCENT } }, 'auto');
  const eater = await eaterIn(t, dir, 'eater', CALM_MIB);
  if (!makeStalls(t)) return t.skip('files live in memory here');
  const reader = new PsiReader();
  t.after(() => reader.close());
  await until('stalls', () => reader.read().some.avg10 > 2 * STALLED_PERCENT);
  // Longer than the longest sleep of the guard.
  await pause(2500);
  assert.deepEqual([eater.lives, rounds().length], [true, 0], JSON.stringify(events));
  await eater.take(FURTHER_MIB);
  assert.match(String(await eater.ended), /^SIG(TERM|KILL)$/);
  assert.equal(cgroupOomKills(dir, 1), 0);
});

for (const native of ['auto', 'none'] as const) {
  const how = native === 'auto' ? 'eventfd' : 'sampled';
  test(`guard: an OOM that the kernel leaves to user space ends with the hog (${how})`, {
    skip: noGuardedGroup(),
    timeout: 120_000,
  }, async (t) => {
    if (native === 'auto' && (await withoutNative(t))) return;
    // What memory says would have to last for ten minutes: the event alone speaks.
    const { dir, events, rounds } = await watch(t, { forMs: 600_000 }, native);
    writeFileSync(join(dir, 'memory.oom_control'), '1');
    const bystander = await eaterIn(t, dir, 'bystander', 20);
    const hog = await eaterIn(t, dir, 'hog');
    await hog.take(LIMIT_MIB);
    const words = JSON.stringify(events);
    assert.match(String(await hog.ended), /^SIG(TERM|KILL)$/, words);
    await until('the round', () => rounds().length > 0);
    const [{ report, level }] = rounds() as [ReturnType<typeof rounds>[0]];
    assert.deepEqual([level, report.outcome, report.victim!.tgid], ['kill', 'released', hog.pid], words);
    assert.deepEqual([cgroupOomKills(dir, 1), bystander.lives], [0, true]);
    assert.ok(
      events.some((event) => event.kind === 'level' && /under OOM/.test(event.words)),
      words,
    );
  });
}
