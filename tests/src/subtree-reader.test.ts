// What a subtree is charged of its budget, from figures as /proc shows them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SubtreeReader } from '../../src/linux/subtree-reader.js';
import { ChargeScene, pages, ROOT } from './support/charge-scene.js';

test('subtree charge: anonymous memory, swap and page tables of the root and its members, no files, no strangers', (t) => {
  const scene = new ChargeScene(t, [
    { pid: ROOT, ppid: 1, start: 1000, vm: 99_999, rss: pages(20), shared: pages(5), pte: 1024 },
    { pid: 110, rss: pages(100), shared: pages(40), swap: pages(7), pte: 2048 },
    { pid: 111, ppid: 110, rss: pages(10) },
    { pid: 112, ppid: 1, rss: pages(500) },
  ]);
  assert.equal(scene.chargeMib(), 15 + 1 + 60 + 7 + 2 + 10);
  const { totalKib, basisKib, swapTotalKib, swapFreeKib } = scene.reader.read();
  assert.deepEqual([totalKib, basisKib, swapTotalKib, swapFreeKib], [1_024_000, 1_024_000, 0, 0]);
});

test('subtree charge: page tables of the second level count where the kernel tells them apart', (t) => {
  const task = { pid: 110, rss: pages(10), vm: 3000, pte: 1024 };
  const scene = new ChargeScene(t, [task]);
  const text = readFileSync(join(scene.proc.root, '110/status'), 'latin1');
  scene.proc.file('110/status', text.replace('VmSwap:', 'VmPMD:\t    2048 kB\nVmSwap:'));
  assert.equal(scene.chargeMib(), 13);
});

test('subtree charge: beyond the budget nothing is available', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(1500) }]);
  assert.equal(scene.chargeMib(), 1500);
  assert.equal(scene.reader.read().availableKib, 0);
});

test('subtree charge: members come and go between readings', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(10) }]);
  assert.equal(scene.chargeMib(), 10);
  scene.put({ pid: 111, rss: pages(20) });
  assert.equal(scene.chargeMib(), 30);
  scene.proc.end(110);
  assert.equal(scene.chargeMib(), 20);
});

test('subtree charge: growth is seen at once; what has left may be in swap and counts until status is read again', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(100) }]);
  assert.equal(scene.chargeMib(), 100);
  scene.put({ pid: 110, rss: pages(300) });
  assert.equal(scene.chargeMib(), 300);
  scene.put({ pid: 110, rss: pages(80), swap: pages(10) });
  assert.equal(scene.chargeMib(), 100);
  for (let reading = 0; reading < 13; ++reading) assert.equal(scene.chargeMib(), 100);
  assert.equal(scene.chargeMib(), 90);
});

test('subtree charge: near the budget every status that may have changed is read', (t) => {
  const scene = new ChargeScene(t, [
    { pid: 110, rss: pages(700) },
    { pid: 111, rss: pages(100) },
  ]);
  scene.chargeMib();
  scene.put({ pid: 110, rss: pages(650), swap: pages(20) });
  assert.equal(scene.chargeMib(), 770);
  // Nothing in statm tells of page tables.
  scene.put({ pid: 111, rss: pages(100), pte: 1024 });
  assert.equal(scene.chargeMib(), 770);
  for (let reading = 0; reading < 14; ++reading) scene.chargeMib();
  assert.equal(scene.chargeMib(), 771);
});

test('subtree charge: growth of shared memory is seen at once, and taken for files only where status says so', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(50), shmem: pages(50) }]);
  assert.equal(scene.chargeMib(), 50);
  scene.put({ pid: 110, rss: pages(900), shmem: pages(900) });
  assert.equal(scene.chargeMib(), 900);
  scene.put({ pid: 110, rss: pages(960), shared: pages(960), shmem: pages(900) });
  assert.equal(scene.chargeMib(), 900);
});

test('subtree charge: a process whose leader has ended is charged what its threads hold, a zombie nothing', (t) => {
  const scene = new ChargeScene(t, [
    { pid: 110, state: 'Z', threads: 2, mm: false },
    { pid: 120, state: 'Z', threads: 1, mm: false },
  ]);
  for (const tid of [110, 111, 112]) mkdirSync(join(scene.proc.root, `110/task/${tid}`), { recursive: true });
  scene.proc.put({ pid: 110, state: 'Z', mm: false }, '110/task/110');
  scene.proc.put({ pid: 111, rss: pages(720), vm: 200_000 }, '110/task/111');
  mkdirSync(join(scene.proc.root, '120/task/120'), { recursive: true });
  assert.equal(scene.chargeMib(), 720);
  scene.proc.put({ pid: 111, rss: pages(750), vm: 200_000 }, '110/task/111');
  assert.equal(scene.chargeMib(), 750);
});

test('subtree charge: the root gone, there is nothing to be read, by name', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(10) }]);
  scene.chargeMib();
  scene.proc.end(ROOT);
  assert.throws(() => scene.reader.read(), { code: 'ESRCH', message: /the subtree is root_gone: process 100/ });
});

test('subtree charge: a budget that is none is refused', (t) => {
  const { members } = new ChargeScene(t, []);
  for (const budget of [0, -1, 2 ** 20 - 1, 1.5e6 + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => new SubtreeReader(members, budget),
      /RangeError: budgetBytes must be a whole number from 1048576/,
    );
  }
});
