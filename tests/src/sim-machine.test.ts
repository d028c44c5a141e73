// The machine that does not exist: memory adds up, curves go as they say, and no guard kills whom it must not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definePolicy, type PolicyInput } from '../../src/policy/policy.js';
import { Machine } from '../../src/simulate/machine.js';
import { type CastInput, defineScenario, type ScenarioInput, tasksMost } from '../../src/simulate/scenario.js';
import { simulate } from '../../src/simulate/simulate.js';
import fc, { RUNS, SEED } from './support/fast-check.js';

const MIB = 2 ** 20;
const size = (most: number) => fc.nat(most).map((mib) => mib * MIB);

const casts: fc.Arbitrary<CastInput> = fc.record({
  comm: fc.constantFrom('a', 'b', '<&">', 'protected'),
  count: fc.integer({ min: 1, max: 4 }),
  at: fc.nat(3000),
  apart: fc.nat(500),
  age: fc.constantFrom(0, 3_600_000),
  memory: size(100),
  growth: size(600),
  most: size(900).map((bytes) => bytes + 100 * MIB),
  rest: size(100),
  curve: fc.constantFrom('linear', 'saw-tooth', 'step', 'peak'),
  every: fc.integer({ min: 5, max: 1000 }),
  settled: fc.boolean(),
  jitterPercent: fc.nat(100),
  cache: size(300),
  cpuPerMille: fc.nat(2000),
  ends: fc.constantFrom(0, 1000),
  forks: fc.constantFrom(0, 0, 300),
  familyMost: fc.integer({ min: 1, max: 10 }),
  restarts: fc.constantFrom(0, 200),
  onTerm: fc.constantFrom('exit', 'ignore'),
  termTakes: fc.nat(500),
  exitTakes: fc.nat(100),
  releasePerGib: fc.nat(1000),
  oomScoreAdj: fc.integer({ min: -1000, max: 1000 }),
});

const scenarios: fc.Arbitrary<ScenarioInput> = fc.record({
  seed: fc.nat(2 ** 31),
  lasts: fc.constant(6000),
  machine: fc.record({
    memory: fc.integer({ min: 256, max: 2048 }).map((mib) => mib * MIB),
    swap: size(512),
    disk: fc.integer({ min: 1, max: 500 }).map((mib) => mib * MIB),
    used: size(200),
    thrash: fc.integer({ min: 1, max: 20 }),
  }),
  task: fc.array(casts, { minLength: 1, maxLength: 5 }),
});

/** What the tasks hold, counted anew. */
function held(machine: Machine) {
  const tasks = [...machine.tasks.values()];
  const sum = (value: (task: (typeof tasks)[number]) => number) => tasks.reduce((all, task) => all + value(task), 0);
  return {
    anon: sum(({ bytes }) => bytes),
    swapped: sum(({ swapped }) => swapped),
    cached: sum(({ cached }) => cached),
    tasks,
  };
}

function checkSums(machine: Machine, { memory, swap, used }: { memory: number; swap: number; used: number }): void {
  const { anon, swapped, cached, tasks } = held(machine);
  assert.equal(machine.memory.available, memory - used - (anon - swapped));
  assert.equal(machine.memory.swapFree, swap - swapped);
  assert.ok(swapped >= 0 && swapped <= swap, `swapped ${swapped} of ${swap}`);
  assert.ok(cached >= 0 && cached <= machine.memory.available, `cached ${cached}`);
  assert.ok(machine.memory.available >= 0);
  for (const { bytes, swapped: own, cached: files, owed, cast } of tasks) {
    assert.ok(own >= 0 && own <= bytes && owed >= 0 && Number.isSafeInteger(bytes));
    assert.ok(files >= 0 && files <= cast.cache && bytes <= cast.most);
  }
}

test('machine: memory is conserved: what tasks hold, what is free, on swap and cached always adds up', () => {
  fc.assert(
    fc.property(scenarios, fc.infiniteStream(fc.nat(200)), (input, choices) => {
      const scenario = defineScenario(input);
      const machine = new Machine(scenario);
      checkSums(machine, scenario.machine);
      while (machine.nowMs < scenario.lasts) {
        machine.step(Math.min(machine.quietMs(), 500));
        // Somebody is signalled now and then.
        const choice = choices.next().value!;
        const tgids = [...machine.tasks.keys()];
        if (choice < tgids.length) machine.signal(tgids[choice]!, choice % 2 ? 'SIGTERM' : 'SIGKILL', 'guard');
        checkSums(machine, scenario.machine);
      }
    }),
    { seed: SEED, numRuns: Math.min(RUNS, 60) },
  );
});

const policies: fc.Arbitrary<PolicyInput> = fc.record({
  scheme: fc.constantFrom('badness', 'resident', 'family', 'linux-5.9', 'linux-2.6.10'),
  never: fc.constant(['protected']),
  parameters: fc.record({
    age: fc.constantFrom('spare-old', 'spare-young', 'ignore'),
    adj: fc.constantFrom('never-only', 'kernel'),
  }),
  rules: fc.constantFrom([], [{ comm: 'a', class: 'first' as const }], [{ comm: '*', times: '2/1' }]),
});

test('simulate: a guard never kills a protected task, and the same seed gives the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, policies, async (input, policy) => {
      const run = () => simulate(defineScenario(input), definePolicy(policy));
      const result = await run();
      for (const { comm, by } of result.kills) assert.ok(comm !== 'protected' || by !== 'guard');
      assert.equal(JSON.stringify(await run()), JSON.stringify(result));
    }),
    { seed: SEED, numRuns: Math.min(RUNS, 25) },
  );
});

