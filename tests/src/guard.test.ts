// The loop of a guard: when it begins rounds, when it tells, what it does meanwhile, and how it ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeGuard } from './support/fake-guard.js';

test('guard: while memory is not short it reads as often as the source wants, and does nothing', async () => {
  const fake = new FakeGuard();
  void fake.guard.run();
  await fake.pass(1000);
  fake.level = 'warn';
  await fake.pass(1000);
  assert.equal(fake.guard.counters.readings, 21);
  assert.deepEqual([fake.rounds.length, fake.guard.counters.rounds], [0, 0]);
  assert.deepEqual(
    fake.of('level').map(({ was, level }) => [was, level]),
    [['none', 'warn']],
  );
  assert.equal(fake.began, 1, 'what others killed before is history');
});

test('guard: it may block its thread only while memory is not short and no round is under way', async () => {
  const fake = new FakeGuard();
  void fake.guard.run();
  await fake.pass(100);
  assert.deepEqual(fake.waits.splice(0), ['rest', 'rest']);
  fake.level = 'warn';
  await fake.pass(100);
  fake.level = 'kill';
  await fake.pass(100);
  fake.level = 'none';
  await fake.pass(200);
  assert.deepEqual(fake.waits.splice(0), ['wait', 'wait', 'wait', 'wait'], 'the round is still under way');
  fake.rounds[0]!.end('released');
  await fake.pass(100);
  assert.equal(fake.waits.at(-1), 'rest');
});

test('guard: SIGTERM at the milder level, SIGKILL at the worse one', async () => {
  for (const [level, signal] of [
    ['term', 'SIGTERM'],
    ['kill', 'SIGKILL'],
  ] as const) {
    const fake = new FakeGuard();
    fake.level = level;
    void fake.guard.run();
    await fake.pass(0);
    assert.deepEqual(
      fake.rounds.map(({ ask }) => ask.signal),
      [signal],
    );
  }
});

test('guard: one round at a time; memory that falls further meanwhile hurries it, and only it', async () => {
  const fake = new FakeGuard();
  fake.level = 'term';
  void fake.guard.run();
  await fake.pass(500);
  assert.equal(fake.rounds.length, 1);
  assert.equal(fake.rounds[0]!.ask.hurry!.aborted, false);
  fake.level = 'kill';
  await fake.pass(100);
  assert.equal(fake.rounds[0]!.ask.hurry!.aborted, true);
  assert.equal(fake.rounds.length, 1);
  fake.rounds[0]!.end('released');
  await fake.pass(100);
  assert.equal(fake.rounds.length, 2);
  assert.deepEqual([fake.rounds[1]!.ask.signal, fake.rounds[1]!.ask.hurry!.aborted], ['SIGKILL', false]);
});

test('guard: a shortage ends when memory is above the thresholds again, though it is still time to warn', async () => {
  const fake = new FakeGuard();
  void fake.guard.run();
  for (const [level, ended] of [
    ['warn', 0],
    ['kill', 0],
    ['term', 0],
    ['warn', 1],
    ['none', 1],
    ['kill', 1],
    ['none', 2],
  ] as const) {
    fake.level = level;
    await fake.pass(100);
    assert.equal(fake.shortagesEnded, ended, level);
  }
});

test('guard: a round asks whether it is over, and gets the reading of that moment', async () => {
  const fake = new FakeGuard();
  fake.level = 'kill';
  void fake.guard.run();
  await fake.pass(0);
  assert.equal(fake.rounds[0]!.ask.isOver!(), false);
  fake.level = 'warn';
  assert.equal(fake.rounds[0]!.ask.isOver!(), true);
});

test('guard: after a release it forgets rates, lets the memory show, and goes on while it is short', async () => {
  const fake = new FakeGuard();
  fake.level = 'kill';
  void fake.guard.run();
  await fake.pass(0);
  fake.rounds[0]!.end('released', { freedBytes: 7 });
  await fake.pass(49);
  assert.equal(fake.rounds.length, 1);
  await fake.pass(1);
  assert.equal(fake.rounds.length, 2);
  assert.equal(fake.forgotten, 1);
  const { released, freedBytes, rounds } = fake.guard.counters;
  assert.deepEqual({ released, freedBytes, rounds }, { released: 1, freedBytes: 7, rounds: 2 });
});

test('guard: a dry decision is repeated once a minute while pressure lasts, and at once when it gets worse', async () => {
  const fake = new FakeGuard();
  fake.level = 'term';
  void fake.guard.run();
  for (let second = 0; second < 150; second++) {
    await fake.pass(1000);
    fake.rounds.at(-1)!.end('dry');
  }
  assert.deepEqual(
    fake.rounds.map(({ atMs }) => Math.round((atMs - 1000) / 60_000)),
    [0, 1, 2],
  );
  assert.equal(fake.of('round').length, 3);
  fake.level = 'kill';
  await fake.pass(100);
  assert.equal(fake.rounds.length, 4);
  fake.rounds[3]!.end('dry');
  await fake.pass(50_000);
  assert.equal(fake.rounds.length, 4);
  assert.equal(fake.of('round').length, 4, 'and told');
});

