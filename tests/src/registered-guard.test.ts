// The guard of registered tasks, whole, on a fake clock: who is asked, when the next one is, and how it ends.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { decisions } from '../../src/decision.js';
import { guardEventToJson } from '../../src/guard/guard-events.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import { guardRegistered, TaskRegistry } from '../../src/registered/index.js';
import { ManualClock, settle } from './support/manual-clock.js';
import { PATIENCE_MS } from './support/patience.js';
import { DOMAIN, MIB, never, type Tenant, tenantScene } from './support/tenants.js';

/** A built entry, as a literal. */
const entry = (name: string) => JSON.stringify(pathToFileURL(resolve(`dist/${name}.js`)).href);

describe('registered guard: who is asked', () => {
  test('while the budget is not short nobody is; then the worst, and the others keep theirs', async (t) => {
    const { clock, guard, add, rounds, events } = await tenantScene(t);
    const tenants = [add('a', 200), add('flood', 500), add('b', 190)];
    await clock.advance(10_000);
    assert.deepEqual([guard.level, guard.counters.rounds], ['warn', 0]);
    tenants[1]!.mib = 520;
    await clock.advance(1000);
    assert.deepEqual(
      tenants.map(({ mib, asked }) => [mib, asked]),
      [
        [200, []],
        [0, ['soft']],
        [190, []],
      ],
    );
    const [report] = rounds();
    assert.deepEqual([report!.outcome, report!.domain, report!.chosenBy], ['released', 'registered tenants', 'scheme']);
    assert.deepEqual([report!.victim!.kind, report!.victim!.comm], ['registered', 'flood']);
    assert.deepEqual([report!.victim!.tgid, report!.kill!.tgid], [tenants[1]!.task.id, tenants[1]!.task.id]);
    assert.deepEqual([report!.freedBytes, report!.expectedBytes], [520 * MIB, 520 * MIB]);
    assert.deepEqual([guard.level, guard.counters.released, guard.counters.freedBytes], ['none', 1, 520 * MIB]);
    assert.equal(decisions(guard.engine, 1)[0]!.order[0]!.id, tenants[1]!.task.id);
    const json = guardEventToJson(events.find(({ kind }) => kind === 'round')!);
    assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
  });

  test('the budget may be overdrawn: what comes back is counted in full', async (t) => {
    const { clock, add, rounds } = await tenantScene(t);
    const big = add('big', 1800);
    add('small', 10);
    await clock.advance(1000);
    assert.deepEqual([rounds()[0]!.before.availableBytes, rounds()[0]!.freedBytes], [-810 * MIB, 1800 * MIB]);
    assert.equal(big.mib, 0);
  });

  test('whoever gives exactly what is needed is asked once: memory is not short any more then', async (t) => {
    for (const mib of [900, 930]) {
      const { clock, add, guard } = await tenantScene(t);
      const gave: number[] = [];
      const cache = add('cache', mib, (tenant, _, neededBytes) => {
        gave.push(neededBytes);
        tenant.mib -= neededBytes / MIB;
      });
      await clock.advance(5000);
      assert.deepEqual([cache.asked, gave, guard.level], [['soft'], [(mib - 900) * MIB + 4096], 'warn']);
    }
  });

  test('dry unless the policy enforces: chosen and explained, and nobody is asked', async (t) => {
    const { clock, add, rounds } = await tenantScene(t, { enforce: false });
    const flood = add('flood', 990);
    await clock.advance(30_000);
    assert.deepEqual([flood.asked, rounds().map(({ outcome }) => outcome)], [[], ['dry']]);
    assert.equal(rounds()[0]!.terms!.base, (990 * MIB) / 4096);
  });

  test('the protected is passed by although it is the worst, and nobody left is no victim', async (t) => {
    const { clock, add, rounds } = await tenantScene(t);
    add('protected', 960, undefined, { protected: true });
    const small = add('small', 10);
    await clock.advance(1000);
    assert.deepEqual(small.asked, ['hard'], 'at 3 % available it is asked hard');
    assert.deepEqual(
      rounds().map(({ outcome }) => outcome),
      ['released', 'no-victim'],
    );
  });

  test('a level counts once it has stood for as long as the policy says', async (t) => {
    const { clock, add } = await tenantScene(t, { pressure: { forMs: 5000 } });
    const flood = add('flood', 920);
    await clock.advance(4900);
    assert.deepEqual(flood.asked, []);
    await clock.advance(1300);
    assert.deepEqual(flood.asked, ['soft']);
  });
});

