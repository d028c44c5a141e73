// The ranker in a thread of its own, as it is shipped (dist/linux.js): its lists, its end, and rounds that drain it meanwhile. Dry.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openEngine } from '../../src/engine.js';
import { killRound } from '../../src/linux/kill-round.js';
import { openQueue } from '../../src/linux/queue-tasks.js';
import { definePolicy } from '../../src/policy/index.js';
import { settle } from './support/manual-clock.js';
import { PATIENCE_MS } from './support/patience.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const { startRanker } = (await import(
  pathToFileURL(resolve('dist/linux.js')).href
)) as typeof import('../../src/linux/index.js');

const ROUNDS = 30;
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

  test('ranker: the rules of its policy count, and one that is refused leaves nothing open', async () => {
    const engine = await openEngine({ maxTasks });
    const nobody = definePolicy({ ...policy, rules: [{ comm: '*', never: true }] });
    const ranker = await startRanker(engine, { policy: nobody, everyMs: 60_000 });
    assert.deepEqual([ranker.counters.refreshes, ranker.counters.failures, ranker.counters.queued], [1, 0, 0]);
    await ranker.close();
    const before = descriptors();
    await assert.rejects(startRanker(engine, { policy, count: 0 }), RangeError);
    // The thread has descriptors of its own until it has ended.
    for (const end = Date.now() + PATIENCE_MS; descriptors() > before && Date.now() < end; ) await pause(10);
    assert.equal(descriptors(), before);
  });

  test(`ranker: ${ROUNDS} rounds drain what it writes all the time; no descriptor is lost or closed twice`, async (t) => {
    const engine = await openEngine({ maxTasks });
    const queue = openQueue(engine);
    await killRound(engine, { policy, queue });
    const before = descriptors();
    const ranker = await startRanker(engine, { policy, everyMs: 50, count: 20 });
    const seen = { queue: 0, scheme: 0, stale: 0 };
    // On a busy machine a ranking may take longer than its list counts: then more rounds are needed for a race.
    const end = Date.now() + PATIENCE_MS;
    const isRace = () => seen.queue > 5 && ranker.counters.refreshes > 5;
    for (let round = 0; round < ROUNDS || (!isRace() && Date.now() < end); ++round) {
      const { chosenBy, queueStale, outcome } = await killRound(engine, { policy, queue });
      // Somebody on this machine may be ending at that moment, and is waited for.
      assert.ok(['dry', 'gone', 'in-flight'].includes(outcome), outcome);
      seen[chosenBy] += 1;
      if (queueStale) seen.stale += 1;
      // The counters come by message.
      await settle();
    }
    await ranker.close();
    const { refreshes, failures, lastError } = ranker.counters;
    t.diagnostic(JSON.stringify({ ...seen, refreshes }));
    assert.deepEqual([failures, lastError], [0, null]);
    assert.ok(isRace(), 'it was a race');
    assert.equal(descriptors(), before);
  });

  test('ranker: a guard in another thread takes what it wrote, and Node has nothing to say about the descriptor', async () => {
    const entry = (name: string) => JSON.stringify(pathToFileURL(resolve(`dist/${name}.js`)).href);
    // Only a failed allocation begins a round.
    const code = `
      const { openQueue, startGuard, startRanker } = await import(${entry('linux')});
      const { definePolicy } = await import(${entry('policy')});
      const term = { available: '0%', swapFree: '0%' };
      const guard = await startGuard({ domain: 'system', thresholds: { term }, keepAlive: true });
      const policy = definePolicy({ scheme: 'resident', domain: 'system' });
      const ranker = await startRanker(guard.engine, { policy, everyMs: 60_000 });
      const queued = openQueue(guard.engine).text();
      guard.on('round', async ({ report }) => {
        // Somebody on this machine was ending at that moment: the round comes again.
        if (report.victim === null) return;
        console.log(report.chosenBy, queued.trim().split(' ').includes(String(report.victim.tgid)));
        await ranker.close();
        await guard.close();
      });
      guard.allocationFailed();`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: PATIENCE_MS });
    assert.deepEqual(await run, { stdout: 'queue true\n', stderr: '' });
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
