/** What stands in for Node where the suite runs without it is as strict as Node, and the README's table is what was seen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { default as standIn } from '../runtimes/assertions.js';

const { differenceOf, outcomeOf, tableOf } = await import(pathToFileURL(resolve('tests/runtimes/outcome.mjs')).href);
const { readResults, withTable } = await import(pathToFileURL(resolve('scripts/runtimes-table.mjs')).href);

const PAIRS: [left: unknown, right: unknown][] = [
  [1, 1],
  [1, 1n],
  [0, -0],
  [Number.NaN, Number.NaN],
  [null, undefined],
  [
    [1, 2],
    [1, 2],
  ],
  [
    [1, 2],
    [1, 2, 3],
  ],
  [[1, undefined], [1]],
  [{ a: 1 }, { a: 1 }],
  [{ a: 1 }, { a: 1, b: undefined }],
  [
    { a: 1, c: 2 },
    { a: 1, b: 2 },
  ],
  [[], {}],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  [new Uint8Array([1, 2]), [1, 2]],
  [new Uint8Array([0, 1, 2]).subarray(1), new Uint8Array([1, 2])],
  [{ deep: [{ a: [1n] }] }, { deep: [{ a: [2n] }] }],
];

const holds = (body: () => void): boolean => {
  try {
    body();
    return true;
  } catch {
    return false;
  }
};

test('runtimes: deepEqual of the suite says what that of Node says', () => {
  for (const [left, right] of PAIRS) {
    const expected = holds(() => assert.deepEqual(left, right));
    assert.equal(
      holds(() => standIn.deepEqual(left, right)),
      expected,
      `${String(left)} and ${String(right)}`,
    );
  }
});

test('runtimes: throws of the suite wants an error, and the one that was meant', () => {
  const range = () => {
    throw new RangeError('no');
  };
  assert.equal(
    holds(() => standIn.throws(() => 1)),
    false,
  );
  assert.equal(
    holds(() => standIn.throws(range, RangeError)),
    true,
  );
  assert.equal(
    holds(() => standIn.throws(range, TypeError)),
    false,
  );
  assert.equal(
    holds(() => standIn.throws(range, (error) => (error as Error).message === 'no')),
    true,
  );
  assert.equal(
    holds(() => standIn.throws(range, { code: 'EINVAL' })),
    false,
  );
  assert.equal(
    holds(() => standIn.ok(0)),
    false,
  );
});

test('runtimes: a record that differs in one digit is named, with the byte', () => {
  const asks = [{ name: 'first' }, { name: 'second' }];
  assert.equal(differenceOf(asks, ['00ff', '1234'], ['00ff', '1234']), null);
  assert.equal(differenceOf(asks, ['00ff', '1234'], ['00ff', '1235']), 'second: byte 1 of the record differs');
  assert.match(differenceOf(asks, ['00ff', '1234'], ['00ff']), /1 records instead of 2/);
});

test('runtimes: one failed test is a suite that does not work, and says so', () => {
  const tests = [
    { suite: 'gate', name: 'one', error: null },
    { suite: 'gate', name: 'two', error: 'no' },
    { suite: 'gate', name: 'three', error: null },
  ];
  const { works, problems } = outcomeOf({ tests, features: { rank: null } });
  assert.deepEqual(works, { 'suite gate': false, rank: true });
  assert.deepEqual(problems, [{ of: 'suite gate', words: 'gate: two: no' }]);
});

test('runtimes: versions that answer alike share a column, others have their own', () => {
  const table: string = tableOf({ 'Node 20': { rank: true }, 'Node 22': { rank: true }, 'Node 24': { rank: false } });
  assert.equal(table, '|  | Node 20, 22 | Node 24 |\n| --- | --- | --- |\n| rank | yes | no |');
});

test('runtimes: the table of the README is that of the last run', () => {
  const readme = readFileSync('README.md', 'utf8');
  const results = readResults();
  assert.ok(Object.keys(results).length >= 8, 'every runtime has been run');
  assert.equal(readme, withTable(readme, results), 'npm run test:runtimes -- --write makes it anew');
});
