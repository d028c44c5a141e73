// A look at less than all, in place of a reading.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeGuard } from './support/fake-guard.js';

test('guard: a glance stands for a look after a sleep that blocked, for a second at most', async () => {
  const said: string[] = [];
  let sleeps = 0;
  const rest = (_: unknown, ms: number): string => {
    said.push('rest');
    fake.nowMs += ms;
    if (++sleeps === 20) fake.guard.stop();
    // As a sleep ends that somebody woke.
    return sleeps === 13 ? 'woken' : 'time';
  };
  const isSame = () => {
    said.push('glance');
    return sleeps !== 12;
  };
  const fake: FakeGuard = new FakeGuard({
    glance: { mostMs: 1000, isSame },
    waiter: { wait: () => Promise.resolve(), rest, wake() {} },
    onReading: () => void said.push('look'),
  });
  await fake.guard.run();
  const slept = said.join(' ').split('look ').slice(1);
  const words = slept.map((part) => part.trim().split(' '));
  const counts = words.map((part) => [part.filter((word) => word === 'rest').length, part.at(-1)]);
  // Ten sleeps of 100 ms without a look; something has changed; somebody woke it; and it is stopped.
  assert.deepEqual(counts, [
    [10, 'rest'],
    [2, 'glance'],
    [1, 'rest'],
    [7, 'rest'],
  ]);
});
