import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CandidateQueue, type QueueAbi, type TaskHandles } from '../../src/queue.js';
import { releaseBuilds, windowAt } from './support/builds.js';
import { COUNTERS, DISORDER, DONE, FOREIGN, pause, type QueueRaceData, TAKEN } from './support/queue-race.js';

const LISTS = 10_000;
const LIST_MOST = 40;
const PIDS = LISTS * LIST_MOST + 100;

/** One writer replaces lists of new pids all the time; each pid must end up taken or closed, exactly once. */
async function race(drainers: number) {
  const { abi, memory } = releaseBuilds.find((build) => build.name === 'shared')!.open(1);
  const cells = new SharedArrayBuffer(4 * COUNTERS);
  const marks = new SharedArrayBuffer(PIDS);
  const counters = new Int32Array(cells);
  const seen = new Uint8Array(marks);
  const url = new URL('./queue-race.worker.js', import.meta.url);
  const threads = Array.from({ length: drainers }, (_, index) => {
    const workerData: QueueRaceData = { memory, thread: index + 1, cells, marks };
    const worker = new Worker(url, { workerData });
    return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
  });

  let closed = 0;
  const tasks: TaskHandles = {
    open: (pid) => ({ tgid: pid, handle: pid + 1 }),
    isAlive: () => true,
    close: (handle) => {
      Atomics.add(seen, handle - 1, 1);
      closed++;
    },
  };
  const queue = new CandidateQueue({ abi: abi as unknown as QueueAbi, memory, window: windowAt(0) }, tasks);
  let next = 2;
  let printed = 0;

  for (let list = 0; list < LISTS; list++) {
    const length = list === 0 ? LIST_MOST : Math.floor(Math.random() * LIST_MOST);
    const pids = Array.from({ length }, () => next++);
    queue.replace(pids.join(' '));
    // Only once the drainers are there: a writer alone is no race.
    if (list === 0) while (Atomics.load(counters, TAKEN) < length) pause(1);
    if (Math.random() < 0.05) {
      const text = queue.text();
      assert.ok(pids.join(' ').endsWith(text.trimEnd()), 'a print is the rest of the list in force');
      printed++;
    }
    if (Math.random() < 0.02) pause(Math.random() / 10);
  }
  Atomics.store(counters, DONE, 1);
  assert.deepEqual(await Promise.all(threads), Array(drainers).fill(0));
  queue.replace('');
  return { written: next - 2, closed, printed, counters, marks: seen.subarray(2, next) };
}

describe('queue: one writer that replaces, drainers on other threads', () => {
  for (const drainers of [1, 3]) {
    test(`${LISTS} lists, ${drainers} drainers: nothing lost, nothing twice, nothing stale, in order`, async (t) => {
      const { written, closed, counters, marks, printed } = await race(drainers);
      const taken = counters[TAKEN]!;
      t.diagnostic(JSON.stringify({ written, taken, closed, printed }));
      assert.equal(counters[DISORDER], 0, 'a drainer never goes back to an older entry');
      assert.equal(counters[FOREIGN], 0, 'an entry is read whole');
      assert.equal(taken + closed, written);
      assert.ok(marks.every((times) => times === 1));
      assert.ok(taken > 100 && closed > 100, 'it was a race');
    });
  }
});
