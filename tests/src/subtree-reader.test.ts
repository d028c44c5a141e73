// What a subtree is charged of its budget, from figures as /proc shows them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SubtreeMembers } from '../../src/linux/subtree.js';
import { SubtreeReader, type SubtreeReaderOptions } from '../../src/linux/subtree-reader.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';

const ROOT = 100;
const MIB = 2 ** 20;
/** Pages of 4 KiB. */
const pages = (mib: number) => mib * 256;

/** A root without memory to speak of, in a budget of 1,000 MiB. */
class Scene {
  readonly proc = new FakeProc();
  readonly members: SubtreeMembers;
  readonly reader: SubtreeReader;

  constructor(t: TestContext, tasks: FakeTask[], options: SubtreeReaderOptions = {}) {
    this.put({ pid: 1, ppid: 0, start: 1 }, { pid: ROOT, ppid: 1, start: 1000, vm: 10 }, ...tasks);
    this.members = new SubtreeMembers({ root: ROOT, procRoot: this.proc.root });
    this.reader = new SubtreeReader(this.members, 1000 * MIB, options);
    t.after(() => {
      this.members.close();
      this.proc.remove();
    });
  }

  /** Children of the root by default, without files mapped. */
  put(...tasks: FakeTask[]): void {
    for (const task of tasks) {
      this.proc.put({ ppid: ROOT, start: 1000 + task.pid, vm: task.pid, shared: task.shmem ?? 0, ...task });
    }
  }

  chargeMib(): number {
    const state = this.reader.read();
    const charge = this.reader.chargeBytes / MIB;
    assert.equal(state.availableKib, Math.max(0, 1000 * 1024 - Math.ceil(this.reader.chargeBytes / 1024)));
    return Math.round(charge * 100) / 100;
  }

  rollup(pid: number, anonMib: number, shmemMib: number): void {
    const line = (key: string, mib: number) => `${`${key}:`.padEnd(16)}${String(mib * 1024).padStart(8)} kB\n`;
    const head = '55c24d08e000-7ffd7cc5d000 ---p 00000000 00:00 0                          [rollup]\n';
    const parts = line('Pss_Anon', anonMib) + line('Pss_File', 3) + line('Pss_Shmem', shmemMib);
    this.proc.file(`${pid}/smaps_rollup`, `${head}${line('Rss', 999)}${line('Pss', 1)}${parts}${line('Swap', 0)}`);
  }
}

const gone = Object.assign(new Error('gone'), { code: 'ESRCH' });

