// What goes wrong around the loop of a guard: which of it ends the guard, and which does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeGuard } from './support/fake-guard.js';
import { settle } from './support/manual-clock.js';

test('guard: what somebody throws who is told of a round ends the guard, and nothing else', async () => {
  const fake = new FakeGuard({
    tell: ({ kind }) => {
      if (kind === 'round') throw new Error('cannot write');
    },
  });
  const running = fake.guard.run();
  fake.level = 'term';
  await fake.pass(100);
  const ended = assert.rejects(running, /cannot write/);
  fake.rounds[0]!.end('released');
  await ended;
});

test('guard: a domain that is gone when somebody is to be warned of it does not end the guard', async () => {
  const gone = () => {
    throw new Error('ENODEV');
  };
  const nothing = () => {};
  const world = { name: 'gone', nowMs: () => 1000, measure: gone, pressureBegins: nothing, shortageEnds: nothing };
  const fake = new FakeGuard({ world });
  fake.warnings.register({ name: 'log', warn: () => {} });
  const running = fake.guard.run();
  fake.level = 'warn';
  await fake.pass(100);
  assert.deepEqual([fake.guard.level, fake.warnings.list()[0]!.calls], ['warn', 0]);
  fake.guard.stop();
  await running;
});

test('guard: stopped in the middle of a round it leaves no timer behind when the round has ended', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const fake = new FakeGuard();
  const running = fake.guard.run();
  fake.level = 'term';
  await fake.pass(100);
  fake.guard.stop();
  await settle();
  assert.equal(timers(), before + 1, 'the round has its time to end');
  fake.rounds[0]!.end('released');
  await running;
  assert.equal(timers(), before);
});
