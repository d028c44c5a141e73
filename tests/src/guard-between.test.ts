// Another policy for a guard that runs: it comes into force between two rounds, whole or not at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDomain } from '../../src/domains.js';
import { openEngine } from '../../src/engine.js';
import { Gate } from '../../src/gate.js';
import { NotifierChain } from '../../src/guard/notifier-chain.js';
import { type Asked, FakeGuard } from './support/fake-guard.js';
import { settle } from './support/manual-clock.js';

function sourceAt(level: 'none' | 'term') {
  return {
    name: 'other',
    read: () => ({ level, error: null }),
    nextDelayMs: () => 100,
    wakeUps: () => [],
    describe: () => 'other',
    forget() {},
    close() {},
  };
}

test('between: without a round under way the change is at once, and wakes the guard', async () => {
  const fake = new FakeGuard();
  const running = fake.guard.run();
  await settle();
  let asked = 0;
  const wakeUps = () => {
    asked += 1;
    return [];
  };
  const source = { ...sourceAt('term'), wakeUps };
  await fake.guard.between(() => ({ source }));
  await settle();
  assert.deepEqual([fake.guard.level, fake.rounds.length], ['term', 1]);
  assert.ok(asked > 0, 'it sleeps by the new source too: what the old one would wake with is closed');
  fake.guard.stop();
  fake.rounds[0]!.end('dry');
  await running;
});

test('between: a change waits for the end of the round under way, and comes before the next', async () => {
  const fake = new FakeGuard();
  const running = fake.guard.run();
  fake.level = 'term';
  await fake.pass(200);
  assert.equal(fake.rounds.length, 1);
  const said: string[] = [];
  const changed = fake.guard.between(() => {
    said.push(`after ${fake.of('round').length} rounds`);
    return { source: sourceAt('none') };
  });
  await fake.pass(500);
  assert.deepEqual([said, fake.guard.level], [[], 'term'], 'in the middle of a round everything is as it was');
  fake.rounds[0]!.end('released');
  await changed;
  await fake.pass(2000);
  assert.deepEqual([said, fake.guard.level, fake.rounds.length], [['after 1 rounds'], 'none', 1]);
  fake.guard.stop();
  await running;
});

test('between: a guard that does not watch takes the change when a round by hand has ended, and when it has failed', async () => {
  for (const end of [(round: Asked) => round.end('dry'), (round: Asked) => round.fail(new Error('broken'))]) {
    const fake = new FakeGuard();
    const round = fake.guard.round().catch(() => null);
    let changes = 0;
    const changed = fake.guard.between(() => {
      changes += 1;
      return {};
    });
    await settle();
    assert.equal(changes, 0);
    end(fake.rounds[0]!);
    await round;
    await settle();
    assert.equal(changes, 1);
    await changed;
  }
});

test('between: a change that throws rejects, and nothing has changed', async () => {
  const fake = new FakeGuard();
  const running = fake.guard.run();
  await settle();
  const change = fake.guard.between(() => {
    throw new Error('no such source');
  });
  await assert.rejects(change, /no such source/);
  fake.level = 'term';
  await fake.pass(200);
  assert.equal(fake.guard.level, 'term');
  fake.guard.stop();
  fake.rounds[0]!.end('dry');
  await running;
});

test('between: a guard that is stopped refuses the changes that wait, and those that come later', async () => {
  for (const isRunning of [true, false]) {
    const fake = new FakeGuard();
    const running = isRunning ? fake.guard.run() : null;
    fake.level = 'term';
    if (isRunning) await fake.pass(200);
    else void fake.guard.round();
    let changes = 0;
    const change = () => {
      changes += 1;
      return {};
    };
    const waiting = assert.rejects(fake.guard.between(change), { code: 'ESTALE' });
    fake.guard.stop();
    await waiting;
    await assert.rejects(fake.guard.between(change), { code: 'ESTALE' });
    fake.rounds[0]!.end('dry');
    await running;
    assert.equal(changes, 0);
  }
});

test('between: what the old policy could not do does not hold up the new one', async () => {
  const fake = new FakeGuard();
  const running = fake.guard.run();
  fake.level = 'term';
  await fake.pass(200);
  fake.rounds[0]!.end('dry');
  await fake.pass(1000);
  assert.equal(fake.rounds.length, 1, 'a dry decision stands for a minute');
  await fake.guard.between(() => ({}));
  await fake.pass(200);
  assert.equal(fake.rounds.length, 2);
  fake.guard.stop();
  fake.rounds[1]!.end('dry');
  await running;
});

test('chain: who is copied goes on to be asked, with what they have done; a name that is taken refuses all', async () => {
  const [from, to] = [new NotifierChain(), new NotifierChain()];
  const asked: string[] = [];
  for (const name of ['policy', 'program', 'late']) from.register({ name, afterKill: () => void asked.push(name) });
  const event = { domain: 'd', round: 1, availableBytes: 1, totalBytes: 2, victim: null, outcome: 'released' } as const;
  const told = { ...event, freedBytes: 0, reason: null };
  await from.walk('afterKill', told);
  to.register({ name: 'policy', afterKill: () => void asked.push('new') });
  assert.throws(() => from.copyTo(to, []), { code: 'EEXIST' });
  assert.equal(to.list().length, 1);
  from.copyTo(to, ['policy']);
  assert.deepEqual(
    to.list().map(({ name, calls }) => [name, calls]),
    [
      ['policy', 0],
      ['program', 1],
      ['late', 1],
    ],
  );
  asked.length = 0;
  await to.walk('afterKill', told);
  assert.deepEqual(asked, ['new', 'program', 'late']);
  assert.ok(to.everHad('afterKill'));
});

test('gate: other rules leave the history as it is', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  const gate = new Gate(engine, openDomain(engine, { kind: 'system' }));
  gate.openRate({ calls: 10, warmUpTicks: 1000, windowTicks: 5000, cooldownTicks: 5000 });
  assert.equal(gate.call(100_000), 'reset');
  for (let call = 1; call <= 3; ++call) assert.equal(gate.call(101_500 + call), 'few');
  // Four calls of four: the three before count.
  gate.changeRate({ calls: 4, warmUpTicks: 1000, windowTicks: 5000, cooldownTicks: 60_000 });
  assert.equal(gate.call(102_000), 'kill');
  assert.throws(() => gate.changeRate({ calls: 0 }), RangeError);
  // The lock is free again, and the longer cooldown holds.
  for (let call = 1; call <= 4; ++call) gate.call(107_000 + call * 1500);
  assert.notEqual(gate.call(114_000), 'kill');
});
