/** Thresholds and patterns, as a person writes them in a policy or on a command line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchGlob } from '../../src/policy/glob.js';
import { fallenTo, parseThresholdPair, showThreshold, threshold } from '../../src/policy/threshold.js';
import fc from './support/fast-check.js';

test('threshold: a threshold pair is read as earlyoom reads it', () => {
  const rows: [string, number, number][] = [
    ['2,1', 2, 1],
    ['30', 30, 15],
    ['5,9', 9, 9],
    ['0,5', 5, 5],
    ['5,0', 5, 0],
    ['100', 100, 50],
    ['1.5', 1.5, 0.75],
  ];
  for (const [text, term, kill] of rows) {
    assert.deepEqual(parseThresholdPair(text, 'percent'), { term: { percent: term }, kill: { percent: kill } }, text);
  }
  assert.deepEqual(parseThresholdPair('2048,1', 'kib'), { term: { bytes: 2 ** 21 }, kill: { bytes: 1024 } });
  assert.deepEqual(parseThresholdPair('2147483647', 'kib').term, { bytes: 2147483647 * 1024 });
});

test('threshold: what is no threshold pair is refused', () => {
  const long = `0.${'1'.repeat(300)}`;
  const rows = ['', '0', '0,0', '22[,20]', '4,0,2,0', 'x1,x2', '1x,2x', '1.1.', long, `${long},${long}`, '-1', '5,-1'];
  const more = [
    '2147483648',
    '9999999999',
    '1,',
    ',1',
    ' 1',
    '1 ',
    '1,2\n',
    '0x5',
    '1e1',
    '+1',
    'NaN',
    'Infinity',
    '.5',
  ];
  for (const text of [...rows, ...more]) {
    for (const unit of ['percent', 'kib'] as const) {
      assert.throws(() => parseThresholdPair(text, unit, '-m'), /^RangeError: -m must be TERM\[,KILL\]/, text);
    }
  }
  assert.throws(() => parseThresholdPair('101', 'percent'), RangeError);
});

test('threshold: a reading has fallen to a threshold when it equals it', () => {
  const at = (text: string) => threshold(text, 'threshold');
  assert.equal(fallenTo(at('10%'), 100, 1000), true);
  assert.equal(fallenTo(at('10%'), 101, 1000), false);
  assert.equal(fallenTo(at('1KiB'), 1024, 1e6), true);
  assert.equal(fallenTo(at('1KiB'), 1025, 1e6), false);
  assert.equal(fallenTo(at('0%'), 1, 1000), false);
  assert.equal(fallenTo(at('100%'), 1000, 1000), true, 'leaves the condition out');
});

test('threshold: printed, it can be read again', () => {
  for (const text of ['10%', '2.5%', '0%', '512MiB', '0B', '1.5KiB', '16TiB']) {
    const at = threshold(text, 't');
    assert.deepEqual(threshold(showThreshold(at), 't'), at, text);
  }
});

test('threshold: where there is no swap, none is free', () => {
  for (const text of ['0%', '10%', '100%', '0B', '1GiB'])
    assert.equal(fallenTo(threshold(text, 't'), 0, 0), true, text);
});

test('comm glob: a pattern matches as the regular expression that it stands for', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', 'é', '\u{1f4a5}'), maxLength: 12 });
  fc.assert(
    fc.property(letters, letters, (glob, comm) => {
      const parts = [...glob].map((c) => (c === '*' ? '.*' : c === '?' ? '.' : c));
      assert.equal(matchGlob(glob, comm), new RegExp(`^${parts.join('')}$`, 'su').test(comm));
    }),
  );
});

test('comm glob: no pattern takes long', () => {
  const start = process.cpuUsage().user;
  assert.equal(matchGlob('a*'.repeat(500), `${'a'.repeat(5000)}b`), true);
  assert.equal(matchGlob(`${'a*'.repeat(500)}c`, 'a'.repeat(5000)), false);
  assert.ok(process.cpuUsage().user - start < 2e6);
});
