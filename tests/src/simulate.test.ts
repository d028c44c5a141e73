// Scenarios under policies, in virtual time: the guard's own code, the same result for the same seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definePolicy } from '../../src/policy/policy.js';
import type { RuleInput } from '../../src/policy/rule.js';
import { defineScenario, type ScenarioInput } from '../../src/simulate/scenario.js';
import { simulate } from '../../src/simulate/simulate.js';

const LEAK: ScenarioInput = {
  name: 'leak',
  lasts: '30s',
  machine: { memory: '4GiB' },
  task: [
    { comm: 'database', memory: '1.5GiB', cpuPerMille: 500, age: '1d' },
    { comm: 'web', count: 4, memory: '100MiB' },
    { comm: 'leaky', at: '1s', growth: '200MiB', jitterPercent: 10, culprit: true },
  ],
};

test('simulate: a leak is killed in time, alone, and not the database', async () => {
  const result = await simulate(defineScenario(LEAK), definePolicy());
  assert.deepEqual(
    result.kills.map(({ comm, by }) => [comm, by]),
    [['leaky', 'guard']],
  );
  assert.deepEqual([result.innocentsKilled, result.kernelKills], [0, 0]);
  assert.ok(result.pressureMs > 0 && result.pressureMs < 1000, `${result.pressureMs}`);
  const rounds = result.events.filter(({ kind }) => kind === 'round');
  assert.equal(rounds.length, 1);
});

test('simulate: rules count, by name as by size', async () => {
  const first = async (rules: RuleInput[]) =>
    (await simulate(defineScenario(LEAK), definePolicy({ rules }))).kills.map(({ comm }) => comm)[0];
  assert.equal(await first([{ comm: 'database', times: '9/1' }]), 'database');
  assert.equal(await first([{ comm: 'leaky', never: true }]), 'database');
  assert.equal(await first([{ exe: '/usr/bin/leaky', never: true }]), 'database');
  assert.equal(await first([{ exe: '/usr/bin/other', never: true }]), 'leaky');
  assert.equal(await first([{ cmdline: 'leaky', ancestor: 'init', cgroup: '/', never: true }]), 'database');
});

test('simulate: the same seed gives the same result, another seed another', async () => {
  const run = async (seed: number) => JSON.stringify(await simulate(defineScenario({ ...LEAK, seed }), definePolicy()));
  assert.equal(await run(1), await run(1));
  assert.notEqual(await run(1), await run(2));
});

test('simulate: policies differ: by size alone the database goes', async () => {
  const young = {
    ...LEAK,
    task: [
      ...LEAK.task.slice(0, 2),
      { ...LEAK.task[2]!, growth: '400MiB', most: '1.4GiB' },
      { comm: 'cache', memory: '600MiB' },
    ],
  };
  const bySize = await simulate(defineScenario(young), definePolicy({ scheme: 'resident' }));
  const byBadness = await simulate(defineScenario(young), definePolicy());
  assert.equal(bySize.kills[0]?.comm, 'database');
  assert.equal(byBadness.kills[0]?.comm, 'leaky');
});

test('simulate: who ignores SIGTERM gets SIGKILL when its time is up, or sooner when memory falls further', async () => {
  const stubborn = (growth: string, most: string): ScenarioInput => ({
    ...LEAK,
    task: [...LEAK.task.slice(0, 2), { comm: 'stubborn', growth, most, onTerm: 'ignore', culprit: true }],
  });
  const soft = await simulate(defineScenario(stubborn('400MiB', '1.83GiB')), definePolicy());
  const kill = soft.events.find((event) => event.kind === 'round')!;
  assert.ok(kill.kind === 'round');
  assert.deepEqual(
    kill.report.kill!.signals.map(({ signal, atMs }) => [signal, atMs]),
    [
      ['SIGTERM', 0],
      ['SIGKILL', 3000],
    ],
  );
  const falling = await simulate(defineScenario(stubborn('200MiB', '16GiB')), definePolicy());
  const hurried = falling.events.find((event) => event.kind === 'round')!;
  assert.ok(hurried.kind === 'round');
  assert.equal(hurried.report.kill!.signals[1]!.signal, 'SIGKILL');
  assert.ok(hurried.report.kill!.signals[1]!.atMs < 2000);
  assert.equal(falling.kernelKills, 0);
});

test('simulate: where nobody may be killed the kernel kills, and that is counted', async () => {
  const result = await simulate(defineScenario(LEAK), definePolicy({ never: ['*'] }));
  assert.ok(result.kernelKills >= 1);
  assert.ok(result.kills.every(({ by }) => by === 'kernel'));
});

test('simulate: a fork bomb: the family goes that grows', async () => {
  const bomb = defineScenario({
    ...LEAK,
    task: [
      ...LEAK.task.slice(0, 2),
      { comm: 'bomb', at: '2s', memory: '8MiB', forks: '1s', familyMost: 300, culprit: true },
    ],
    lasts: '20s',
  });
  const family = await simulate(bomb, definePolicy({ scheme: 'family' }));
  assert.ok(family.kills.length > 0);
  assert.deepEqual([family.kills[0]!.comm, family.kills[0]!.by], ['bomb', 'guard']);
});

test('simulate: whoever wants sees everybody at each sample, and that changes nothing', async () => {
  const scenario = defineScenario(LEAK);
  const seen: { atMs: number; leaky: number; total: number }[] = [];
  const watched = await simulate(scenario, definePolicy(), {
    onMoment: ({ sample, tasks, machine }) => {
      const leaky = tasks.find(({ comm }) => comm === 'leaky')?.rssPages ?? 0;
      seen.push({ atMs: sample.atMs, leaky, total: machine.totalPages });
    },
  });
  assert.deepEqual(watched, await simulate(scenario, definePolicy()));
  assert.deepEqual(
    seen.map(({ atMs }) => atMs),
    watched.samples.map(({ atMs }) => atMs),
  );
  const killedMs = watched.kills[0]!.atMs;
  const before = seen.filter(({ atMs }) => atMs > 1000 && atMs < killedMs);
  assert.ok(before.length > 10 && before.every(({ leaky }, index) => index === 0 || leaky >= before[index - 1]!.leaky));
  assert.deepEqual([seen.at(-1)!.leaky, seen[0]!.total], [0, 2 ** 20]);
});
