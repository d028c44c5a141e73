// What-ifs over a fleet: a result counts once, however often and in whatever pieces it comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressLine } from '../../../src/cli/progress.js';
import { changeId, InOrder, ResultGatherer, resultParts, timeLeftMs } from '../../../src/fleet/what-if.js';
import type { Looked } from '../../../src/recording/index.js';

const bad = (letters: number, letter = 'x'): Looked => ({ kind: 'bad', code: null, words: letter.repeat(letters) });
const digestOf = (text: string) => `${text.length}${text.at(-4)}`;
const parts = (index: number, looked: Looked) => resultParts({ run: 'r', index }, looked, digestOf);

test('fleet what-if: a result in parts is whole with its last part, in any order, and counts once', () => {
  const gatherer = new ResultGatherer(['a', 'b']);
  const whole = bad(400_000);
  const [first, second, third, ...rest] = parts(0, whole);
  assert.equal(rest.length, 0);
  assert.equal(gatherer.offer(third!.text), null);
  assert.equal(gatherer.offer(first!.text), null);
  assert.equal(gatherer.offer(first!.text), null);
  assert.deepEqual(gatherer.offer(second!.text), { index: 0, recording: 'a', looked: whole });
  for (const part of parts(0, whole)) assert.equal(gatherer.offer(part.text), null);
  assert.deepEqual([gatherer.done, gatherer.isComplete], [1, false]);
  assert.equal(gatherer.offer(parts(2, bad(1))[0]!.text), null);
  gatherer.offer(parts(1, bad(1))[0]!.text);
  assert.ok(gatherer.isComplete);
});

test('fleet what-if: parts of two results are not put together, and the same result has the same ids', () => {
  const gatherer = new ResultGatherer(['a']);
  const [one, other] = [parts(0, bad(200_000, 'x')), parts(0, bad(200_000, 'y'))];
  assert.equal(gatherer.offer(one[0]!.text), null);
  assert.equal(gatherer.offer(other[1]!.text), null);
  assert.deepEqual(gatherer.offer(one[1]!.text)?.looked, bad(200_000, 'x'));
  const ids = [...one, ...other].map(({ id }) => id);
  assert.equal(new Set(ids).size, 4);
  assert.deepEqual(
    parts(0, bad(200_000, 'x')).map(({ id }) => id),
    ids.slice(0, 2),
  );
});

test('fleet what-if: a part of letters that JSON writes long still fits into a message', () => {
  for (const { text } of parts(0, bad(200_000, '\u0001'))) assert.ok(text.length < 1 << 20, String(text.length));
});

test('fleet what-if: results go on in the order of their recordings', () => {
  const order = new InOrder();
  const put = (index: number) => order.put({ index, recording: '', looked: bad(1) }).map((result) => result.index);
  assert.deepEqual([put(2), put(0), put(3), put(1)], [[], [0], [], [1, 2, 3]]);
});

test('fleet what-if: a change is called by its recording and snapshot; time left goes by what was done', () => {
  assert.equal(changeId('web-1/a.proc', 0), 'web-1/a.proc#1');
  assert.equal(timeLeftMs(0, 10, 100), null);
  assert.equal(timeLeftMs(5, 20, 1000), 3000);
  const state = { done: 25, total: 100, leftMs: 120_000, words: '3 changes' };
  assert.equal(progressLine(state), `[######${'.'.repeat(18)}] 25 of 100, 3 changes, 2 min left`);
  assert.equal(progressLine({ done: 2, total: 2, leftMs: 0 }), `[${'#'.repeat(24)}] 2 of 2`);
});