test('subtree charge: anonymous memory, swap and page tables of the root and its members, no files, no strangers', (t) => {
  const scene = new Scene(t, [
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
  const scene = new Scene(t, [task]);
  const text = readFileSync(join(scene.proc.root, '110/status'), 'latin1');
  scene.proc.file('110/status', text.replace('VmSwap:', 'VmPMD:\t    2048 kB\nVmSwap:'));
  assert.equal(scene.chargeMib(), 13);
});

test('subtree charge: beyond the budget nothing is available', (t) => {
  const scene = new Scene(t, [{ pid: 110, rss: pages(1500) }]);
  assert.equal(scene.chargeMib(), 1500);
  assert.equal(scene.reader.read().availableKib, 0);
});

test('subtree charge: members come and go between readings', (t) => {
  const scene = new Scene(t, [{ pid: 110, rss: pages(10) }]);
  assert.equal(scene.chargeMib(), 10);
  scene.put({ pid: 111, rss: pages(20) });
  assert.equal(scene.chargeMib(), 30);
  scene.proc.end(110);
  assert.equal(scene.chargeMib(), 20);
});

test('subtree charge: growth is seen at once; what has left may be in swap and counts until status is read again', (t) => {
  const scene = new Scene(t, [{ pid: 110, rss: pages(100) }]);
  assert.equal(scene.chargeMib(), 100);
  scene.put({ pid: 110, rss: pages(300) });
  assert.equal(scene.chargeMib(), 300);
  scene.put({ pid: 110, rss: pages(80), swap: pages(10) });
  assert.equal(scene.chargeMib(), 100);
  for (let reading = 0; reading < 13; ++reading) assert.equal(scene.chargeMib(), 100);
  assert.equal(scene.chargeMib(), 90);
});

test('subtree charge: near the budget every status that may have changed is read', (t) => {
  const scene = new Scene(t, [
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
  const scene = new Scene(t, [{ pid: 110, rss: pages(50), shmem: pages(50) }]);
  assert.equal(scene.chargeMib(), 50);
  scene.put({ pid: 110, rss: pages(900), shmem: pages(900) });
  assert.equal(scene.chargeMib(), 900);
  scene.put({ pid: 110, rss: pages(960), shared: pages(960), shmem: pages(900) });
  assert.equal(scene.chargeMib(), 900);
});

test('subtree charge: shared memory counts once: as large as the largest maps it where parts are not told', (t) => {
  const tasks = [111, 112, 113].map((pid) => ({ pid, rss: pages(400), shmem: pages(400) }));
  const scene = new Scene(t, [...tasks, { pid: 114, rss: pages(450), shmem: pages(450) }]);
  assert.equal(scene.chargeMib(), 450);
});

test('subtree charge: of shared memory everybody is charged his part, together never less than the largest', (t) => {
  const tasks = [111, 112, 113].map((pid) => ({ pid, rss: pages(400), shmem: pages(400) }));
  const scene = new Scene(t, tasks);
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
  const scene = new Scene(t, [{ pid: 111, rss: pages(200), shmem: pages(200) }]);
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
  const scene = new Scene(
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
  const scene = new Scene(
    t,
    [110, 111].map((pid) => ({ pid, rss: pages(3), vm: 1000 })),
    { sharesVm: wrong },
  );
  assert.throws(() => scene.reader.read(), TypeError);
});

test('subtree charge: without kcmp, parent and child of the very same size are charged once, others not', (t) => {
  const scene = new Scene(t, [
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
  const scene = new Scene(t, [{ pid: 110, rss: pages(600), vm: 200_000 }]);
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

test('subtree charge: where the uptime is another machine’s, nobody is young', (t) => {
  const scene = new Scene(t, [{ pid: 110, rss: pages(600), vm: 200_000 }]);
  scene.proc.machine({ uptimeS: 3 });
  scene.put({ pid: 111, ppid: 110, vm: 199_000, rss: pages(590) });
  assert.equal(scene.chargeMib(), 1190);
});

test('subtree charge: a copy that goes on as one is charged its part of the pages, and so is its parent', (t) => {
  const like = { vm: 200_000, stack: 7, rss: pages(600) };
  const scene = new Scene(t, [
    { pid: 110, ...like },
    { pid: 111, ppid: 110, ...like, rss: pages(580) },
    { pid: 112, ppid: 110, ...like, rss: pages(500), stack: 8 },
  ]);
  scene.rollup(110, 320, 0);
  scene.rollup(111, 290, 0);
  // 112 is another program of the same size.
  assert.deepEqual([scene.chargeMib(), scene.chargeMib()], [320 + 500, 320 + 290 + 500]);
  scene.put({ pid: 111, ppid: 110, ...like, rss: pages(680) });
  assert.equal(scene.chargeMib(), 320 + 390 + 500, 'what it took since then is its own');
  scene.rollup(111, 560, 0);
  for (let reading = 0; reading < 16; ++reading) scene.chargeMib();
  assert.equal(scene.chargeMib(), 320 + 560 + 500, 'it is measured again: it has written to its pages');
  scene.proc.end(111);
  scene.rollup(110, 600, 0);
  assert.equal(scene.chargeMib(), 600 + 500, 'with the copy gone all of them are the parent’s');
});

test('subtree charge: a copy whose part is not told is charged in full', (t) => {
  const like = { vm: 200_000, stack: 7, rss: pages(600) };
  const scene = new Scene(t, [
    { pid: 110, ...like },
    { pid: 111, ppid: 110, ...like, rss: pages(580) },
  ]);
  scene.proc.file('110/smaps_rollup', 'Rss:  12 kB\nPss:  4 kB\n');
  scene.chargeMib();
  assert.equal(scene.chargeMib(), 1180);
});

test('subtree charge: a process whose leader has ended is charged what its threads hold, a zombie nothing', (t) => {
  const scene = new Scene(t, [
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
  const scene = new Scene(t, [{ pid: 110, rss: pages(10) }]);
  scene.chargeMib();
  scene.proc.end(ROOT);
  assert.throws(() => scene.reader.read(), { code: 'ESRCH', message: /the subtree is root_gone: process 100/ });
});

test('subtree charge: a budget that is none is refused', (t) => {
  const { members } = new Scene(t, []);
  for (const budget of [0, -1, 2 ** 20 - 1, 1.5e6 + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => new SubtreeReader(members, budget),
      /RangeError: budgetBytes must be a whole number from 1048576/,
    );
  }
});
