// Registered tasks as a round sees them: the same choice as a ranking of the same numbers, who is never chosen, who is held.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type EngineBuild, openEngine } from '../../src/engine.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import { ineligibleTasks, rankTasks } from '../../src/rank.js';
import { RegisteredWorld, TaskRegistry, type TaskSpec } from '../../src/registered/index.js';
import { SCHEMES } from '../../src/schemes.js';
import { loadTasks, type Task } from '../../src/task.js';
import fc, { SEED } from './support/fast-check.js';
import { ManualClock } from './support/manual-clock.js';

const MIB = 2 ** 20;
const BUDGET = 1024 * MIB;
const BUILDS: EngineBuild[] = ['shared', 'baseline'];
const shed = () => {};

async function scene(input: PolicyInput = {}, build: EngineBuild = 'shared') {
  const clock = new ManualClock();
  const registry = new TaskRegistry({ clock });
  const engine = await openEngine({ maxTasks: 64, build });
  const policy = definePolicy({ domain: { registered: 'tenants', budget: BUDGET }, ...input });
  const world = new RegisteredWorld(engine, policy, registry, { clock });
  const add = (name: string, mib: number, more: Partial<TaskSpec> = {}) =>
    registry.register({ name, memoryBytes: mib * MIB, shed, ...more });
  /** Name of the one that is chosen, or null. */
  const chosen = () => {
    const { slot } = world.choose();
    return slot < 0 ? null : registry.list()[slot]!.name;
  };
  return { clock, registry, engine, world, add, chosen };
}

const figures = fc.record({
  memoryBytes: fc.oneof(fc.nat(2 * BUDGET), fc.nat(10_000)),
  cpuMs: fc.nat(1_000_000_000),
  startedMs: fc.integer({ min: -2_000_000_000, max: 900 }),
  uid: fc.constantFrom(0, 65_534),
});

describe('registered world: choosing', () => {
  for (const build of BUILDS) {
    for (const scheme of SCHEMES) {
      test(`${scheme}, ${build}: the same choice and points as a ranking of the same numbers`, async () => {
        const { clock, registry, engine, world } = await scene({ scheme }, build);
        const other = await openEngine({ maxTasks: 64, build });
        const holds = (rows: { memoryBytes: number; cpuMs: number; startedMs: number; uid: number }[]) => {
          for (const task of registry.list()) task.unregister();
          const ids = rows.map((row, index) => registry.register({ name: `task ${index}`, shed, ...row }).id);
          const origin = Math.min(0, ...rows.map(({ startedMs }) => startedMs));
          const tasks = rows.map(({ memoryBytes, cpuMs, startedMs, uid }, index): Task => {
            const pages = Math.ceil(memoryBytes / 4096);
            return {
              ...{
                kind: 'registered',
                tgid: ids[index]!,
                sid: ids[index]! - 2 ** 32,
                comm: `task ${index}`,
                uid,
                euid: uid,
              },
              ...{ threads: 1, totalVmPages: pages, rssPages: pages, rssAnonPages: pages },
              ...{ utimeJiffies: Math.floor(cpuMs / 10), startTimeTicks: Math.floor((startedMs - origin) / 10) },
            };
          });
          const totalPages = BUDGET / 4096;
          loadTasks(other, tasks, { hz: 100, pageSize: 4096, uptimeS: (clock.now() - origin) / 1000, totalPages });
          const { ranked, outcome, victim } = rankTasks(other, { scheme, totalPages });
          const choice = world.choose();
          assert.deepEqual([choice.outcome, choice.tasks], [outcome, rows.length]);
          assert.equal(choice.slot < 0 ? null : choice.slot, victim?.slot ?? null);
          assert.deepEqual(rankTasks(engine, choice.options).ranked, ranked);
        };
        fc.assert(fc.property(fc.array(figures, { maxLength: 20 }), holds), { numRuns: 60, seed: SEED });
      });
    }
  }

  test('age and work count: of two that hold the same the younger one goes, whoever registered first', async () => {
    const { add, chosen, clock } = await scene();
    clock.block(100_000_000);
    add('young', 100);
    const old = add('old', 100, { startedMs: 0 });
    assert.equal(chosen(), 'young');
    old.update({ memoryBytes: 900 * MIB });
    assert.equal(chosen(), 'old');
  });

  test('never chosen: the protected, those on the never list, those that hold nothing', async () => {
    const { add, chosen, engine } = await scene({ never: ['session-*'] });
    add('protected', 500, { protected: true });
    add('session-of-a-long-name', 400);
    add('empty', 0);
    add('cache', 1);
    assert.equal(chosen(), 'cache');
    assert.deepEqual(
      ineligibleTasks(engine).map(({ comm, reason }) => [comm, reason]),
      [
        ['protected', 'protected'],
        ['session-of-a-lo', 'rule'],
        ['empty', 'no mm'],
      ],
    );
  });

  test('the never list that is meant for a desktop spares no cache for its name', async () => {
    const { add, chosen } = await scene();
    add('login', 10);
    add('small', 1);
    assert.equal(chosen(), 'login');
    const own = await scene({ never: ['login'] });
    own.add('login', 10);
    own.add('small', 1);
    assert.equal(own.chosen(), 'small', 'a list of its own counts, whatever is on it');
  });

  test('nobody registered: no victim', async () => {
    const { world, add } = await scene();
    assert.equal(world.choose().outcome, 'no-victim');
    add('protected', 1, { protected: true });
    assert.equal(world.choose().outcome, 'no-victim');
  });

  test('as many as the registry allows fit the table', async () => {
    const { registry, world } = await scene();
    for (let count = 0; count < 64; ++count) registry.register({ name: 'one', memoryBytes: MIB, shed });
    assert.equal(world.choose().tasks, 64);
  });
});

