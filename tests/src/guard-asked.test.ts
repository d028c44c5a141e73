// A round that somebody asks a guard for, as sysrq-f asks the kernel: what it heeds and what not, and what it leaves as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OomSignals } from '../../src/oom-signals.js';
import { FakeGuard } from './support/fake-guard.js';

test('guard: a round that is asked for begins at once, whatever the level, and nothing calls it off', async () => {
  const fake = new FakeGuard();
  void fake.guard.run();
  await fake.pass(100);
  const report = fake.guard.round();
  assert.equal(fake.rounds.length, 1);
  const { ask, end } = fake.rounds[0]!;
  assert.deepEqual([ask.signal, ask.isOver], ['SIGTERM', undefined]);
  end('refused', { reason: 'EPERM' });
  assert.equal((await report).outcome, 'refused');
  assert.deepEqual(
    fake.of('round').map(({ asked, repeated, level }) => [asked, repeated, level]),
    [[true, 0, 'term']],
  );
  assert.deepEqual([fake.guard.counters.rounds, fake.guard.counters.others], [1, 1]);
});

test('guard: a round that is asked for begins with SIGKILL where the level does, and is hurried where it falls to it', async () => {
  const fake = new FakeGuard();
  void fake.guard.run();
  await fake.pass(0);
  void fake.guard.round();
  fake.level = 'kill';
  await fake.pass(100);
  assert.equal(fake.rounds[0]!.ask.hurry!.aborted, true);
  fake.rounds[0]!.end('released');
  await fake.pass(0);
  fake.level = 'none';
  await fake.pass(200);
  for (const { end } of fake.rounds) end('gone');
  await fake.pass(100);
  fake.level = 'kill';
  await fake.pass(100);
  fake.rounds.at(-1)!.end('dry');
  await fake.pass(0);
  void fake.guard.round();
  assert.equal(fake.rounds.at(-1)!.ask.signal, 'SIGKILL');
});

test('guard: while a round is under way no other can be asked for', async () => {
  const fake = new FakeGuard();
  fake.level = 'kill';
  void fake.guard.run();
  await fake.pass(0);
  await assert.rejects(fake.guard.round(), { code: 'EBUSY' });
  assert.equal(fake.rounds.length, 1);
  fake.rounds[0]!.end('gone');
});

test('guard: what a round by hand could not do does not slow the guard down, and its dry decision is always told', async () => {
  const fake = new FakeGuard();
  void fake.guard.run();
  await fake.pass(0);
  for (let times = 0; times < 3; times++) {
    void fake.guard.round();
    fake.rounds.at(-1)!.end('dry');
    await fake.pass(0);
  }
  assert.equal(fake.of('round').length, 3);
  fake.level = 'term';
  await fake.pass(100);
  assert.equal(fake.rounds.length, 4, 'the first of the guard itself');
  assert.deepEqual([fake.rounds[3]!.ask.isOver!(), fake.of('round').at(-1)!.asked], [false, true]);
});

test('guard: a round by hand that broke is told, its caller hears why, and the guard goes on', async () => {
  const fake = new FakeGuard({ rounds: { run: () => Promise.reject(new Error('broken')) } });
  void fake.guard.run();
  await fake.pass(0);
  await assert.rejects(fake.guard.round(), /broken/);
  assert.deepEqual(
    fake.of('failed').map(({ error }) => error),
    ['Error: broken'],
  );
  await assert.rejects(fake.guard.round(), /broken/);
});

test('guard: listeners hear of a round by hand only when memory is short as well', async () => {
  const heard: string[] = [];
  const signals = {
    begin: ({ level }: { level: string }) => void heard.push(level) as never,
    recovered: () => {},
  } as unknown as OomSignals;
  const fake = new FakeGuard({ signals });
  void fake.guard.run();
  await fake.pass(0);
  void fake.guard.round();
  fake.rounds[0]!.end('dry');
  await fake.pass(0);
  assert.deepEqual(heard, []);
  fake.level = 'term';
  await fake.pass(100);
  fake.rounds[1]!.end('dry');
  await fake.pass(0);
  void fake.guard.round();
  assert.deepEqual([heard, fake.rounds.length], [['term', 'term'], 3]);
});
