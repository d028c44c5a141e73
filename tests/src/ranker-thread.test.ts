// The ranker in a thread of its own, as it is shipped (dist/linux.js): its lists, its end, and rounds that drain it meanwhile. Dry.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openEngine } from '../../src/engine.js';
import { killRound } from '../../src/linux/kill-round.js';
import { openQueue } from '../../src/linux/queue-tasks.js';
import { definePolicy } from '../../src/policy/index.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const { startRanker } = (await import(
  pathToFileURL(resolve('dist/linux.js')).href
)) as typeof import('../../src/linux/index.js');

const ROUNDS = 60;
const maxTasks = readdirSync('/proc').length + 2048;
const policy = definePolicy({ scheme: 'resident' });
const descriptors = () => readdirSync('/proc/self/fd').length;

describe('ranker: in a thread', { skip }, () => {
  test('ranker: the queue is filled when it has started, and empty when it is closed', async () => {
    const engine = await openEngine({ maxTasks });
    const queue = openQueue(engine);
    const ranker = await startRanker(engine, { policy, count: 3, everyMs: 60_000 });
    assert.ok(queue.count >= 1 && queue.count <= 3, `${queue.count} candidates`);
    assert.match(queue.text(), /^\d+( \d+){0,2}\n$/);
    assert.deepEqual([ranker.counters.refreshes, ranker.counters.failures], [1, 0]);
    assert.ok(Number.isFinite(queue.untilMs));
    await ranker.close();
    await ranker.close();
    assert.equal(queue.text(), '\n');
  });

  test(`ranker: rounds, ${ROUNDS} at least, drain what it writes all the time; no descriptor is lost or closed twice`, async (t) => {
    const engine = await openEngine({ maxTasks });
    const queue = openQueue(engine);
    await killRound(engine, { policy, queue });
    const before = descriptors();
    const ranker = await startRanker(engine, { policy, everyMs: 100, count: 20 });
    const seen = { queue: 0, scheme: 0, stale: 0 };
    // A busy machine gives the two threads their turns late: until both have had some.
    const deadline = Date.now() + 20_000;
    const isRace = () => ranker.counters.refreshes > 5 && seen.queue > 5;
    for (let round = 0; round < ROUNDS || (!isRace() && Date.now() < deadline); ++round) {
      const { chosenBy, queueStale, outcome } = await killRound(engine, { policy, queue });
      assert.ok(['dry', 'gone'].includes(outcome), outcome);
      seen[chosenBy] += 1;
      if (queueStale) seen.stale += 1;
    }
    await ranker.close();
    const raced = isRace();
    const { refreshes, failures, lastError } = ranker.counters;
    t.diagnostic(JSON.stringify({ ...seen, refreshes }));
    assert.deepEqual([failures, lastError], [0, null]);
    assert.ok(raced, 'it was a race');
    assert.equal(descriptors(), before);
  });

  test('ranker: what cannot be meant is refused, and leaves no thread behind', async () => {
    const engine = await openEngine({ maxTasks: 64 });
    await assert.rejects(startRanker(engine, { policy, count: 0 }), RangeError);
    await assert.rejects(startRanker(engine, { policy, everyMs: 19 }), RangeError);
    await assert.rejects(startRanker(engine, { policy, thread: 16 }), RangeError);
    await assert.rejects(startRanker(engine, { policy: { ...policy, domain: { memcg: '/no/such' } } }), {
      code: 'EDOMAIN',
    });
    const baseline = await openEngine({ maxTasks: 64, build: 'baseline' });
    await assert.rejects(startRanker(baseline, { policy }), { code: 'ENOTSUP' });
  });
});
