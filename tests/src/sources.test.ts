// The sources that the application feeds, the events of v2, the subscription, and what a suspend is told by.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SuspendWatch } from '../../src/linux/suspend.js';
import { V2EventsSource } from '../../src/linux/v2-events.js';
import { allocationFailures, callerSource } from '../../src/pressure/caller-sources.js';
import type { PressureLevel } from '../../src/pressure/memory-state.js';
import { MemorySubscription } from '../../src/pressure/subscription.js';
import { FileTree, memory } from './support/pressure-fixtures.js';

test('allocation failures: the gate is asked once each, and what it lets through stands until it is forgotten', () => {
  let calls = 0;
  let woken = 0;
  const over: number[] = [];
  const gate = { failed: () => ++calls % 3 === 0, done: (thenMs: number) => over.push(thenMs) };
  const { source, allocationFailed } = allocationFailures(gate, () => woken++);
  assert.deepEqual([allocationFailed(1), allocationFailed(2)], [false, false]);
  assert.equal(source.read(3).level, 'none');
  assert.equal(allocationFailed(4), true);
  assert.equal(woken, 1);
  assert.deepEqual([source.read(5).level, source.read(6).level], ['kill', 'kill'], 'a round looks again');
  assert.equal(source.nextDelayMs(6), Number.POSITIVE_INFINITY);
  source.forget();
  assert.equal(source.read(7).level, 'none');
  source.forget();
  assert.deepEqual(over, [4], 'the gate hears once when its round is over');
});

test("caller's source: a wrong answer and a throw are unreadable, not pressure", () => {
  let answer: unknown = 'term';
  const source = callerSource({
    name: 'mine',
    read() {
      if (answer instanceof Error) throw answer;
      return answer as PressureLevel;
    },
  });
  assert.deepEqual(source.read(0), { level: 'term', error: null });
  answer = 'very';
  assert.deepEqual(source.read(0), { level: 'none', error: 'EBADMSG: mine answered very' });
  answer = new Error('broke');
  assert.deepEqual(source.read(0), { level: 'none', error: 'broke' });
  assert.throws(() => callerSource({ name: 'x', read: () => 'none', everyMs: 0 }), RangeError);
});

test('v2 events: what the kernel counted since the last look, for a second', (t) => {
  const events = (max: number, kills: number) =>
    `low 0\nhigh 0\nmax ${max}\noom ${kills}\noom_kill ${kills}\nnew_key 3\n`;
  const tree = new FileTree(t, { 'g/memory.events': events(5, 2) });
  const source = new V2EventsSource(tree.at('g'), { levels: { max: 'warn', oom: 'kill' } });
  t.after(() => source.close());
  assert.equal(source.read(0).level, 'none', 'of before the source was made');
  tree.write('g/memory.events', events(6, 2));
  assert.equal(source.read(10).level, 'warn');
  assert.match(source.describe(), /max \+1$/);
  assert.equal(source.read(1009).level, 'warn');
  assert.equal(source.read(1010).level, 'none');
  tree.write('g/memory.events', events(6, 3));
  assert.equal(source.read(1020).level, 'kill');
  tree.write('g/memory.events', events(7, 3));
  assert.equal(source.read(1030).level, 'kill', 'less urgent news do not end it');
  tree.write('g/memory.events', 'garbage\n');
  assert.equal(source.read(1040).level, 'none');
});

test('suspend: noticed by boot time running ahead, not by a clock that was set nor by a late thread', () => {
  const clock = { boot: 50_000, mono: 40_000, wall: 1_000_000 };
  const slept: number[] = [];
  const watch = new SuspendWatch((ms) => slept.push(ms), {
    bootMs: () => clock.boot,
    monotonicMs: () => clock.mono,
    wallMs: () => clock.wall,
  });
  const pass = (mono: number, boot: number, wall: number) => {
    clock.mono += mono;
    clock.boot += boot;
    clock.wall += wall;
    return watch.check();
  };
  assert.equal(pass(1000, 1000, 1000), 0);
  assert.equal(pass(90_000, 90_000, 90_000), 0, 'stopped for long, but not suspended');
  assert.equal(pass(1000, 1000, 3_600_000), 0, 'somebody set the clock');
  assert.equal(pass(1000, 31_000, 31_000), 30_000);
  assert.equal(pass(1000, 1000, 1000), 0);
  assert.deepEqual(slept, [30_000]);
});

test('subscription: the newest reading, whole, in this thread', () => {
  const subscription = new MemorySubscription();
  assert.equal(subscription.latest(), null);
  const heard: number[] = [];
  const end = subscription.subscribe((news) => heard.push(news.availableKib));
  for (let index = 1; index <= 20; index++) subscription.publish(memory(1000, index), 'warn', index);
  assert.deepEqual(subscription.latest(), { ...memory(1000, 20), level: 'warn', atMs: 20 });
  end();
  subscription.publish(memory(1000, 21), 'none', 21);
  assert.equal(heard.length, 20);
  assert.equal(subscription.readings, 21);
  assert.equal(new MemorySubscription(subscription.buffer).latest()?.availableKib, 21);
  assert.throws(() => new MemorySubscription(new SharedArrayBuffer(8)), /buffer must have/);
});

test('subscription: a thread that reads while another publishes never sees two readings mixed', async (t) => {
  const subscription = new MemorySubscription();
  // Each field holds the number of the publication: a mixture shows.
  const code = `
    const { workerData } = require('node:worker_threads');
    const count = new Int32Array(workerData, 0, 1), ring = new Float64Array(workerData, 8);
    for (let n = 0; n < 400000; n++) {
      const at = (n % 8) * 7;
      for (let field = 0; field < 7; field++) ring[at + field] = field === 5 ? 0 : n;
      Atomics.add(count, 0, 1); Atomics.notify(count, 0);
    }`;
  const worker = new Worker(code, { eval: true, workerData: subscription.buffer });
  t.after(() => worker.terminate());
  let ended = false;
  worker.once('exit', () => {
    ended = true;
  });
  let looked = 0;
  while (!ended) {
    for (let index = 0; index < 2000; index++) {
      const news = subscription.latest();
      if (news === null) continue;
      looked++;
      const { totalKib, availableKib, basisKib, swapTotalKib, swapFreeKib, atMs } = news;
      assert.ok([availableKib, basisKib, swapTotalKib, swapFreeKib, atMs].every((value) => value === totalKib));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(subscription.readings, 400_000);
  assert.ok(looked > 1000, `${looked} readings`);
});
