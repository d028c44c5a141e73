/** The notifier chain: order, stop, changes during a walk, re-entry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, RELIEVE, setUp, WARN } from './support/chain.js';

test('notifier chain: higher priorities come first, ties in the order of registration', async () => {
  const { chain, heard, add } = setUp();
  for (const [name, priority] of [
    ['a', 0],
    ['b', 5],
    ['c', -1],
    ['d', 0],
    ['e', 5],
  ] as const)
    add(name, priority);
  const report = await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['b', 'e', 'a', 'd', 'c']);
  assert.deepEqual(
    report.calls.map(({ name, outcome }) => `${name} ${outcome}`),
    ['b ok', 'e ok', 'a ok', 'd ok', 'c ok'],
  );
});

test('notifier chain: one walks even without notifiers, and hears so', async () => {
  const { chain } = setUp();
  const report = await chain.walk('warn', WARN);
  assert.deepEqual(report, { phase: 'warn', ms: 0, calls: [], freedPages: 0, stoppedBy: null });
});

test('notifier chain: only those with a handler for the phase are called, as methods, with a frozen event', async () => {
  const { chain } = setUp();
  const heard: unknown[] = [];
  chain.register({
    name: 'a',
    warn(this: { name: string }, event) {
      assert.equal(this.name, 'a');
      assert.ok(Object.isFrozen(event));
      heard.push(event);
    },
  });
  chain.register({ name: 'b', afterKill: () => void heard.push('b') });
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, [WARN]);
});

test('notifier chain: registering a name twice is EEXIST and changes nothing', async () => {
  const { chain, heard, add } = setUp();
  add('a');
  const again = { name: 'a', priority: 9, warn: () => void heard.push('again') };
  assert.throws(() => chain.register(again), code('EEXIST'));
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['a']);
  chain.unregister('a');
  chain.register(again);
  assert.throws(() => chain.register(again), code('EEXIST'));
});

test('notifier chain: unregistering what is not registered is ENOENT', () => {
  const { chain, add } = setUp();
  assert.throws(() => chain.unregister('a'), code('ENOENT'));
  add('a');
  chain.unregister('a');
  assert.throws(() => chain.unregister('a'), code('ENOENT'));
  assert.throws(() => chain.replace('a', { name: 'b', warn: () => {} }), code('ENOENT'));
});

test('notifier chain: replace is one step, or none', async () => {
  const { chain, heard, add } = setUp();
  add('a', 1);
  add('b');
  assert.throws(() => chain.replace('a', { name: 'b', warn: () => {} }), code('EEXIST'));
  assert.throws(() => chain.replace('a', { name: 'c' }), TypeError);
  await chain.walk('warn', WARN);
  chain.replace('a', { name: 'a', priority: -1, warn: () => void heard.push('new a') });
  chain.replace('b', { name: 'c', warn: () => void heard.push('c') });
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['a', 'b', 'c', 'new a']);
});

test('notifier chain: what is no notifier is refused in words', () => {
  const { chain } = setUp();
  const refused: [unknown, RegExp][] = [
    [{ warn() {} }, /^TypeError: name of a notifier must be text, got nothing/],
    [{ name: '', warn() {} }, /^TypeError: name of a notifier must be text, got ""/],
    [{ name: 'a' }, /^TypeError: notifier a must have one of warn, relieve, beforeKill, react, afterKill, got none/],
    [{ name: 'a', warn: 1 }, /^TypeError: warn of notifier a must be a function, got number/],
    [{ name: 'a', priority: 0.5, warn() {} }, /^RangeError: priority of notifier a must be an integer, got 0\.5/],
    [{ name: 'a', priority: Number.NaN, warn() {} }, /^RangeError: .* got NaN/],
  ];
  for (const [notifier, says] of refused) assert.throws(() => chain.register(notifier as never), says);
  assert.deepEqual(chain.list(), []);
});

test('notifier chain: stop ends the walk, and says who', async () => {
  const { chain, heard, add } = setUp();
  add('a', 2);
  add('b', 1, () => ({ stop: true }));
  add('c');
  const report = await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['a', 'b']);
  assert.equal(report.stoppedBy, 'b');
  assert.deepEqual(
    report.calls.map(({ outcome }) => outcome),
    ['ok', 'stopped'],
  );
});

test('notifier chain: one that was removed during a walk is not called in it', async () => {
  const { chain, heard, add } = setUp();
  add('a', 2, () => void chain.unregister('b') as undefined);
  add('b', 1);
  add('c', 0);
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['a', 'c']);
});

test('notifier chain: one that comes during a walk is called from the next one on, a returning one too', async () => {
  const { chain, heard, add } = setUp();
  let first = true;
  add('a', 2, () => {
    if (!first) return undefined;
    first = false;
    add('x', 1);
    chain.unregister('b');
    add('b', 0);
    return undefined;
  });
  add('b', 0);
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['a']);
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['a', 'a', 'x', 'b']);
});

test('notifier chain: one that removes itself is called once', async () => {
  const { chain, heard, add } = setUp();
  add('once', 1, () => void chain.unregister('once') as undefined);
  add('b');
  await chain.walk('warn', WARN);
  await chain.walk('warn', WARN);
  assert.deepEqual(heard, ['once', 'b', 'b']);
});

test('notifier chain: a walk within a walk is EDEADLK, is reported, and the outer walk goes on', async () => {
  const { chain, heard, add } = setUp();
  for (const [name, phase] of [
    ['same', 'warn'],
    ['other', 'relieve'],
  ] as const) {
    chain.register({
      name,
      priority: 1,
      warn: async () => {
        assert.equal(chain.walking, 'warn');
        await chain.walk(phase, RELIEVE as never);
      },
    });
  }
  add('b');
  const report = await chain.walk('warn', WARN);
  assert.deepEqual(
    report.calls.map(({ outcome }) => outcome),
    ['threw', 'threw', 'ok'],
  );
  assert.match(report.calls[1]!.reason!, /^BadnessError: a walk \(relieve\) within a walk \(warn\)/);
  assert.deepEqual(heard, ['b']);
  assert.equal(chain.walking, null);
  await assert.doesNotReject(chain.walk('warn', WARN));
});

test('notifier chain: it remembers whether a phase ever had anybody', () => {
  const { chain, add } = setUp();
  assert.equal(chain.everHad('warn'), false);
  add('a');
  chain.unregister('a');
  assert.deepEqual([chain.everHad('warn'), chain.everHad('react')], [true, false]);
});
