// Real kills by a scheme of a user's own: whom it gives most goes, and one that loops for ever holds up nobody for longer than its deadline.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ownFolder } from '../src/support/own-folder.js';
import { moduleFile, points } from '../src/support/plugin-modules.js';
import { guardedGroup, noGuardedGroup } from './support/guarded-group.js';

const options = { skip: noGuardedGroup(), timeout: 120_000 };
const LIMIT_MIB = 256;
const HOG_MIB = 180;
const SMALL_MIB = 20;

async function scene(t: TestContext, body: string, deadlineMs: number) {
  const file = join(ownFolder(t), 'badness.toml');
  const scheme = `{ module = "${moduleFile(t, points(body))}", export = "points", deadline_ms = ${deadlineMs} }`;
  const levels = 'thresholds.term.available = "40%"\nthresholds.kill.available = "40%"\n';
  writeFileSync(file, `version = 1\nenforce = true\nscheme = ${scheme}\n${levels}`);
  return guardedGroup(t, LIMIT_MIB, { args: ['--policy', file] });
}

const pluginOf = (round: object) =>
  (round as { plugin: { answered: boolean; reason: string | null; ms: number } }).plugin;

test('guard: whom a plug-in gives most is killed, though another holds more', options, async (t) => {
  const { guard, eater } = await scene(t, 'return task.comm === "chosen" ? 9 : 1;', 1000);
  const chosen = await eater('chosen', SMALL_MIB);
  const hog = await eater('hog', HOG_MIB);
  assert.equal(await chosen.ended, 'SIGKILL');
  await guard.until('the round', () => guard.rounds.length > 0);
  const [round] = guard.rounds;
  assert.deepEqual([round!.victim!.tgid, round!.outcome, pluginOf(round!).answered], [chosen.pid, 'released', true]);
  // The next one is the hog: memory is still short.
  assert.equal(await hog.ended, 'SIGKILL');
  assert.equal((await guard.stop()).ended, 0);
});

test(
  'guard: a plug-in that loops for ever is cut off, and the fallback kills in the same round',
  options,
  async (t) => {
    // It is asked once at the start, of nobody, and then of those who eat.
    const { guard, eater } = await scene(t, 'for (;;);', 100);
    const small = await eater('small', SMALL_MIB);
    const hog = await eater('hog', HOG_MIB);
    assert.equal(await hog.ended, 'SIGKILL');
    await guard.until('the round', () => guard.rounds.length > 0);
    const [round] = guard.rounds;
    const { answered, ms } = pluginOf(round!);
    assert.deepEqual([round!.victim!.tgid, answered], [hog.pid, false]);
    assert.ok(ms < 10_000, `${ms} ms`);
    const told = guard.lines.filter(({ kind }) => (kind as string) === 'plugin');
    assert.deepEqual(
      told.map(({ error }) => error),
      ['did not answer within 100 ms'],
    );
    assert.ok(small.lives);
    assert.equal((await guard.stop()).ended, 0);
  },
);
