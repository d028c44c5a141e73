// What a guard does once before it watches, so that its loop is compiled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmUp } from '../../src/linux/warm-up.js';
import { FakeSource } from './support/pressure-fixtures.js';

/** Everything takes no time but reading. */
function parts(readMs: number) {
  const source = new FakeSource('fake');
  const seen = { nowMs: 1000, readings: 0, sleptMs: 0 };
  source.read = () => {
    seen.nowMs += readMs;
    seen.readings += 1;
    return source.answer;
  };
  const waiter = {
    waitSync(_: unknown, ms: number) {
      seen.sleptMs += ms;
      return 'time' as const;
    },
  };
  return {
    seen,
    source,
    parts: {
      source: { source, glance: null },
      waiter,
      suspend: { check: () => 0 },
      world: { nowMs: () => seen.nowMs },
    },
  };
}

test('warm-up: does not sleep, and leaves no rates behind', () => {
  const { seen, source, parts: all } = parts(0);
  warmUp(all);
  assert.deepEqual([seen.readings, seen.sleptMs, source.forgotten], [10_000, 0, 1]);
});

test('warm-up: ends in time where reading is slow', () => {
  const { seen, parts: all } = parts(30);
  warmUp(all);
  assert.ok(seen.readings < 10, `${seen.readings} readings of 30 ms`);
});
