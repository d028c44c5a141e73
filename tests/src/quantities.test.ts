/** How many there are of something, as people read it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, grouped } from '../../src/cli/quantities.js';

test('quantities: a count has its word, and its thousands apart as any number in a sentence', () => {
  assert.deepEqual(
    [0, 1, 2, 999, 1000, 1_234_567].map((count) => counted(count, 'task')),
    ['0 tasks', '1 task', '2 tasks', '999 tasks', '1,000 tasks', '1,234,567 tasks'],
  );
  assert.deepEqual([-12, -1234, 0].map(grouped), ['−12', '−1,234', '0']);
});