describe('registered guard: one after the other', () => {
  test('one shed is in flight: while it hangs nobody else is asked; then it is stuck, and the next one is', async (t) => {
    const { clock, add, rounds } = await tenantScene(t);
    const stuck = add('stuck', 600, () => never);
    const next = add('next', 310);
    await clock.advance(12_900);
    assert.deepEqual([stuck.asked, next.asked], [['soft', 'hard'], []]);
    await clock.advance(500);
    assert.deepEqual(
      rounds().map(({ outcome, victim }) => [outcome, victim!.comm]),
      [
        ['stuck', 'stuck'],
        ['released', 'next'],
      ],
    );
  });

  test('who lies is not asked again and again: it is set aside, and the others are asked', async (t) => {
    const { clock, add, rounds } = await tenantScene(t);
    const liar = add('liar', 905, (tenant) => tenant.mib * MIB);
    const others = [add('a', 20), add('b', 15)];
    await clock.advance(60_000);
    assert.deepEqual(liar.asked, ['soft', 'hard']);
    assert.deepEqual(
      others.map(({ asked }) => asked.length),
      [1, 1],
    );
    assert.equal(rounds().at(-1)!.outcome, 'no-victim');
  });

  test('memory becomes shorter while it is asked: asked hard at once', async (t) => {
    const { clock, add } = await tenantScene(t);
    const flood = add('flood', 700, (tenant, hard) => {
      if (hard) tenant.mib = 0;
    });
    const other = add('other', 210);
    await clock.advance(1000);
    assert.deepEqual(flood.asked, ['soft']);
    other.mib = 270;
    await clock.advance(300);
    assert.deepEqual([flood.asked, other.asked], [['soft', 'hard'], []]);
  });

  test('it unregisters while it is asked: its memory counts no more, and the guard goes on', async (t) => {
    const { clock, add, rounds, registry } = await tenantScene(t);
    const leaving = add('leaving', 600, (tenant) => {
      clock.after(400, () => tenant.task.unregister());
      return never;
    });
    add('other', 320);
    await clock.advance(1000);
    assert.deepEqual([rounds()[0]!.outcome, rounds()[0]!.kill!.releasedBy], ['released', 'unregistered']);
    assert.deepEqual([leaving.asked, registry.measure()], [['soft'], 320 * MIB]);
    const again = add('leaving', 600);
    await clock.advance(1000);
    assert.deepEqual([again.asked, leaving.asked], [['soft'], ['soft']]);
  });

  test('one that registers during a round is not its victim, however large; it is that of the next', async (t) => {
    const { clock, add, rounds } = await tenantScene(t);
    let late: Tenant | undefined;
    let askedMeanwhile = -1;
    add('first', 905, (tenant, hard) => {
      late ??= add('late', 930);
      if (!hard) return never;
      askedMeanwhile = late.asked.length;
      tenant.mib = 0;
    });
    await clock.advance(2000);
    assert.equal(askedMeanwhile, 0);
    assert.deepEqual(late!.asked, ['soft']);
    assert.deepEqual(
      rounds().map(({ outcome, victim }) => [outcome, victim!.comm]),
      [
        ['released', 'first'],
        ['released', 'late'],
      ],
    );
  });
});

describe('registered guard: who is asked around it', () => {
  test('who relieves is asked first, and enough of it calls the round off', async (t) => {
    const { clock, add, guard, rounds } = await tenantScene(t);
    const flood = add('flood', 860);
    const spare = add('spare', 45, undefined, { protected: true });
    const told: string[] = [];
    guard.register({
      name: 'spare',
      warn: ({ level }) => void told.push(level),
      relieve: ({ neededPages }) => {
        told.push(`needs ${neededPages}`);
        spare.mib = 0;
        return { freedPages: (45 * MIB) / 4096 };
      },
    });
    await clock.advance(1000);
    assert.deepEqual(told, ['term', `needs ${(5 * MIB) / 4096}`]);
    assert.deepEqual([rounds().map(({ outcome }) => outcome), flood.asked], [['called-off'], []]);
  });

  test('before and after, with the id and name of the task', async (t) => {
    const { clock, add, guard } = await tenantScene(t);
    const told: unknown[] = [];
    guard.register({
      name: 'log',
      beforeKill: ({ victim }) => void told.push([victim.tgid, victim.comm]),
      afterKill: ({ outcome, freedBytes }) => void told.push([outcome, freedBytes]),
    });
    const flood = add('flood', 905);
    await clock.advance(1000);
    assert.deepEqual(told, [
      [flood.task.id, 'flood'],
      ['released', 905 * MIB],
    ]);
  });

  test('a panic ends as it was told to', async () => {
    const clock = new ManualClock();
    const registry = new TaskRegistry({ clock });
    const ended: number[] = [];
    const policy = definePolicy({ enforce: true, domain: DOMAIN, reaction: 'panic', panic: { delayS: 2 } });
    await assert.rejects(guardRegistered({ policy, registry }), /^TypeError: panic\.actions must say how a panic ends/);
    const actions = {
      exit: (code: number) => void ended.push(code),
      reboot: () => assert.fail(),
      run: () => assert.fail(),
    };
    const guard = await guardRegistered({ policy, registry, clock, panic: { actions } });
    registry.register({ name: 'flood', memoryBytes: 990 * MIB, shed: () => assert.fail('asked') });
    await clock.advance(3000);
    assert.deepEqual(ended, [75]);
    await guard.close();
  });
});

