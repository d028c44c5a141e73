// What a subtree is charged where several processes map the same pages: shared memory, one address space, copies after a fork.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChargeScene, pages } from './support/charge-scene.js';

const gone = Object.assign(new Error('gone'), { code: 'ESRCH' });

test('subtree charge: shared memory counts once: as large as the largest maps it where parts are not told', (t) => {
  const tasks = [111, 112, 113].map((pid) => ({ pid, rss: pages(400), shmem: pages(400) }));
  const scene = new ChargeScene(t, [...tasks, { pid: 114, rss: pages(450), shmem: pages(450) }]);
  assert.equal(scene.chargeMib(), 450);
});

test('subtree charge: of shared memory everybody is charged his part, together never less than the largest', (t) => {
  const tasks = [111, 112, 113].map((pid) => ({ pid, rss: pages(400), shmem: pages(400) }));
  const scene = new ChargeScene(t, tasks);
  // 111 and 112 map the same, 113 something of its own.
  scene.rollup(111, 0, 200);
  scene.rollup(112, 0, 200);
  scene.rollup(113, 0, 400);
  // One large one is measured a reading.
  assert.deepEqual([scene.chargeMib(), scene.chargeMib(), scene.chargeMib()], [400, 400, 800]);
  scene.put({ pid: 113, rss: pages(450), shmem: pages(450) });
  assert.equal(scene.chargeMib(), 850, 'growth is its own until it is measured again');
  for (const pid of [111, 112, 113]) scene.rollup(pid, 0, 100);
  for (let reading = 0; reading < 18; ++reading) scene.chargeMib();
  assert.equal(scene.chargeMib(), 450, 'mapped by others outside: as if all of it were ours');
});

test('subtree charge: parts are not read while the budget is far', (t) => {
  const scene = new ChargeScene(t, [{ pid: 111, rss: pages(200), shmem: pages(200) }]);
  scene.rollup(111, 0, 10);
  scene.put({ pid: 112, rss: pages(200), shmem: pages(200) });
  assert.equal(scene.chargeMib(), 400, 'more than the truth, and little enough');
});

test('subtree charge: who shares an address space is charged once, by kcmp', (t) => {
  const same = { rss: pages(300), vm: pages(400) };
  const asked: string[] = [];
  const sharesVm = (a: number, b: number) => {
    asked.push(`${a} ${b}`);
    if (a === 113) throw gone;
    return a !== 112;
  };
  const scene = new ChargeScene(
    t,
    [110, 111, 112, 113].map((pid) => ({ pid, ...same })),
    { sharesVm },
  );
  assert.equal(scene.chargeMib(), 900, '111 shares with 110; 112 does not, 113 is not told');
  assert.deepEqual(asked, ['111 110', '112 110', '113 110']);
});

test('subtree charge: an error that is not of the kernel is not taken for an answer', (t) => {
  const wrong = () => {
    throw new TypeError('wrong');
  };
  const scene = new ChargeScene(
    t,
    [110, 111].map((pid) => ({ pid, rss: pages(3), vm: 1000 })),
    { sharesVm: wrong },
  );
  assert.throws(() => scene.reader.read(), TypeError);
});

test('subtree charge: without kcmp, parent and child of the very same size are charged once, others not', (t) => {
  const scene = new ChargeScene(t, [
    { pid: 109, rss: pages(300), vm: 90_000 },
    { pid: 110, rss: pages(300), vm: 90_000 },
    { pid: 111, rss: pages(300), vm: 90_000, ppid: 110 },
    { pid: 112, rss: pages(300), vm: 90_000 },
  ]);
  assert.equal(scene.chargeMib(), 900);
  scene.put({ pid: 111, rss: pages(301), vm: 90_000, ppid: 110 });
  assert.equal(scene.chargeMib(), 1201);
});

test('subtree charge: between fork and execve a child is its parent once more, and is charged nothing', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(600), vm: 200_000 }]);
  const child = { pid: 111, ppid: 110, vm: 199_000, start: 500_000 };
  scene.proc.machine({ uptimeS: 5000.1 });
  scene.put({ ...child, rss: pages(590) });
  assert.equal(scene.chargeMib(), 600);
  scene.put({ ...child, vm: 3000, rss: pages(8) });
  assert.equal(scene.chargeMib(), 608, 'it became something else');
  scene.put({ ...child, rss: pages(590) });
  scene.proc.machine({ uptimeS: 5000.24 });
  assert.equal(scene.chargeMib(), 600);
  scene.proc.machine({ uptimeS: 5000.25 });
  assert.equal(scene.chargeMib(), 1190, 'too old for that, and of a program of its own');
});

