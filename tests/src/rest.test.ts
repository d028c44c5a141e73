// A wait that may block: as long as the event loop can do without a turn, and no longer than it has nothing to do.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadNative, type Native, type PollRequest } from '../../src/linux/native.js';
import { createWaiter } from '../../src/linux/wait.js';
import { ownFolder } from './support/own-folder.js';
import { PATIENCE_MS } from './support/patience.js';

const load = await loadNative();
const skip = load.native?.eventLoop ? false : `no event loop to poll: ${load.reason}`;
const LOOP_FD = 99;

/** Native calls that never sleep. `blocked`: the timeouts of the polls that the event loop took part in. */
function fakeNative() {
  const fake = { restMs: -1, ready: null as number[] | null, blocked: [] as number[] };
  const poll = (requests: readonly PollRequest[], timeoutMs: number) => {
    if (requests.at(-1)!.fd !== LOOP_FD) return null;
    fake.blocked.push(timeoutMs);
    return fake.ready;
  };
  const native = {
    eventLoop: { fd: LOOP_FD, restMs: () => fake.restMs },
    eventfd: () => 7,
    pollSet: (requests: readonly PollRequest[]) => ({ poll: (timeoutMs: number) => poll(requests, timeoutMs) }),
    read: () => 8,
    wake() {},
    close() {},
  } as unknown as Native;
  return { fake, native };
}

function restless(t: TestContext) {
  const { fake, native } = fakeNative();
  const waiter = createWaiter(native, { blocks: true });
  t.after(() => waiter.close());
  return { fake, waiter };
}

test('rest: the event loop has its turn first, and then once in two seconds', async (t) => {
  const { fake, waiter } = restless(t);
  await waiter.rest([], 1);
  assert.deepEqual(fake.blocked, [], 'a turn');
  for (const ms of [800, 800, 350]) assert.equal(await waiter.rest([], ms), 'time');
  assert.deepEqual(fake.blocked, [800, 800, 350]);
  await waiter.rest([], 60);
  assert.deepEqual(fake.blocked.splice(0), [800, 800, 350], '60 ms more would be more than two seconds');
  await waiter.rest([], 2000);
  assert.deepEqual(fake.blocked, [2000]);
});

test('rest: no longer than until the next timer of the loop, and not at all while it has work', async (t) => {
  const { fake, waiter } = restless(t);
  fake.restMs = 30;
  await waiter.rest([], 1);
  await waiter.rest([], 20);
  await waiter.rest([], 11);
  assert.deepEqual(fake.blocked.splice(0), [20]);
  fake.restMs = 0;
  await waiter.rest([], 31);
  await waiter.rest([], 1);
  assert.deepEqual(fake.blocked, []);
});

test('rest: work for the loop ends it, and is done before it blocks again', async (t) => {
  const { fake, waiter } = restless(t);
  await waiter.rest([], 1);
  fake.ready = [0, 1];
  assert.equal(await waiter.rest([], 100), 'time');
  assert.equal(await waiter.rest([], 1), 'time');
  assert.deepEqual(fake.blocked, [100]);
  await waiter.rest([], 100);
  assert.deepEqual(fake.blocked, [100, 100]);
});

test('rest: after a wait that did not block the loop is asked anew', async (t) => {
  const { fake, waiter } = restless(t);
  await waiter.rest([], 1);
  fake.restMs = 0;
  await waiter.wait([], 1);
  await waiter.rest([], 1);
  assert.deepEqual(fake.blocked, []);
});

test('rest: wake-ups and wake end it as they end a wait', async (t) => {
  const { fake, waiter } = restless(t);
  const ready: number[] = [];
  const wakeUps = [{ fd: 8, events: 1, path: null, patient: true, onReady: (revents: number) => ready.push(revents) }];
  await waiter.rest(wakeUps, 1);
  fake.ready = [0, 1, 0];
  assert.equal(await waiter.rest(wakeUps, 100), 'ready');
  assert.deepEqual(ready, [1]);
  fake.ready = [1, 0, 0];
  assert.equal(await waiter.rest(wakeUps, 100), 'woken');
});

test('rest: without leave, or without native calls, it never blocks', async (t) => {
  const { fake, native } = fakeNative();
  for (const waiter of [createWaiter(native), createWaiter(null, { blocks: true })]) {
    t.after(() => waiter.close());
    for (let time = 0; time < 3; time++) assert.equal(await waiter.rest([], 1), 'time');
  }
  assert.deepEqual(fake.blocked, []);
});

/** A busy machine is late now and then; what cannot be in time never is. */
const TRIES = 8;

test('rest: a client is served at once though the thread is blocked', { skip, timeout: PATIENCE_MS }, async (t) => {
  const path = join(ownFolder(t), 'rest.sock');
  const server = createServer((socket) => socket.end('served')).listen(path);
  await once(server, 'listening');
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.on('message', () => setTimeout(() => {
      const asked = performance.now();
      require('node:net').connect(workerData).on('data', () => parentPort.postMessage(performance.now() - asked));
    }, 200));`;
  const worker = new Worker(code, { eval: true, workerData: path });
  const waiter = createWaiter(load.native, { blocks: true });
  t.after(async () => {
    waiter.close();
    server.close();
    await worker.terminate();
  });
  let tookMs = -1;
  worker.on('message', (ms: number) => {
    tookMs = ms;
  });
  for (let left = TRIES; tookMs < 0 || tookMs >= 600; --left) {
    assert.ok(left > 0, `${tookMs} ms at last, of a rest of 900`);
    tookMs = -1;
    // From the turn on it blocks, for two seconds at most.
    await waiter.wait([], 1);
    await waiter.rest([], 1);
    worker.postMessage('ask');
    while (tookMs < 0) await waiter.rest([], 900);
  }
});

test('rest: timers of others are not late', { skip, timeout: PATIENCE_MS }, async (t) => {
  const waiter = createWaiter(load.native, { blocks: true });
  t.after(() => waiter.close());
  let tookMs = Number.POSITIVE_INFINITY;
  for (let left = TRIES; tookMs >= 700; --left) {
    assert.ok(left > 0, `${tookMs} ms at last instead of 250`);
    await waiter.rest([], 1);
    const began = performance.now();
    tookMs = -1;
    setTimeout(() => {
      tookMs = performance.now() - began;
    }, 250);
    // Known to the loop from its next turn on.
    await waiter.wait([], 1);
    while (tookMs < 0) await waiter.rest([], 100);
  }
});

test('rest: the loop of a worker cannot be polled, so it does not block', { skip, timeout: 60_000 }, async () => {
  const worker = new Worker(new URL('./support/event-loop.worker.js', import.meta.url));
  const [loop] = await once(worker, 'message');
  assert.equal(loop, null);
});
