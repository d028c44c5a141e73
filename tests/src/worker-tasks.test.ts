// Worker threads as registered tasks: what they hold is sampled, who floods is asked and ended, the others live on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics as heapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { GuardEvent } from '../../src/guard/guard-events.js';
import { registerWorker, reportMemory, type WorkerTaskOptions } from '../../src/guard/worker-tasks.js';
import { definePolicy } from '../../src/policy/index.js';
import { guardRegistered, type RegisteredTask, TaskRegistry } from '../../src/registered/index.js';
import { PATIENCE_MS } from './support/patience.js';

const MIB = 2 ** 20;

async function start(t: TestContext): Promise<Worker> {
  const worker = new Worker(new URL('./support/hoard.worker.js', import.meta.url));
  t.after(() => worker.terminate());
  await once(worker, 'message');
  return worker;
}

/** Tells a worker to hold so much, from now on. */
async function hold(worker: Worker, mib: number): Promise<void> {
  const done = once(worker, 'message');
  worker.postMessage(mib);
  await done;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); ) {
    assert.ok(Date.now() < end, `${what} within ${PATIENCE_MS} ms`);
    await new Promise((later) => setTimeout(later, 10));
  }
}

const mibOf = (task: RegisteredTask) => task.measure() / MIB;

describe('workers as registered tasks', () => {
  test('what its heap and buffers hold is sampled, more and less; it goes when the worker exits', async (t) => {
    const worker = await start(t);
    const registry = new TaskRegistry();
    const task = registerWorker(registry, worker, { name: 'hoard', everyMs: 20 });
    await until('a first sample', () => mibOf(task) > 1);
    assert.ok(mibOf(task) < 60, `${mibOf(task)} MiB`);
    assert.ok(task.cpuMs > 0);
    await hold(worker, 100);
    await until('100 MiB more', () => mibOf(task) >= 100);
    assert.ok(mibOf(task) < 160, `${mibOf(task)} MiB`);
    await hold(worker, 0);
    await until('100 MiB less', () => mibOf(task) < 60);
    await worker.terminate();
    await until('its end', () => !task.registered);
    assert.deepEqual([registry.size, task.measure()], [0, 0]);
  });

  test('the worst is ended when it gives nothing back; the others are not touched', async (t) => {
    const workers = await Promise.all([start(t), start(t)]);
    const registry = new TaskRegistry();
    const asked: string[] = [];
    const options = (name: string): WorkerTaskOptions => ({
      name,
      everyMs: 20,
      shed: ({ hard }) => void asked.push(`${name} ${hard}`),
    });
    const tasks = workers.map((worker, index) => registerWorker(registry, worker, options(`worker ${index}`)));
    const events: GuardEvent[] = [];
    const policy = definePolicy({
      enforce: true,
      domain: { registered: 'workers', budget: '256MiB' },
      escalation: { termMs: 200, stuckMs: 10_000 },
    });
    const guard = await guardRegistered({ policy, registry, tell: (event) => events.push(event) });
    t.after(() => guard.close());
    await hold(workers[0]!, 40);
    await hold(workers[1]!, 180);
    await until('the end of the flood', () => !tasks[1]!.registered);
    await until('a report', () => events.some(({ kind }) => kind === 'round'));
    const [round] = events.filter((event) => event.kind === 'round');
    const { outcome, victim, kill } = round!.report;
    assert.deepEqual(
      [outcome, victim!.comm, kill!.releasedBy, kill!.exited],
      ['released', 'worker 1', 'unregistered', true],
    );
    assert.deepEqual(
      kill!.escalations.map(({ step }) => step).filter((step, at, all) => all.indexOf(step) === at),
      asked.length > 0 ? ['shed', 'kill'] : ['kill'],
    );
    assert.ok(
      asked.every((words) => words === 'worker 1 false'),
      asked.join(),
    );
    assert.ok(tasks[0]!.registered && mibOf(tasks[0]!) >= 40);
    await hold(workers[0]!, 1);
  });

  test('without a shed of its own being asked is its end', async (t) => {
    const worker = await start(t);
    const registry = new TaskRegistry();
    const task = registerWorker(registry, worker, { name: 'hoard', everyMs: 20 });
    const policy = definePolicy({ enforce: true, domain: { registered: 'workers', budget: '64MiB' } });
    const guard = await guardRegistered({ policy, registry });
    t.after(() => guard.close());
    await hold(worker, 50);
    await until('its end', () => !task.registered);
  });

  test('one that does not run yet when it is first asked is asked again', async (t) => {
    const worker = await start(t);
    let asked = 0;
    const notYet = Object.assign(new Error('Worker instance not running'), { code: 'ERR_WORKER_NOT_RUNNING' });
    // Node 22.16, 24 and later; the answer is that of a real heap.
    const getHeapStatistics = async () => {
      if (asked++ === 0) throw notYet;
      return heapStatistics();
    };
    const task = registerWorker(new TaskRegistry(), Object.assign(worker, { getHeapStatistics }), {
      name: 'young',
      everyMs: 20,
    });
    await until('a first sample', () => mibOf(task) > 1);
    assert.ok(asked >= 2);
  });

  test('a pace that is none, and a worker that has exited, are refused', async (t) => {
    const worker = await start(t);
    const registry = new TaskRegistry();
    for (const everyMs of [0, 60_001, Number.NaN]) {
      assert.throws(() => registerWorker(registry, worker, { name: 'w', everyMs }), RangeError);
      assert.throws(() => reportMemory({ everyMs }), RangeError);
    }
    await worker.terminate();
    assert.throws(() => registerWorker(registry, worker, { name: 'w' }), /worker w must be running/);
    assert.equal(registry.size, 0);
  });

  test('neither side keeps its thread alive', async () => {
    const entry = JSON.stringify(pathToFileURL(resolve('dist/workers.js')).href);
    const code = `
      const { Worker } = require('node:worker_threads');
      Promise.all([import(${entry}), import(${JSON.stringify(pathToFileURL(resolve('dist/registered.js')).href)})]).then(
        ([{ registerWorker }, { TaskRegistry }]) => {
          const worker = new Worker('import(${entry.replaceAll('"', '\\"')}).then(({ reportMemory }) => reportMemory())', { eval: true });
          registerWorker(new TaskRegistry(), worker, { name: 'short' });
        });`;
    const outer = new Worker(code, { eval: true });
    const [status] = await Promise.race([
      once(outer, 'exit'),
      new Promise<never>((_, late) => setTimeout(late, PATIENCE_MS, new Error('it does not end')).unref()),
    ]);
    assert.equal(status, 0);
  });
});
