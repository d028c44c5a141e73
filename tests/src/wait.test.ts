// One interface, two bodies: both end by time, by wake(), and by what each can notice.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadNative, type Native, POLLIN } from '../../src/linux/native.js';
import { createWaiter, type Waiter } from '../../src/linux/wait.js';
import type { WakeUp } from '../../src/pressure/pressure.js';
import { FileTree } from './support/pressure-fixtures.js';

const load = await loadNative();
const noNative = load.native ? false : `no native calls: ${load.reason}`;
const LONG_MS = 60_000; // a wait that is not ended early fails by the test's own timeout

const bodies: { name: string; skip: string | false; make: () => Waiter }[] = [
  { name: 'poll', skip: noNative, make: () => createWaiter(load.native) },
  { name: 'timers', skip: false, make: () => createWaiter(null) },
];

/** Something that is never ready, so that the poll body really polls. */
function silent(native: Native | null): { wakeUp: WakeUp; close(): void } {
  const fd = native?.eventfd() ?? -1;
  return { wakeUp: { fd, events: POLLIN, path: null, onReady: () => {} }, close: () => native?.close(fd) };
}

for (const { name, skip, make } of bodies) {
  test(`wait ${name}: ends by time`, { skip }, async (t) => {
    const waiter = make();
    const nothing = silent(load.native);
    t.after(() => {
      waiter.close();
      nothing.close();
    });
    assert.equal(waiter.body, name);
    assert.equal(await waiter.wait([], 5), 'time');
    assert.equal(await waiter.wait([nothing.wakeUp], 5), 'time');
    assert.equal(waiter.waitSync([nothing.wakeUp], 5), 'time');
    assert.equal(await waiter.wait([], 0), 'time');
  });

  test(`wait ${name}: wake ends the wait under way, or the next one, once`, { skip, timeout: 120_000 }, async (t) => {
    const waiter = make();
    const nothing = silent(load.native);
    t.after(() => {
      waiter.close();
      nothing.close();
    });
    for (const wakeUps of [[], [nothing.wakeUp]]) {
      const waiting = waiter.wait(wakeUps, LONG_MS);
      waiter.wake();
      waiter.wake();
      assert.equal(await waiting, 'woken');
      // Two calls before anybody looked are one.
      assert.equal(await waiter.wait(wakeUps, 5), 'time');
      waiter.wake();
      assert.equal(await waiter.wait(wakeUps, LONG_MS), 'woken');
      waiter.wake();
      assert.equal(waiter.waitSync(wakeUps, LONG_MS), 'woken');
      assert.equal(waiter.waitSync(wakeUps, 1), 'time');
    }
  });

  test(`wait ${name}: infinity is no overflow`, { skip, timeout: 120_000 }, async (t) => {
    const waiter = make();
    t.after(() => waiter.close());
    const waiting = waiter.wait([], Number.POSITIVE_INFINITY);
    const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 30, 'still asleep'))]);
    assert.equal(early, 'still asleep');
    waiter.wake();
    assert.equal(await waiting, 'woken');
  });

  test(`wait ${name}: closing twice and under way is allowed`, { skip, timeout: 120_000 }, async () => {
    const waiter = make();
    const nothing = silent(load.native);
    const waiting = waiter.wait([nothing.wakeUp], LONG_MS);
    waiter.close();
    waiter.close();
    assert.equal(await waiting, 'woken');
    waiter.wake();
    // Those that sleep by a timer, too.
    for (const wakeUps of [[], [{ ...nothing.wakeUp, patient: true }]]) {
      const another = make();
      const sleeping = another.wait(wakeUps, 100);
      another.close();
      assert.equal(await sleeping, 'woken');
    }
    nothing.close();
  });

  test(`wait ${name}: another thread ends a blocked wait`, { skip, timeout: 120_000 }, async (t) => {
    const waiter = make();
    t.after(() => waiter.close());
    const code = `
      const { workerData: { handle, asked } } = require('node:worker_threads');
      Atomics.wait(new Int32Array(asked), 0, 0);
      if ('cell' in handle) { const cell = new Int32Array(handle.cell); Atomics.store(cell, 0, 1); Atomics.notify(cell, 0); }
      else require('node:fs').writeSync(handle.eventfd, new Uint8Array(new BigUint64Array([1n]).buffer));`;
    const asked = new SharedArrayBuffer(4);
    const worker = new Worker(code, { eval: true, workerData: { handle: waiter.handle, asked } });
    t.after(() => worker.terminate());
    await new Promise((resolve) => worker.once('online', resolve));
    Atomics.store(new Int32Array(asked), 0, 1);
    Atomics.notify(new Int32Array(asked), 0);
    assert.equal(waiter.waitSync([], LONG_MS), 'woken');
  });
}

