// The one way to sleep of those whose numbers are in memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockWaiter } from '../../src/guard/clock-waiter.js';
import { ManualClock, settle } from './support/manual-clock.js';

async function over(wait: Promise<void>): Promise<boolean> {
  let ended = false;
  void wait.then(() => {
    ended = true;
  });
  await settle();
  return ended;
}

test('clock waiter: it sleeps for its time, and not longer', async () => {
  const clock = new ManualClock();
  const wait = new ClockWaiter(clock).wait(100);
  await clock.advance(99);
  assert.equal(await over(wait), false);
  await clock.advance(1);
  assert.equal(await over(wait), true);
});

test('clock waiter: wake ends the wait under way and leaves no timer; the next one sleeps again', async () => {
  const clock = new ManualClock();
  const waiter = new ClockWaiter(clock);
  const wait = waiter.wait(100);
  waiter.wake();
  assert.deepEqual([await over(wait), clock.pending], [true, 0]);
  assert.equal(await over(waiter.wait(100)), false);
});

test('clock waiter: woken while nobody waits, the next wait ends at once, and only that', async () => {
  const clock = new ManualClock();
  const waiter = new ClockWaiter(clock);
  waiter.wake();
  waiter.wake();
  assert.equal(await over(waiter.wait(100)), true);
  assert.equal(await over(waiter.wait(100)), false);
});
