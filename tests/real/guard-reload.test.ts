// SIGHUP in the middle of a kill: the round ends as it began, the victim's escalation included, and the next one goes by the new policy.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownFolder } from '../src/support/own-folder.js';
import { pause } from './support/count.js';
import { guardedGroup, noGuardedGroup } from './support/guarded-group.js';

const LIMIT_MIB = 256;
const SOFT_MIB = 180;
const BYSTANDER_MIB = 20;
/** From SIGTERM to SIGKILL by the two policies; the first leaves time for the second to be read meanwhile. */
const LONG_MS = 8000;
const SHORT_MS = 500;

function policyText(termMs: number, scheme: string): string {
  return `version = 1
enforce = true
scheme = "${scheme}"
thresholds.term.available = "40%"
thresholds.kill.available = "10%"
escalation.term_ms = ${termMs}
`;
}

test('guard: a policy that comes during a kill does not touch it, and counts from the next round on', {
  skip: noGuardedGroup(),
  timeout: 120_000,
}, async (t) => {
  const folder = ownFolder(t);
  const file = join(folder, 'badness.toml');
  writeFileSync(file, policyText(LONG_MS, 'badness'));
  const { guard, eater } = await guardedGroup(t, LIMIT_MIB, { args: ['--policy', file] });
  const bystander = await eater('bystander', BYSTANDER_MIB);
  const hog = await eater('stubborn', SOFT_MIB, true);
  await guard.until('SIGTERM is due', () => guard.of('level').some(({ level }) => level === 'term'));
  await pause(300);

  const policies = () => guard.lines.filter(({ kind }) => (kind as string) === 'policy');
  writeFileSync(file, 'version = 1\nthresholds.term.available = "much"\n');
  guard.child.kill('SIGHUP');
  await guard.until('the bad file is refused at once', () => policies().length === 1);
  assert.match(policies()[0]!.error!, /badness\.toml:2: thresholds\.term\.available must be/);
  writeFileSync(file, policyText(SHORT_MS, 'resident'));
  guard.child.kill('SIGHUP');
  await pause(300);
  assert.deepEqual([policies().length, hog.lives], [1, true], 'the good one waits for the end of the round');

  assert.equal(await hog.ended, 'SIGKILL');
  await guard.until('the round, then the policy', () => policies().length === 2);
  assert.equal(policies()[1]!.error, null);
  const kinds = guard.lines.map(({ kind }) => kind as string);
  assert.ok(kinds.indexOf('round') < kinds.lastIndexOf('policy'));
  const afterMs = () => {
    const signals = guard.rounds.at(-1)!.kill!.signals;
    return signals.at(-1)!.at_ms - signals[0]!.at_ms;
  };
  assert.ok(afterMs() >= LONG_MS, `SIGKILL after ${afterMs()} ms, by the policy it began with`);

  const second = await eater('second', SOFT_MIB, true);
  assert.equal(await second.ended, 'SIGKILL');
  await guard.until('another round', () => guard.rounds.length === 2);
  assert.ok(afterMs() >= SHORT_MS && afterMs() < LONG_MS, `SIGKILL after ${afterMs()} ms, by the new one`);
  assert.ok(bystander.lives);
  assert.equal((await guard.stop()).ended, 0);
});