test('subtree charge: who started in this very tick is young, however its number is rounded', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(600), vm: 200_000 }]);
  // 5001.15 · 100 is less than 500115 for a computer.
  scene.proc.machine({ uptimeS: 5001.15 });
  scene.put({ pid: 111, ppid: 110, vm: 199_000, start: 500_115, rss: pages(590) });
  assert.equal(scene.chargeMib(), 600);
});

test('subtree charge: where the uptime is another machine’s, nobody is young', (t) => {
  const scene = new ChargeScene(t, [{ pid: 110, rss: pages(600), vm: 200_000 }]);
  scene.proc.machine({ uptimeS: 3 });
  scene.put({ pid: 111, ppid: 110, vm: 199_000, rss: pages(590) });
  assert.equal(scene.chargeMib(), 1190);
});

test('subtree charge: a copy that goes on as one is charged its part of the pages, and so is its parent', (t) => {
  const like = { vm: 200_000, stack: 7, rss: pages(600) };
  const scene = new ChargeScene(t, [
    { pid: 110, ...like },
    { pid: 111, ppid: 110, ...like, rss: pages(580) },
    { pid: 112, ppid: 110, ...like, rss: pages(500), stack: 8 },
  ]);
  scene.rollup(110, 320, 0);
  scene.rollup(111, 290, 0);
  // 112 is another program of the same size.
  assert.equal(scene.chargeMib(), 600 + 500, 'all of it is the parent’s, until both were measured');
  assert.equal(scene.chargeMib(), 320 + 290 + 500);
  scene.put({ pid: 111, ppid: 110, ...like, rss: pages(680) });
  assert.equal(scene.chargeMib(), 320 + 390 + 500, 'what it took since then is its own');
  scene.rollup(111, 560, 0);
  for (let reading = 0; reading < 16; ++reading) scene.chargeMib();
  assert.equal(scene.chargeMib(), 320 + 560 + 500, 'it is measured again: it has written to its pages');
  scene.proc.end(111);
  scene.rollup(110, 600, 0);
  assert.equal(scene.chargeMib(), 600 + 500, 'with the copy gone all of them are the parent’s');
});

test('subtree charge: a new copy is charged nothing until its parent was measured since, and with it', (t) => {
  const like = { vm: 200_000, stack: 7, rss: pages(800) };
  const scene = new ChargeScene(t, [
    { pid: 110, ...like },
    { pid: 111, ppid: 110, ...like, rss: pages(790) },
  ]);
  scene.rollup(110, 400, 0);
  scene.rollup(111, 400, 0);
  scene.chargeMib();
  assert.equal(scene.chargeMib(), 800);
  scene.put({ pid: 112, ppid: 110, ...like, rss: pages(780) });
  for (const pid of [110, 111]) scene.rollup(pid, 267, 0);
  // In the middle of an execve, or of its end: there is nothing to be read, this time.
  scene.proc.file('112/smaps_rollup', '');
  assert.deepEqual([scene.chargeMib(), scene.chargeMib()], [667, 534], 'one large one is measured a reading');
  scene.rollup(112, 266, 0);
  assert.equal(scene.chargeMib(), 800);
});

test('subtree charge: a child that turns out to be a copy counts from when its parent was measured with it', (t) => {
  const like = { vm: 200_000, stack: 7 };
  const scene = new ChargeScene(t, [
    { pid: 110, ...like, rss: pages(800) },
    { pid: 111, ppid: 110, ...like, rss: pages(790) },
  ]);
  for (const pid of [110, 111]) scene.rollup(pid, 400, 0);
  scene.chargeMib();
  assert.equal(scene.chargeMib(), 800);
  scene.proc.machine({ uptimeS: 5000.1 });
  scene.put({ pid: 112, ppid: 110, ...like, start: 500_000, rss: pages(780) });
  for (let reading = 0; reading < 3; ++reading) scene.chargeMib();
  assert.equal(scene.chargeMib(), 800, 'it is young');
  for (const pid of [110, 111, 112]) scene.rollup(pid, 270, 0);
  scene.proc.machine({ uptimeS: 5000.3 });
  assert.deepEqual([scene.chargeMib(), scene.chargeMib()], [800, 270 + 400 + 270]);
});

test('subtree charge: a copy whose part is not told is charged in full', (t) => {
  const like = { vm: 200_000, stack: 7, rss: pages(600) };
  const scene = new ChargeScene(t, [
    { pid: 110, ...like },
    { pid: 111, ppid: 110, ...like, rss: pages(580) },
  ]);
  scene.proc.file('110/smaps_rollup', 'Rss:  12 kB\nPss:  4 kB\n');
  scene.chargeMib();
  assert.equal(scene.chargeMib(), 1180);
});