test('guard: a round that can do nothing is tried less and less often, told once, and told again after a minute', async () => {
  const fake = new FakeGuard();
  fake.level = 'kill';
  void fake.guard.run();
  for (let tenth = 0; tenth < 650; tenth++) {
    await fake.pass(100);
    fake.rounds.at(-1)!.end('refused', { reason: 'EPERM' });
  }
  const pauses = fake.rounds.slice(1).map(({ atMs }, index) => Math.round((atMs - fake.rounds[index]!.atMs) / 1000));
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 30]);
  assert.deepEqual(
    fake.of('round').map(({ repeated }) => repeated),
    [0, 5],
  );
  fake.level = 'none';
  await fake.pass(100);
  fake.level = 'kill';
  await fake.pass(100);
  assert.equal(fake.rounds.length, 8, 'a new shortage is not the old one');
});

test('guard: another outcome is news; others who are killing are looked at again soon', async () => {
  const fake = new FakeGuard();
  fake.level = 'kill';
  fake.everyMs = 10;
  void fake.guard.run();
  await fake.pass(0);
  for (let tries = 0; tries < 5; tries++) {
    fake.rounds.at(-1)!.end('in-flight');
    await fake.pass(20);
  }
  assert.equal(fake.rounds.length, 6);
  assert.equal(fake.of('round').length, 1);
  fake.rounds[5]!.end('gone');
  await fake.pass(0);
  assert.equal(fake.rounds.length, 7, 'at once');
  assert.deepEqual(
    fake.of('round').map(({ repeated }) => repeated),
    [0, 4],
  );
});

test('guard: what cannot be read kills nobody, is said when it begins and when it is over', async () => {
  const fake = new FakeGuard();
  fake.error = 'EACCES: no';
  void fake.guard.run();
  await fake.pass(500);
  fake.error = null;
  await fake.pass(500);
  assert.deepEqual(
    fake.of('unreadable').map(({ error }) => error),
    ['EACCES: no', null],
  );
  assert.equal(fake.rounds.length, 0);
});

test('guard: a round that throws is told, and does not end the guard', async () => {
  let tries = 0;
  const run = () => Promise.reject(new Error(`no ${++tries}`));
  const fake = new FakeGuard({ rounds: { run } });
  fake.level = 'kill';
  void fake.guard.run();
  await fake.pass(2500);
  assert.deepEqual(
    fake.of('failed').map(({ error }) => error),
    ['Error: no 1', 'Error: no 2', 'Error: no 3'],
  );
});

test('guard: warn is called when pressure rises, not when it falls, and holds up no round', async () => {
  const fake = new FakeGuard();
  const levels: string[] = [];
  fake.warnings.register({ name: 'slow', warn: ({ level }) => new Promise(() => levels.push(level)) });
  void fake.guard.run();
  fake.level = 'warn';
  await fake.pass(100);
  fake.level = 'kill';
  await fake.pass(100);
  assert.equal(fake.rounds.length, 1, 'although the warning hangs');
  assert.deepEqual(levels, ['warn'], 'one walk at a time');
});

test('guard: after suspend the source forgets, and it is said', async () => {
  let slept = 0;
  const fake = new FakeGuard({ sleptMs: () => slept });
  void fake.guard.run();
  await fake.pass(0);
  slept = 3_600_000;
  await fake.pass(100);
  assert.deepEqual(
    fake.of('resumed').map(({ sleptMs }) => sleptMs),
    [3_600_000],
  );
  assert.equal(fake.forgotten, 1);
});

test('guard: stopped, it ends at once, and in the middle of a round when that has been told to', async () => {
  const idle = new FakeGuard();
  const ended = idle.guard.run();
  await idle.pass(0);
  idle.guard.stop();
  await ended;
  const acting = new FakeGuard();
  acting.level = 'kill';
  const over = acting.guard.run();
  await acting.pass(0);
  acting.guard.stop();
  assert.equal(acting.rounds[0]!.ask.stop!.aborted, true);
  acting.rounds[0]!.end('stuck', { reason: 'aborted' });
  await over;
  assert.equal(acting.rounds.length, 1, 'no other round begins');
});

test('guard: listeners hear once a shortage that it has begun, and when it is over', async () => {
  const heard: string[] = [];
  const signals = {
    begin: ({ reason, level }: { reason: string; level: string }) => void heard.push(`${reason} ${level}`) as never,
    recovered: () => void (heard.at(-1) === 'over' || heard.push('over')) as never,
  };
  const fake = new FakeGuard({ signals, reason: () => 'limit' });
  void fake.guard.run();
  fake.level = 'warn';
  await fake.pass(100);
  fake.level = 'kill';
  await fake.pass(100);
  fake.level = 'warn';
  await fake.pass(100);
  assert.deepEqual(heard, ['over', 'limit kill', 'over']);
});

test('guard: a round that was put off leaves standing what asked for it', async () => {
  const fake = new FakeGuard();
  fake.level = 'kill';
  void fake.guard.run();
  await fake.pass(0);
  for (const outcome of ['in-flight', 'gone', 'busy'] as const) {
    fake.rounds.at(-1)!.end(outcome);
    await fake.pass(300);
  }
  assert.deepEqual([fake.rounds.length, fake.forgotten], [4, 0]);
  fake.rounds[3]!.end('called-off');
  await fake.pass(100);
  assert.equal(fake.forgotten, 1);
});
