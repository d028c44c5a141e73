// What `badness guard` does to a victim, and when: between the thresholds, when it gets worse, when it is told to stop meanwhile; the
// programs of -P and -N; and nothing at all in a dry run. Each in a memory cgroup of the test's own.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GuardProcess } from '../src/support/guard-process.js';
import { ownFolder } from '../src/support/own-folder.js';
import { pause, realCount } from './support/count.js';
import type { Eater } from './support/eater.js';
import { type GuardedGroup, guardedGroup, noGuardedGroup } from './support/guarded-group.js';
import { until } from './support/hog.js';

const options = { skip: noGuardedGroup(), timeout: 120_000 };

const LIMIT_MIB = 256;
/** SIGTERM with 102 MiB left, SIGKILL with 26. */
const THRESHOLDS = ['-m', '40,10'];
const SOFT_MIB = 180;
const BYSTANDER_MIB = 20;
/** From the soft zone to below the other threshold. */
const FURTHER_MIB = 40;
/** With the bystander above the first threshold, and with so much more below it. */
const CALM_MIB = 110;
const DRY_S = 65;
/** From SIGTERM to SIGKILL, where the time must not be what brings it; half of what a round waits for a program. */
const PATIENT_MS = 60_000;

interface Scene extends GuardedGroup {
  readonly bystander: Eater;
}

async function scene(t: TestContext, args: readonly string[], cwd?: string): Promise<Scene> {
  const place = cwd === undefined ? {} : { cwd };
  const group = await guardedGroup(t, LIMIT_MIB, { args: [...THRESHOLDS, ...args], ...place });
  return { ...group, bystander: await group.eater('bystander', BYSTANDER_MIB) };
}

function patientPolicy(t: TestContext): string {
  const folder = ownFolder(t);
  const file = join(folder, 'badness.toml');
  const limit = `{ each_ms = ${2 * PATIENT_MS}, whole_ms = ${2 * PATIENT_MS} }`;
  const limits = `limits.before_kill = ${limit}\nlimits.react = ${limit}\n`;
  writeFileSync(file, `version = 1\nescalation.term_ms = ${PATIENT_MS}\n${limits}`);
  return file;
}

/** The signals of the one round there was, with the milliseconds from its first. */
function signalsOf(guard: GuardProcess): [string, number][] {
  assert.equal(guard.rounds.length, 1, guard.told());
  const signals = guard.rounds[0]!.kill!.signals;
  return signals.map(({ signal, at_ms }) => [signal, at_ms - signals[0]!.at_ms]);
}

test('guard: between the thresholds a victim that ignores SIGTERM is killed after 3 s', options, async (t) => {
  const { guard, eater, bystander } = await scene(t, ['--enforce']);
  const hog = await eater('stubborn', SOFT_MIB, true);
  assert.equal(await hog.ended, 'SIGKILL');
  await guard.until('the round', () => guard.rounds.length > 0);
  const [[first], [second, afterMs]] = signalsOf(guard) as [[string, number], [string, number]];
  assert.deepEqual([first, second, guard.rounds[0]!.outcome], ['SIGTERM', 'SIGKILL', 'released']);
  assert.ok(afterMs >= 3000 && afterMs < 15_000, `${afterMs} ms`);
  assert.ok(bystander.lives);
});

test('guard: memory that falls further kills a victim at once that was only asked to go', options, async (t) => {
  const { guard, eater, bystander } = await scene(t, ['--enforce', '--policy', patientPolicy(t)]);
  const hog = await eater('stubborn', SOFT_MIB, true);
  await guard.until('SIGTERM is due', () => guard.of('level').some(({ level }) => level === 'term'));
  await pause(500);
  assert.ok(hog.lives);
  await bystander.take(FURTHER_MIB);
  const began = performance.now();
  assert.equal(await hog.ended, 'SIGKILL');
  const ms = performance.now() - began;
  await guard.until('the round', () => guard.rounds.length > 0);
  const [, [second, afterMs]] = signalsOf(guard) as [[string, number], [string, number]];
  assert.equal(second, 'SIGKILL');
  assert.ok(afterMs < PATIENT_MS, `SIGKILL ${afterMs} ms after SIGTERM, ${ms} ms after the worse`);
  assert.ok(bystander.lives, 'nobody else is chosen meanwhile');
  t.diagnostic(`dead ${ms.toFixed(0)} ms after memory was below the second threshold`);
});