test('simulate: a scenario and what it is made of may be played again: figures of a run do not depend on runs before', async () => {
  const scenario = defineScenario({
    machine: { memory: '1GiB' },
    task: [{ comm: 'x', growth: '100MiB', restarts: '1s' }],
  });
  const first = await simulate(scenario, definePolicy());
  await simulate(scenario, null);
  assert.deepEqual(await simulate(scenario, definePolicy()), first);
});

/** Memory of the only task at each of these times, MiB. */
function course(cast: Partial<CastInput>, timesMs: number[]): number[] {
  const machine = new Machine(defineScenario({ machine: { memory: '8GiB' }, task: [{ comm: 'x', ...cast }] }));
  return timesMs.map((at) => {
    while (machine.nowMs < at) machine.step(Math.min(machine.quietMs(), at - machine.nowMs));
    const [task] = machine.tasks.values();
    return Math.round((task?.bytes ?? 0) / MIB);
  });
}

test('machine: linear grows until most', () => {
  assert.deepEqual(course({ memory: '10MiB', growth: '100MiB', most: '200MiB' }, [0, 1000, 5000]), [10, 110, 200]);
});

test('machine: a saw-tooth falls back to where it began', () => {
  const tooth = course({ growth: '100MiB', most: '200MiB', curve: 'saw-tooth' }, [1000, 1990, 2505, 4505]);
  assert.deepEqual(tooth, [100, 199, 50, 50]);
});

test('machine: steps come at once', () => {
  const steps = { growth: '50MiB', every: '1s', most: '120MiB', curve: 'step' } as const;
  assert.deepEqual(course(steps, [995, 1005, 2005, 9000]), [0, 50, 100, 120]);
});

test('machine: a peak falls to rest, and who has settled is there already', () => {
  const peak = { memory: '50MiB', growth: '100MiB', most: '250MiB', rest: '100MiB', curve: 'peak' } as const;
  assert.deepEqual(course(peak, [1000, 2000, 3000, 9000]), [150, 250, 150, 100]);
  assert.deepEqual(course({ ...peak, settled: true }, [0, 5000]), [100, 100]);
  assert.deepEqual(course({ growth: '1MiB', most: '70MiB', settled: true }, [0, 5000]), [70, 70]);
});

test('machine: a leak of less than a byte a step is a leak', () => {
  const machine = new Machine(defineScenario({ machine: { memory: '8GiB' }, task: [{ comm: 'x', growth: 100 }] }));
  for (let step = 0; step < 2000; ++step) machine.step(5);
  assert.equal(held(machine).anon, 1000);
});

test('machine: cache gives way, slows who misses it, and comes back as the disk can', () => {
  const scenario = defineScenario({
    machine: { memory: '1GiB', disk: '100MiB' },
    task: [
      { comm: 'db', cache: '800MiB', cpuPerMille: 1000 },
      { comm: 'job', at: '1s', memory: '700MiB', ends: '1s' },
    ],
  });
  const machine = new Machine(scenario);
  const [db] = [...machine.tasks.values()];
  const until = (ms: number) => {
    while (machine.nowMs < ms) machine.step(5);
  };
  assert.equal(db!.cached, 800 * MIB);
  until(1500);
  assert.ok(db!.cached <= 324 * MIB);
  assert.ok(db!.workMs < 1300, `${db!.workMs}`);
  until(4000);
  assert.ok(db!.cached > 400 * MIB && db!.cached < 800 * MIB);
  until(12_000);
  assert.equal(db!.cached, 800 * MIB);
});

test('machine: there are never more tasks than a scenario can have, whoever dies and is started again', () => {
  const kind = { comm: 'x', forks: 300, familyMost: 4, restarts: 200, count: 2 };
  const scenario = defineScenario({ lasts: '60s', machine: { memory: '1GiB' }, task: [kind] });
  const machine = new Machine(scenario);
  let [most, restarted] = [0, 0];
  while (machine.nowMs < scenario.lasts) {
    machine.step(Math.min(machine.quietMs(), 500));
    const first = [...machine.tasks.values()].find(({ forked }) => !forked);
    if (first && machine.tasks.size > 4) machine.signal(first.tgid, 'SIGKILL', 'guard');
    restarted += [...machine.tasks.values()].filter(
      ({ forked, startMs }) => !forked && startMs === machine.nowMs,
    ).length;
    most = Math.max(most, machine.tasks.size);
  }
  assert.ok(restarted > 20, `${restarted} were started again`);
  assert.ok(most <= tasksMost(scenario), `${most} at a time`);
});

test('machine: with_parent ends with its parent, the others have another one', () => {
  const scenario = defineScenario({
    machine: { memory: '1GiB' },
    task: [
      { comm: 'main', memory: '1MiB' },
      { comm: 'tab', parent: 'main', withParent: true, at: 10 },
      { comm: 'daemon', parent: 'main', at: 10 },
    ],
  });
  const machine = new Machine(scenario);
  machine.step(10);
  const [main, tab, daemon] = [...machine.tasks.values()];
  assert.deepEqual([tab!.ppid, daemon!.ppid, tab!.family], [main!.tgid, main!.tgid, main!.tgid]);
  machine.signal(main!.tgid, 'SIGKILL', 'guard');
  for (let step = 0; step < 20; ++step) machine.step(5);
  assert.deepEqual(
    [...machine.tasks.values()].map(({ cast, ppid }) => [cast.comm, ppid]),
    [['daemon', 1]],
  );
  assert.equal(tab!.killedBy, 'parent');
});