describe('registered world: holding', () => {
  test('the one in the row is held by its registration; one that has gone since is not, although another came', async () => {
    const { world, registry, add } = await scene();
    const first = add('tenant', 10);
    const { slot } = world.choose();
    assert.equal(world.hold(slot)!.pid, first.id);
    first.unregister();
    add('tenant', 10);
    assert.equal(world.hold(slot), null);
    const { slot: now } = world.choose();
    assert.equal(world.hold(now)!.pid, registry.list()[0]!.id);
    assert.notEqual(world.hold(now)!.pid, first.id);
  });

  test('one that registers after the choice is in no row of it', async () => {
    const { world, add } = await scene();
    add('tenant', 10);
    world.choose();
    add('later', 900);
    assert.equal(world.hold(1), null);
    assert.deepEqual([world.rowOf(), world.holdQueued()], [L.E_NO_VICTIM, null]);
  });
});

describe('registered world: set aside', () => {
  for (const scheme of ['badness', 'linux-2.6.32', 'linux-5.9'] as const) {
    test(`${scheme}: who gave nothing is passed by until it holds half of what it held, and nobody waits for it`, async () => {
      const { world, add, chosen } = await scene({ scheme });
      const big = add('big', 100);
      add('small', 10);
      world.setAside(world.hold(world.choose().slot)!);
      assert.equal(chosen(), 'small');
      big.update({ memoryBytes: 51 * MIB });
      assert.equal(chosen(), 'small');
      big.update({ memoryBytes: 50 * MIB });
      assert.equal(chosen(), 'big');
      big.update({ memoryBytes: 100 * MIB });
      assert.equal(chosen(), 'big', 'it began anew');
    });
  }
});

describe('registered world: what it measures', () => {
  test('the budget, less what all of them hold, below 0 where it is overdrawn', async () => {
    const { world, add } = await scene();
    add('big', 1000, { protected: true });
    assert.deepEqual(world.measure(), { availableBytes: 24 * MIB, perCpuBytes: 0, totalBytes: BUDGET });
    add('more', 100);
    assert.equal(world.measure().availableBytes, -76 * MIB);
  });

  test('a policy of another domain, or with modules, is refused', async () => {
    const engine = await openEngine({ maxTasks: 64 });
    const registry = new TaskRegistry();
    const module = { module: 'file:///own.js', export: 'score' };
    const domain = { registered: 'tenants', budget: BUDGET };
    assert.throws(() => new RegisteredWorld(engine, definePolicy(), registry), /policy\.domain must be \{ registered/);
    assert.throws(() => new RegisteredWorld(engine, definePolicy({ domain, scheme: module }), registry), TypeError);
    const ruled = definePolicy({ domain, rules: [{ comm: 'x', never: true }] });
    assert.throws(() => new RegisteredWorld(engine, ruled, registry), /policy\.rules must be empty/);
  });
});
