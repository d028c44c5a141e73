// Points from a function: where there is one thread it may be given as it is, anywhere else it is a TypeError.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Engine, openEngine } from '../../src/engine.js';
import { killRound } from '../../src/linux/kill-round.js';
import { FunctionPoints } from '../../src/plugin/points-source.js';
import type { PointsFunction } from '../../src/plugin/task-function.js';
import { compileRules } from '../../src/policy/compiled-rule.js';
import { definePolicy } from '../../src/policy/policy.js';
import { rankBy } from '../../src/policy/rank-by.js';
import { NO_TEXTS, RowRules } from '../../src/policy/row-rules.js';
import { rankTasks } from '../../src/rank.js';
import { defineScenario } from '../../src/simulate/scenario.js';
import { simulate } from '../../src/simulate/simulate.js';
import { loadTasks } from '../../src/task.js';

const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 1000, totalPages: 100_000 };

async function table(): Promise<Engine> {
  const engine = await openEngine({ maxTasks: 64 });
  const tasks = [300, 200, 100].map((rssPages, index) => {
    return { tgid: 20 + index, ppid: 1, comm: `task-${index}`, rssPages, totalVmPages: 500, uid: index };
  });
  loadTasks(engine, [{ tgid: 1, rssPages: 900 }, ...tasks], MACHINE);
  return engine;
}

const idsAndPoints = ({ ranking }: ReturnType<typeof rankBy>) =>
  ranking.ranked.map(({ tgid, points, rank }) => [rank, tgid, points]);

test('rankBy: without rules and plug-in it is rankTasks', async () => {
  const engine = await table();
  for (const scheme of ['resident', 'badness', 'linux-5.9', 'linux-2.6.10'] as const) {
    const options = { scheme, totalPages: 100_000, limit: 2 };
    const { ranking, plugin } = rankBy(engine, options, {});
    assert.equal(plugin, null);
    assert.deepEqual(ranking, rankTasks(engine, options), scheme);
  }
});

test('rankBy: the points of a function come first, the rules after', async () => {
  const engine = await table();
  const plugin = new FunctionPoints(({ uid, points }) => (uid === 2 ? 1000.9 : points));
  assert.deepEqual(idsAndPoints(rankBy(engine, { scheme: 'resident' }, { plugin })), [
    [1, 22, 1000],
    [2, 20, 300],
    [3, 21, 200],
  ]);
  const given = definePolicy({
    rules: [
      { comm: 'task-2', times: '1/8' },
      { comm: 'task-1', class: 'first', least: '4KiB' },
    ],
  });
  const rules = new RowRules(engine, await compileRules(given.rules), NO_TEXTS);
  const ruled = rankBy(engine, { scheme: 'resident', totalPages: 1000 }, { plugin, rules });
  // Points as people count them, whatever a class makes of them inside.
  assert.deepEqual(idsAndPoints(ruled), [
    [1, 21, 200],
    [2, 20, 300],
    [3, 22, 125],
  ]);
  assert.deepEqual([ruled.ranking.victim!.tgid, ruled.plugin!.answered, plugin.pointsOf(3)], [21, true, 1000]);
});

test('rankBy: what a function throws is thrown, and so is an answer that is none', async () => {
  const engine = await table();
  const by = (points: unknown) => () => rankBy(engine, {}, { plugin: new FunctionPoints(points as PointsFunction) });
  assert.throws(
    by(() => assert.fail('mine')),
    /mine/,
  );
  assert.throws(
    by(() => Number.NaN),
    { code: 'EPLUGIN', message: /points must be 0\.\.2\^53, got NaN for task 20/ },
  );
  assert.throws(
    by(() => 'many'),
    { code: 'EPLUGIN', message: /must be a number, got string/ },
  );
  assert.throws(by('points'), TypeError);
});

test('simulate: a function in the place of the scheme', async () => {
  const scenario = defineScenario({
    ...{ name: 'leak', lasts: '30s', machine: { memory: '4GiB' } },
    task: [
      { comm: 'database', memory: '1.5GiB', age: '1d' },
      { comm: 'leaky', at: '1s', growth: '200MiB', culprit: true },
    ],
  });
  const points: PointsFunction = ({ comm }) => (comm === 'database' ? 2 : 1);
  const { kills, events } = await simulate(scenario, definePolicy(), { points });
  assert.equal(kills[0]?.comm, 'database');
  const round = events.find(({ kind }) => kind === 'round') as { report: { plugin: unknown; victim: unknown } };
  assert.deepEqual(round.report.plugin, { name: 'points', answered: true, reason: null, ms: 0 });
  await assert.rejects(simulate(scenario, definePolicy(), { points: 7 as never }), TypeError);
});

test('a policy takes no function: it could not go to the thread of a guard; and one round by hand loads no modules', async () => {
  const scheme = (() => 1) as never;
  assert.throws(() => definePolicy({ scheme }), /TypeError: policy\.scheme must be one of .*, got a function/);
  const wasm = definePolicy({ scheme: { wasm: '/etc/own.wasm' } });
  assert.deepEqual(wasm.scheme, { wasm: '/etc/own.wasm', fallback: 'badness', deadlineMs: 50 });
  await assert.rejects(killRound(await table(), { policy: wasm }), /TypeError: policy\.scheme: a module needs a guard/);
  for (const bad of [{ wasm: 'own.wasm' }, { wasm: '/a.wasm', deadlineMs: 0 }, { wasm: '/a', fallback: 'mine' }]) {
    assert.throws(() => definePolicy({ scheme: bad as never }), RangeError, JSON.stringify(bad));
  }
});