describe('registered guard: its end', () => {
  test('closed in the middle of a round: who is asked is told, nobody else is asked, and it ends', async (t) => {
    const { clock, add, guard } = await tenantScene(t);
    const flood = add('flood', 905, () => never);
    const other = add('other', 20);
    await clock.advance(1500);
    assert.deepEqual(flood.asked, ['soft']);
    const closing = guard.close();
    await settle();
    await Promise.race([
      closing,
      new Promise((_, late) => setTimeout(late, PATIENCE_MS, new Error('too late')).unref()),
    ]);
    await clock.advance(60_000);
    assert.deepEqual([flood.asked, other.asked], [['soft'], []]);
    await guard[Symbol.asyncDispose]();
  });

  test('what a policy asks for and nobody here has is refused by key', async () => {
    const registry = new TaskRegistry();
    const rows: [input: PolicyInput, error: RegExp][] = [
      [{ domain: 'system' }, /^RangeError: policy\.domain must be \{ registered, budget \} here, got "system"/],
      [{ pressure: { psi: {} } }, /^RangeError: policy\.pressure\.psi must be null/],
      [{ gate: 'rate' }, /^RangeError: policy\.gate must be 'level'/],
      [{ reaction: { module: 'file:///own.js', export: 'react' } }, /^TypeError: policy\.reaction: a module/],
    ];
    for (const [input, error] of rows) {
      const policy = definePolicy({ domain: DOMAIN, ...input });
      await assert.rejects(guardRegistered({ policy, registry }), error);
    }
    const policy = definePolicy({ domain: DOMAIN });
    await assert.rejects(guardRegistered({ policy, registry, leastMs: 0 }), RangeError);
  });

  test('a page without shared memory and without node: the guard runs on the baseline build', async () => {
    const code = `
      delete globalThis.SharedArrayBuffer;
      const { log } = console;
      const { guardRegistered, TaskRegistry } = await import(${entry('registered')});
      const { definePolicy } = await import(${entry('policy')});
      for (const name of ['process', 'Buffer', 'require', 'setImmediate']) delete globalThis[name];
      const registry = new TaskRegistry();
      const policy = definePolicy({ enforce: true, domain: { registered: 'caches', budget: '1MiB' } });
      const guard = await guardRegistered({ policy, registry, keepAlive: true, tell: ({ kind, report }) => {
        if (kind === 'round') { log(guard.engine.build, report.outcome, report.freedBytes); guard.close(); }
      } });
      let bytes = 1e6;
      registry.register({ name: 'cache', memory: () => bytes, shed: () => { bytes = 0; } });`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
    assert.equal(stdout, 'baseline released 1000000\n');
  });

  test('it does not keep the process alive, unless asked', async () => {
    const run = (options: string, laterMs: number) =>
      promisify(execFile)(process.execPath, [
        ...['--input-type=module', '-e'],
        `import { guardRegistered, TaskRegistry } from ${entry('registered')};
         import { definePolicy } from ${entry('policy')};
         const policy = definePolicy({ domain: { registered: 'tenants', budget: '1MiB' } });
         const guard = await guardRegistered({ policy, registry: new TaskRegistry() ${options} });
         process.once('exit', () => console.log('ended'));
         setTimeout(() => { console.log('later'); guard.close(); }, ${laterMs}).unref();`,
      ]);
    assert.equal((await run('', PATIENCE_MS)).stdout, 'ended\n');
    assert.equal((await run(', keepAlive: true', 300)).stdout, 'later\nended\n');
  });
});
