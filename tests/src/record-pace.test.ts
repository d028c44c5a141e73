/** How long a recording goes on, by a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordInto } from '../../src/cli/record.js';

/** Snapshots that take so long, each at which time; somebody may stop it at a time. */
async function recorded(plan: { forMs: number; everyMs: number }, tookMs: number, stopMs = Number.POSITIVE_INFINITY) {
  let atMs = 5000;
  const begun: number[] = [];
  const recorder = {
    head: () => 'head',
    tail: () => 'tail',
    snapshot() {
      begun.push(atMs - 5000);
      atMs += tookMs;
      return { text: 'snapshot', tasks: 1 };
    },
  };
  const rest = async (ms: number) => {
    atMs += ms;
    return atMs - 5000 >= stopMs;
  };
  await recordInto(() => {}, recorder as never, { ...plan, mostBytes: 1e6 }, { nowMs: () => atMs, rest });
  return begun;
}

test('record: --for is a time, however long a snapshot takes', async () => {
  assert.deepEqual(await recorded({ forMs: 0, everyMs: 1000 }, 30), [0]);
  assert.deepEqual(await recorded({ forMs: 400, everyMs: 100 }, 30), [0, 100, 200, 300, 400]);
  assert.deepEqual(await recorded({ forMs: 1000, everyMs: 100 }, 250), [0, 300, 600, 900]);
  assert.deepEqual(await recorded({ forMs: 1000, everyMs: 100 }, 1500), [0]);
});

test('record: whoever stops it gets what was recorded until then', async () => {
  assert.deepEqual(await recorded({ forMs: 1000, everyMs: 100 }, 30, 200), [0, 100]);
});
