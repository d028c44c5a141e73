/** Names on the wire: whatever a host is called, it is one token, its own, and nobody else's; and who is among the first percent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  nameOf,
  parseTarget,
  policyKey,
  reporterOf,
  reportSubject,
  targetOf,
  targetText,
  tokenOf,
} from '../../../src/fleet/names.js';
import { isAmong } from '../../../src/fleet/share.js';
import fc, { SEED } from '../support/fast-check.js';

const names = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
  fc.constantFrom('*', '>', 'a.b', 'a.>', '$KV', '$JS.API', ' ', '\n', '=2E', 'ä', '_INBOX.x', '\u{1f600}', '..', '\0'),
);

test('fleet names: a host is one token that no server reads anything into, and the token is the host again', () => {
  fc.assert(
    fc.property(names, (name) => {
      const token = tokenOf(name);
      assert.match(token, /^[A-Za-z0-9_=-]+$/);
      assert.equal(nameOf(token), name);
    }),
    { seed: SEED },
  );
});

test('fleet names: two hosts never share a token', () => {
  fc.assert(
    fc.property(names, names, (one, other) => {
      assert.equal(tokenOf(one) === tokenOf(other), one === other);
    }),
    { seed: SEED },
  );
});

test('fleet names: what nobody writes so is nobody', () => {
  for (const token of ['', '*', 'a.b', '=2e', '=41', '=C3', '=', 'a b', '=ZZ'])
    assert.equal(nameOf(token), null, token);
});

test('fleet names: a name that is empty, too long or no Unicode is refused', () => {
  for (const name of ['', 'x'.repeat(256), '\ud800']) assert.throws(() => tokenOf(name), RangeError);
  assert.equal(tokenOf('x'.repeat(255)).length, 255);
});

test('fleet names: a report is of the host of its subject, whatever it is called', () => {
  fc.assert(
    fc.property(names, (host) => {
      const subject = reportSubject(host, 'decision');
      assert.equal(subject.split('.').length, 3);
      assert.deepEqual(reporterOf(subject), { host, kind: 'decision' });
    }),
    { seed: SEED },
  );
  for (const subject of [
    'badness.a.b.decision',
    'badness.a.other',
    'other.a.state',
    'badness.*.state',
    'badness..state',
  ]) {
    assert.equal(reporterOf(subject), null, subject);
  }
});

test('fleet names: a target is its key and its text again', () => {
  fc.assert(
    fc.property(names, fc.constantFrom('host' as const, 'label' as const), (name, kind) => {
      const target = { kind, name };
      assert.deepEqual(targetOf(policyKey(target)), target);
      assert.deepEqual(parseTarget(targetText(target)), target);
    }),
    { seed: SEED },
  );
  assert.deepEqual(targetOf('default'), { kind: 'default' });
  assert.deepEqual(parseTarget('default'), { kind: 'default' });
  for (const text of ['', 'hosts:a', 'host:', 'host', 'Default'])
    assert.throws(() => parseTarget(text), RangeError, text);
  for (const key of ['', 'host', 'host.', 'host.a.b', 'label.*', 'defaults']) assert.equal(targetOf(key), null, key);
});

const HOSTS = Array.from({ length: 4000 }, (_, index) => `runner-${index}`);

test('fleet share: at more percent there are those of before, and more', () => {
  let before = new Set<string>();
  for (const percent of [0, 1, 10, 50, 99, 100]) {
    const now = new Set(HOSTS.filter((host) => isAmong(host, 'default', percent)));
    for (const host of before) assert.ok(now.has(host), host);
    assert.ok(Math.abs(now.size / HOSTS.length - percent / 100) < 0.03, `${percent} %: ${now.size}`);
    before = now;
  }
  assert.equal(before.size, HOSTS.length);
});

test('fleet share: each key has an order of its own', () => {
  const first = (key: string) => new Set(HOSTS.filter((host) => isAmong(host, key, 10)));
  const [a, b] = [first('default'), first('label.ci')];
  const both = [...a].filter((host) => b.has(host)).length;
  assert.ok(both < a.size / 4, `${both} of ${a.size} are among the first of both`);
});
