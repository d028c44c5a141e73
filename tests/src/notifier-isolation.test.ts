/** The notifier chain with notifiers that throw, hang, lie, or answer too late. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../src/guard/round-events.js';
import { PHASES, phaseLimits } from '../../src/policy/phases.js';
import { BEFORE_KILL, never, RELIEVE, setUp, WARN } from './support/chain.js';
import { settle } from './support/manual-clock.js';

test('notifier chain: one that throws, rejects, or answers nonsense is reported and the walk goes on', async () => {
  const { chain, heard, add } = setUp();
  const bad: [string, () => unknown, RegExp][] = [
    [
      'throws',
      () => {
        throw new Error('no');
      },
      /^Error: no$/,
    ],
    ['rejects', () => Promise.reject('why'), /^why$/],
    ['null', () => Promise.reject(null), /^null$/],
    ['unprintable', () => Promise.reject(Object.create(null)), /^something that cannot be printed$/],
    ['number', () => 5, /^TypeError: an answer must be an object or nothing, got 5$/],
    ['stop', () => ({ stop: 'yes' }), /^TypeError: stop must be true or false, got yes$/],
    [
      'getter',
      () => ({
        get stop() {
          throw new Error('got');
        },
      }),
      /^Error: got$/,
    ],
    ['thenable', () => Object.defineProperty({}, 'then', { get: () => assert.fail('then') }), /^AssertionError: then$/],
  ];
  for (const [name, handler] of bad) chain.register({ name, warn: handler as never });
  add('last');
  const report = await chain.walk('warn', WARN);
  for (const [index, [name, , says]] of bad.entries()) {
    assert.equal(report.calls[index]!.outcome, 'threw', name);
    assert.match(report.calls[index]!.reason!, says);
  }
  assert.deepEqual(heard, ['last']);
  assert.equal(chain.list()[0]!.threw, 1);
});

test('notifier chain: relieve sums the pages freed; a number that is none counts 0 and is reported', async () => {
  const { chain } = setUp();
  const answers = [10, 0, 2.5, -1, Number.NaN, 2 ** 53, '7', undefined, 3];
  answers.forEach((freedPages, i) => {
    chain.register({ name: `n${i}`, relieve: async () => ({ freedPages }) as Answer });
  });
  const { calls, freedPages } = await chain.walk('relieve', RELIEVE);
  assert.deepEqual(
    calls.map((call) => call.freedPages),
    [10, 0, 0, 0, 0, 2 ** 53, 0, 0, 3],
  );
  const outcomes = ['ok', 'ok', 'threw', 'threw', 'threw', 'ok', 'threw', 'ok', 'ok'];
  assert.deepEqual(
    calls.map((call) => call.outcome),
    outcomes,
  );
  assert.equal(freedPages, 2 ** 53, 'the sum stays a quantity');
});

test('notifier chain: pages freed count in relieve only', async () => {
  const { chain } = setUp();
  chain.register({ name: 'a', warn: () => ({ freedPages: 10 }) });
  assert.equal((await chain.walk('warn', WARN)).freedPages, 0);
});

test('notifier chain: one that hangs is left behind at its limit, told so, and its late answer is only counted', async () => {
  const { chain, clock, heard, add } = setUp();
  let answer: (value: Answer) => void = () => {};
  let signal: AbortSignal | undefined;
  chain.register({
    name: 'slow',
    priority: 1,
    warn: (_, given) => {
      signal = given;
      return new Promise<Answer>((resolve) => (answer = resolve));
    },
  });
  add('b');
  const walk = chain.walk('warn', WARN);
  await clock.advance(999);
  assert.deepEqual(heard, []);
  await clock.advance(1);
  const report = await walk;
  assert.deepEqual(report.calls[0], { name: 'slow', ms: 1000, outcome: 'timed-out', freedPages: 0, reason: null });
  assert.deepEqual(heard, ['b']);
  assert.equal((signal!.reason as { code: string }).code, 'ETIMEDOUT');
  assert.deepEqual(chain.list()[0]!.unanswered, ['warn']);
  answer({ stop: true });
  await settle();
  const { late, timedOut, unanswered } = chain.list()[0]!;
  assert.deepEqual({ late, timedOut, unanswered }, { late: 1, timedOut: 1, unanswered: [] });
  assert.equal(clock.pending, 0, 'no timer is left');
});

test('notifier chain: one that still owes an answer is skipped in that phase, and only in that', async () => {
  const { chain, clock, heard } = setUp();
  let fail: (reason: unknown) => void = () => {};
  chain.register({
    name: 'slow',
    warn: () => new Promise((_, reject) => (fail = reject)),
    relieve: () => void heard.push('relieve'),
  });
  const first = chain.walk('warn', WARN);
  await clock.advance(1000);
  await first;
  const { calls, ms } = await chain.walk('warn', WARN);
  assert.deepEqual([calls[0]!.outcome, calls[0]!.reason, ms], ['skipped', 'an earlier call has not been answered', 0]);
  await chain.walk('relieve', RELIEVE);
  assert.deepEqual(heard, ['relieve']);
  // Late, and a rejection at that: counted, and no unhandled rejection.
  fail(new Error('late'));
  await settle();
  const third = chain.walk('warn', WARN);
  await clock.advance(1000);
  assert.equal((await third).calls[0]!.outcome, 'timed-out', 'called again');
  assert.equal(chain.list()[0]!.late, 1);
});

test('notifier chain: a call that blocks the thread past its limit counts as timed out, whatever it answers', async () => {
  const { chain, clock } = setUp();
  const blocking = (ms: number, answer: Answer) => {
    clock.block(ms);
    return answer;
  };
  chain.register({ name: 'busy', relieve: () => blocking(251, { freedPages: 5, stop: true }) });
  chain.register({ name: 'exact', relieve: () => blocking(249, { freedPages: 7 }) });
  const { calls, freedPages, ms } = await chain.walk('relieve', RELIEVE);
  assert.deepEqual(
    calls.map(({ outcome, ms }) => [outcome, ms]),
    [
      ['timed-out', 251],
      ['ok', 249],
    ],
  );
  assert.deepEqual([freedPages, ms, chain.list()[0]!.late], [7, 500, 1]);
});

test('notifier chain: beforeKill is bounded as a whole, whoever is left is skipped', async () => {
  const { chain, clock } = setUp();
  for (const name of ['a', 'b', 'c', 'd']) chain.register({ name, beforeKill: never });
  const walk = chain.walk('beforeKill', BEFORE_KILL);
  await clock.advance(250);
  const { calls, ms } = await walk;
  assert.deepEqual(
    calls.map((call) => [call.name, call.outcome, call.ms]),
    [
      ['a', 'timed-out', 100],
      ['b', 'timed-out', 100],
      ['c', 'timed-out', 50],
      ['d', 'skipped', 0],
    ],
  );
  assert.equal(ms, 250);
});

test('notifier chain: every phase is bounded by its own limits', async () => {
  const limits = phaseLimits(
    Object.fromEntries(PHASES.map((p, i) => [p, { eachMs: 10 * (i + 1), wholeMs: 1000 }])),
    'l',
  );
  for (const [index, phase] of PHASES.entries()) {
    const { chain, clock } = setUp(limits);
    chain.register({ name: 'a', [phase]: never });
    const walk = chain.walk(phase, {} as never);
    await clock.advance(1000);
    assert.equal((await walk).ms, 10 * (index + 1), phase);
  }
});
