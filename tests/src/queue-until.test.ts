// Candidates that count until a time: what the queue keeps of it, and what a round does with a list that is out of date.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { type Engine, openEngine } from '../../src/engine.js';
import { killRound } from '../../src/linux/kill-round.js';
import { monotonicMs } from '../../src/linux/linux-world.js';
import { openQueue } from '../../src/linux/queue-tasks.js';
import { definePolicy } from '../../src/policy/index.js';
import { CandidateQueue } from '../../src/queue.js';

const skip = process.platform !== 'linux' && 'needs Linux';

for (const build of ['shared', 'baseline'] as const) {
  describe(`queue, ${build}: until when a list counts`, () => {
    const open = async () => new CandidateQueue(await openEngine({ maxTasks: 1, build }));

    test('for ever, when nothing was written and when nobody said', async () => {
      const queue = await open();
      assert.equal(queue.untilMs, Number.POSITIVE_INFINITY);
      queue.replace('11 22');
      assert.equal(queue.untilMs, Number.POSITIVE_INFINITY);
    });

    test('the time belongs to its list: the next one has its own, whichever of the two buffers it is in', async () => {
      const queue = await open();
      for (const untilMs of [5000.25, 7000, Number.POSITIVE_INFINITY, 9000]) {
        queue.replace('11 22', { untilMs });
        assert.equal(queue.untilMs, untilMs);
        queue.take();
        assert.equal(queue.untilMs, untilMs, 'taking does not change it');
      }
      queue.replace('11');
      assert.equal(queue.untilMs, Number.POSITIVE_INFINITY);
      queue.replace('11', { legacy: true, untilMs: 3 });
      assert.equal(queue.untilMs, 3);
    });

    test('a list that is refused leaves list and time as they were', async () => {
      const queue = await open();
      queue.replace('11 22', { untilMs: 5000 });
      for (const untilMs of [0, -1, Number.NaN]) {
        assert.throws(() => queue.replace('33', { untilMs }), RangeError);
      }
      assert.throws(() => queue.replace('x', { untilMs: 6000 }), { code: 'EINVAL' });
      assert.deepEqual([queue.text(), queue.untilMs], ['11 22\n', 5000]);
    });
  });
}

async function sleeper(t: TestContext): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

function engineHere(): Promise<Engine> {
  return openEngine({ maxTasks: readdirSync('/proc').length + 2048 });
}

describe('queue: a round and the time of its candidates', { skip }, () => {
  test('queue: a stale list falls back to fresh selection, is left as it is, and the report says so', async (t) => {
    const engine = await engineHere();
    const child = await sleeper(t);
    const queue = openQueue(engine);
    queue.replace(String(child.pid), { untilMs: monotonicMs() - 1 });
    const report = await killRound(engine, { policy: definePolicy(), queue });
    assert.deepEqual([report.queueStale, report.chosenBy, report.passedOver], [true, 'scheme', []]);
    assert.notEqual(report.victim?.tgid, child.pid);
    assert.equal(queue.count, 1);
    queue.replace('');
  });

  test('queue: within its time a list goes before the scheme', async (t) => {
    const engine = await engineHere();
    const child = await sleeper(t);
    const queue = openQueue(engine);
    queue.replace(String(child.pid), { untilMs: monotonicMs() + 60_000 });
    const report = await killRound(engine, { policy: definePolicy(), queue });
    assert.deepEqual([report.queueStale, report.chosenBy, report.victim?.tgid], [false, 'queue', child.pid]);
  });

  test('queue: a list that nobody is left in is empty, not stale', async (t) => {
    const engine = await engineHere();
    const child = await sleeper(t);
    const queue = openQueue(engine);
    queue.replace(String(child.pid), { untilMs: monotonicMs() - 1 });
    const taken = queue.take()!;
    assert.equal(taken.tgid, child.pid, 'whoever takes looks at the time himself');
    closeSync(taken.handle);
    const report = await killRound(engine, { policy: definePolicy(), queue });
    assert.deepEqual([report.queueStale, report.chosenBy], [false, 'scheme']);
  });
});
