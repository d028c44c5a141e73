// What others can make of the guard's choice and words, where no other test says it: the answers of SECURITY.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { loadPolicyFile } from '../../src/linux/policy-file.js';
import { rankTasks } from '../../src/rank.js';
import type { SchemeName } from '../../src/schemes.js';
import { loadTasks, type Task } from '../../src/task.js';
import { get, scene } from './support/control-scene.js';

const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 100_000, totalPages: 1_000_000 };
/** What /proc/PID/status says of anybody who made a user namespace of its own. */
const ALL_CAPABILITIES = '1ffffffffff';
const OWN: readonly SchemeName[] = ['badness', 'resident', 'family'];

async function pointsOf(tasks: readonly Task[], scheme: SchemeName): Promise<Map<number, number>> {
  const engine = await openEngine({ maxTasks: 16 });
  loadTasks(engine, tasks, MACHINE);
  return new Map(
    rankTasks(engine, { scheme, totalPages: MACHINE.totalPages }).ranked.map(({ tgid, points }) => [tgid, points ?? 0]),
  );
}

const task = (tgid: number, more: Partial<Task> = {}): Task => ({
  ...{ tgid, comm: 'a', sid: tgid, ppid: 1, uid: 1000, euid: 1000, totalVmPages: 9000, rssPages: 8000 },
  ...{ startTimeTicks: 9_999_900, ...more },
});

test("security: capabilities, which a user namespace gives to everybody, are worth nothing in our own schemes and in today's kernel's", async () => {
  for (const scheme of [...OWN, 'linux-4.17', 'linux-5.9'] as const) {
    const points = await pointsOf([task(10), task(11, { capEff: ALL_CAPABILITIES })], scheme);
    assert.equal(points.get(11), points.get(10), scheme);
  }
  // The kernels of that time asked for the capability in the first namespace; a reader of /proc cannot.
  for (const scheme of ['linux-2.4', 'linux-2.6.32', 'linux-3.5', 'linux-3.15'] as const) {
    const points = await pointsOf([task(10), task(11, { capEff: ALL_CAPABILITIES })], scheme);
    assert.ok(points.get(11)! < points.get(10)!, scheme);
  }
});

test('security: what a tenant holds counts for nobody else, but for the parents of old kernels and its own session', async () => {
  const parent = task(10, { rssPages: 100, totalVmPages: 200 });
  const tenant = task(11, { ppid: 10, rssPages: 500_000, totalVmPages: 600_000 });
  for (const scheme of [...OWN, 'linux-2.4', 'linux-2.6.36', 'linux-5.9'] as const) {
    const [alone, beside] = [await pointsOf([parent], scheme), await pointsOf([parent, tenant], scheme)];
    assert.equal(beside.get(10), alone.get(10), scheme);
  }
  for (const scheme of ['linux-2.6.11', 'linux-2.6.32'] as const) {
    const [alone, beside] = [await pointsOf([parent], scheme), await pointsOf([parent, tenant], scheme)];
    assert.ok(beside.get(10)! > alone.get(10)!, scheme);
  }
  const family = await pointsOf([parent, { ...tenant, sid: 10 }], 'family');
  assert.ok(family.get(10)! > 500_000, 'who forks in its session brings its memory into it');
});

test('security: CPU time and age that a tenant makes for itself divide its points by max_discount at most', async () => {
  const old = task(11, { startTimeTicks: 1, utimeJiffies: 2 ** 40 });
  const points = await pointsOf([task(10), old], 'badness');
  assert.equal(points.get(11), points.get(10)! / 4);
});

test('security: a policy file that never ends is refused after a mebibyte', {
  skip: process.platform !== 'linux' && '/dev/zero',
}, async () => {
  await assert.rejects(loadPolicyFile('/dev/zero'), { code: 'EPOLICYFILE', message: /more than 1048576 bytes/ });
});

test('security: no name of a domain makes a metric of its own', async (t) => {
  const { path, guard } = await scene(t);
  guard.domain = 'memcg /a"} 1\nbadness_enforce 1\r\nx{a="';
  const { body } = await get(path, '/metrics');
  const lines = body.split('\n').filter((line) => line.startsWith('badness_enforce'));
  assert.deepEqual(lines, ['badness_enforce 0']);
  assert.ok(body.split('\n').every((line) => /^(#|badness_\w+[{ ]|$)/.test(line)));
});