test('wait poll: tells which descriptor was ready, async and blocking', {
  skip: noNative,
  timeout: 120_000,
}, async (t) => {
  const native = load.native!;
  const waiter = createWaiter(native);
  const fds = [native.eventfd(), native.eventfd()];
  t.after(() => {
    waiter.close();
    for (const fd of fds) native.close(fd);
  });
  const ready: string[] = [];
  const into = new Uint8Array(8);
  const wakeUps = fds.map((fd, index) => ({
    fd,
    events: POLLIN,
    path: null,
    onReady(revents: number) {
      native.read(fd, into);
      ready.push(`${index}:${revents}`);
    },
  }));
  native.wake(fds[1]!);
  assert.equal(await waiter.wait(wakeUps, LONG_MS), 'ready');
  native.wake(fds[0]!);
  native.wake(fds[1]!);
  assert.equal(waiter.waitSync(wakeUps, LONG_MS), 'ready');
  assert.deepEqual(ready, ['1:1', '0:1', '1:1']);
  assert.equal(await waiter.wait(wakeUps, 1), 'time', 'what was taken is not ready any more');
});

test('wait poll: patient ones are found when a short sleep ends, and at once in a long one', {
  skip: noNative,
  timeout: 120_000,
}, async (t) => {
  const native = load.native!;
  const waiter = createWaiter(native);
  const fd = native.eventfd();
  t.after(() => {
    waiter.close();
    native.close(fd);
  });
  let ready = 0;
  const onReady = () => {
    native.read(fd, new Uint8Array(8));
    ready++;
  };
  const wakeUps = [{ fd, events: POLLIN, path: null, patient: true, onReady }];
  native.wake(fd);
  assert.equal(await waiter.wait(wakeUps, 5), 'ready');
  const waiting = waiter.wait(wakeUps, LONG_MS);
  native.wake(fd);
  assert.equal(await waiting, 'ready');
  assert.equal(ready, 2);
  waiter.wake();
  assert.equal(await waiter.wait(wakeUps, 150), 'woken');
  assert.equal(await waiter.wait(wakeUps, 5), 'time');
});

test('wait timers: a changed file ends the wait, and one that changed between two waits ends the next', {
  timeout: 120_000,
}, async (t) => {
  const tree = new FileTree(t, { events: 'oom 0\n' });
  const waiter = createWaiter(null);
  t.after(() => waiter.close());
  let ready = 0;
  const wakeUp = { fd: -1, events: 0, path: tree.at('events'), onReady: () => void ready++ };
  assert.equal(await waiter.wait([wakeUp], 1), 'time');
  const waiting = waiter.wait([wakeUp], LONG_MS);
  appendFileSync(tree.at('events'), 'oom 1\n');
  assert.equal(await waiting, 'ready');
  assert.equal(ready, 1);
  appendFileSync(tree.at('events'), 'oom 2\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await waiter.wait([wakeUp], LONG_MS), 'ready');
  // A file that cannot be watched is no error: its source is sampled.
  assert.equal(await waiter.wait([{ ...wakeUp, path: tree.at('none') }], 1), 'time');
});
