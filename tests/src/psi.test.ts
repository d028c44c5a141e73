// PSI texts, what is written to register a trigger, and the source on files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openPsiTrigger, PsiReader, parsePsi, psiTriggerText, unprivilegedSpec } from '../../src/linux/psi.js';
import { PsiSource } from '../../src/linux/psi-source.js';
import { FileTree } from './support/pressure-fixtures.js';

const psi = (some: string, full = '0.00') =>
  `some avg10=${some} avg60=1.25 avg300=0.50 total=123456789\nfull avg10=${full} avg60=0.00 avg300=0.00 total=42\n`;

test('psi: both lines are read', () => {
  assert.deepEqual(parsePsi(psi('12.34', '5.00')), {
    some: { avg10: 12.34, avg60: 1.25, avg300: 0.5, totalUs: 123_456_789 },
    full: { avg10: 5, avg60: 0, avg300: 0, totalUs: 42 },
  });
});

test('psi: what is not exactly that is refused', () => {
  for (const text of [
    '',
    'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    psi('1'),
    psi('-1.00'),
    psi('nan'),
    psi('1.00').slice(0, -4),
    psi('1.00').slice(0, -2),
    `more${psi('1.00')}`,
    `${psi('1.00')}extra\n`,
  ]) {
    assert.equal(parsePsi(text), null, JSON.stringify(text));
  }
});

test('psi: the text of a trigger ends in a byte that the kernel may overwrite', () => {
  assert.equal(psiTriggerText({ kind: 'some', stallUs: 150_000, windowUs: 10_000_000 }), 'some 150000 10000000\0');
});

test('psi: without the privilege the window becomes a multiple of 2 s with the same share', () => {
  const of = (stallUs: number, windowUs: number) => unprivilegedSpec({ kind: 'full', stallUs, windowUs });
  assert.deepEqual(of(150_000, 1_000_000), { kind: 'full', stallUs: 300_000, windowUs: 2_000_000 });
  assert.deepEqual(of(50_000, 500_000), { kind: 'full', stallUs: 200_000, windowUs: 2_000_000 });
  assert.deepEqual(of(1_000_000, 3_000_000), { kind: 'full', stallUs: 1_333_333, windowUs: 4_000_000 });
  assert.deepEqual(of(2_000_000, 2_000_000), { kind: 'full', stallUs: 2_000_000, windowUs: 2_000_000 });
  assert.deepEqual(of(1, 9_999_999), { kind: 'full', stallUs: 1, windowUs: 10_000_000 });
});

test('psi: a trigger out of range is refused by name and value', () => {
  const open = (stallUs: number, windowUs: number) => () =>
    openPsiTrigger({ kind: 'some', stallUs, windowUs }, '/nowhere');
  assert.throws(open(1, 499_999), /windowUs must be 500000\.\.10000000, got 499999/);
  assert.throws(open(1, 10_000_001), RangeError);
  assert.throws(open(0, 1_000_000), /stallUs must be 1\.\.windowUs, got 0/);
  assert.throws(open(1_000_001, 1_000_000), RangeError);
  assert.throws(open(1.5, 1_000_000), RangeError);
});

test('psi: without PSI there is a reason instead of a trigger', () => {
  const result = openPsiTrigger({ kind: 'some', stallUs: 1, windowUs: 1_000_000 }, '/nowhere/memory');
  assert.deepEqual(result, { trigger: null, reason: 'this kernel has no PSI: ENOENT' });
});

test('psi: what is written is the whole text, once', (t) => {
  const tree = new FileTree(t, { memory: '' });
  const { trigger } = openPsiTrigger({ kind: 'some', stallUs: 1, windowUs: 1_000_000 }, tree.at('memory'));
  t.after(() => trigger?.close());
  assert.equal(readFileSync(tree.at('memory'), 'latin1'), 'some 1 1000000\0');
  assert.equal(trigger?.note, null);
});

test('psi: the reader fails closed', (t) => {
  const tree = new FileTree(t, { memory: psi('1.00') });
  const reader = new PsiReader(tree.at('memory'));
  t.after(() => reader.close());
  assert.equal(reader.read().some.avg10, 1);
  tree.write('memory', 'nothing\n');
  assert.throws(() => reader.read(), { code: 'EBADMSG' });
});

test('psi source: the highest level whose percentage is reached', (t) => {
  const tree = new FileTree(t, { memory: psi('9.99') });
  const source = new PsiSource({ path: tree.at('memory'), percent: { warn: 10, term: 40, kill: 60 } }, false);
  t.after(() => source.close());
  let nowMs = 0;
  const levelAt = (some: string) => {
    tree.write('memory', psi(some));
    nowMs += 1000;
    return source.read(nowMs).level;
  };
  assert.deepEqual(['9.99', '10.00', '40.00', '59.99', '60.00'].map(levelAt), ['none', 'warn', 'term', 'term', 'kill']);
  tree.write('memory', '');
  assert.equal(source.read(nowMs + 999).level, 'kill', 'the averages do not change so soon');
  const { level, error } = source.read(nowMs + 1000);
  assert.equal(level, 'none');
  assert.match(error!, /^EBADMSG/);
});

test('psi source: a trigger that fired stands for one window; one whose source is gone is dropped', (t) => {
  const tree = new FileTree(t, { memory: psi('0.00') });
  const trigger = { kind: 'some', stallUs: 1, windowUs: 1_000_000, level: 'term' } as const;
  const source = new PsiSource({ path: tree.at('memory'), percent: { kill: 90 }, trigger }, true);
  t.after(() => source.close());
  tree.write('memory', psi('0.00'));
  const [wakeUp] = source.wakeUps();
  assert.equal(source.read(0).level, 'none');
  wakeUp!.onReady(2);
  assert.equal(source.read(100).level, 'term');
  assert.equal(source.nextDelayMs(100), 1000);
  assert.equal(source.read(1099).level, 'term');
  assert.equal(source.read(1100).level, 'none');
  wakeUp!.onReady(2);
  source.forget();
  assert.equal(source.read(1200).level, 'none', 'of before a suspend');
  wakeUp!.onReady(8);
  assert.deepEqual(source.wakeUps(), []);
});

test('psi source: nobody polls, no trigger, and it says so', (t) => {
  const tree = new FileTree(t, { memory: psi('0.00') });
  const trigger = { kind: 'some', stallUs: 1, windowUs: 1_000_000, level: 'term' } as const;
  const source = new PsiSource({ path: tree.at('memory'), percent: {}, trigger }, false);
  t.after(() => source.close());
  assert.equal(source.note, 'trigger not used: nothing polls it');
  assert.deepEqual(source.wakeUps(), []);
  assert.throws(() => new PsiSource({ path: tree.at('memory'), percent: { warn: 101 } }, false), RangeError);
});