test('guard: SIGTERM in the middle of a round ends it at once, with code 0', options, async (t) => {
  const { guard, eater, bystander } = await scene(t, ['--enforce', '--policy', patientPolicy(t)]);
  const hog = await eater('stubborn', SOFT_MIB, true);
  await guard.until('SIGTERM is due', () => guard.of('level').some(({ level }) => level === 'term'));
  await pause(300);
  const { ended, ms } = await guard.stop();
  assert.deepEqual([ended, guard.stderr], [0, '']);
  assert.ok(ms < PATIENT_MS / 2, `${ms} ms`);
  assert.deepEqual([hog.lives, bystander.lives], [true, true], 'no signal follows');
  t.diagnostic(`ended after ${ms.toFixed(0)} ms`);
});

/** A folder with a program that writes its environment, NUL-separated, into a file called as its own name and `.env`. */
function programs(t: TestContext): { folder: string; environmentOf(name: string): Map<string, string> } {
  const folder = ownFolder(t);
  for (const name of ['before', 'after']) {
    const path = join(folder, name);
    writeFileSync(path, '#!/bin/sh\nenv -0 > "$0.part" && mv "$0.part" "$0.env"\n');
    chmodSync(path, 0o755);
  }
  return {
    folder,
    environmentOf(name) {
      const text = readFileSync(join(folder, `${name}.env`), 'latin1');
      return new Map(text.split('\0').map((line) => [line.split('=')[0]!, line.slice(line.indexOf('=') + 1)]));
    },
  };
}

for (const name of ['$(touch pwned)', '`touch pwned`', ';touch pwned\n#', '-n "\' *']) {
  const spelled = JSON.stringify(name);
  test(
    `guard: -P and -N get their environment from a victim called ${spelled}, and no shell does`,
    options,
    async (t) => {
      const { folder, environmentOf } = programs(t);
      const around = ['-P', join(folder, 'before'), '-N', join(folder, 'after')];
      const { guard, eater } = await scene(t, ['--enforce', '--policy', patientPolicy(t), ...around], folder);
      const hog = await eater(name, SOFT_MIB);
      assert.equal(await hog.ended, 'SIGTERM');
      for (const program of ['before', 'after']) {
        await until(`${program} has run`, () => existsSync(join(folder, `${program}.env`)));
        const env = environmentOf(program);
        const told = ['PID', 'UID', 'NAME'].map((key) => env.get(`EARLYOOM_${key}`));
        assert.deepEqual(told, [String(hog.pid), '65534', name], program);
        assert.match(env.get('EARLYOOM_CMDLINE')!, /eater/, program);
      }
      assert.equal((await guard.stop()).ended, 0);
      assert.deepEqual(readdirSync(folder).sort(), ['after', 'after.env', 'before', 'before.env']);
    },
  );
}

test('guard: a dry run kills nobody, and says whom it would kill once a minute at most', options, async (t) => {
  const { guard, eater, bystander } = await scene(t, []);
  const seconds = realCount(DRY_S, 8);
  const hog = await eater('hog', CALM_MIB);
  const began = performance.now();
  // Memory crosses the threshold again and again.
  while (performance.now() - began < seconds * 1000) {
    const other = await eater('other', FURTHER_MIB);
    await pause(500);
    await other.end();
    await pause(500);
  }
  const passed = Math.floor((performance.now() - began) / 1000);
  const dry = guard.of('round').filter(({ report }) => report.outcome === 'dry');
  assert.equal(guard.rounds.length, dry.length, guard.told());
  assert.ok(dry.length >= 1 && dry.length <= 1 + passed / 60, `${dry.length} in ${passed} s: ${guard.told()}`);
  for (const { report } of dry) {
    assert.deepEqual([report.victim?.tgid, report.kill], [hog.pid, null]);
  }
  assert.ok(guard.of('level').length > 4, 'it did cross');
  assert.deepEqual([hog.lives, bystander.lives], [true, true]);
  assert.equal((await guard.stop()).ended, 0);
  t.diagnostic(`told ${dry.length} times in ${passed} s`);
});
