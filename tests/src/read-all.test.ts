/** readTasks on folders that look like /proc: whatever a task is called, however far it has gone, it is read or counted. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { encodeComm } from '../../src/comm.js';
import { type EngineBuild, openEngine } from '../../src/engine.js';
import { BadnessError } from '../../src/errors.js';
import { readMachine } from '../../src/linux/machine.js';
import { readTasks } from '../../src/linux/read-all.js';
import { ineligibleTasks, rankTasks } from '../../src/rank.js';
import { taskAt } from '../../src/task.js';
import { type FakeMachine, FakeProc, type FakeTask, statText } from './support/fake-proc.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];

/** A fake /proc that is gone when the test is. */
function fakeProc(t: TestContext, tasks: FakeTask[] = [], machine: FakeMachine = {}): FakeProc {
  const proc = new FakeProc(machine);
  t.after(() => proc.remove());
  for (const task of tasks) proc.put(task);
  return proc;
}

/** Reads a root with one build. Tasks by tgid. */
async function read(build: EngineBuild, root: string, options: { hz?: number; maxTasks?: number } = {}) {
  const { maxTasks = 64, ...rest } = options;
  const engine = await openEngine({ build, maxTasks });
  const reading = readTasks(engine, { root, ...rest });
  const slots = Array.from({ length: engine.count }, (_, slot) => slot);
  const flags = new Map(slots.map((slot) => [engine.u32(L.C_ID, slot), engine.u32(L.C_FLAGS, slot)]));
  return {
    engine,
    reading,
    flags,
    tasks: new Map(slots.map((slot) => [engine.u32(L.C_ID, slot), taskAt(engine, slot)])),
  };
}

const HOSTILE: (string | Uint8Array)[] = [
  ...[')', '(', ') S 1 1 1', ') Z (', 'a) R 2 (b', ' ', '  two  blanks ', '\n', 'line\nbreak', '\t', '\\n', '\\', ''],
  ...['\x1b[31mred\x1b[0m', '\x07\x08\x7f', 'Uid:\t0\t0', 'x\nCapEff:\t0', 'héhé', '日本語日本', '🙂🙂🙂'],
  ...[Buffer.from([0xff, 0xfe, 0x80]), Buffer.from([0x61, 0xc3]), Buffer.from('日本語日本語').subarray(0, 14)],
  ...[Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc0, 0xaf]), '0123456789abcde'],
];

for (const build of BUILDS) {
  test(`read (${build}): a comm of any bytes neither hides nor changes a task`, async (t) => {
    const facts = { vm: 500, rss: 70, statRss: 64, pte: 12, swap: 3, uid: 7, euid: 8, caps: '20000200000', adj: -17 };
    const proc = fakeProc(
      t,
      HOSTILE.map((comm, index) => ({ pid: 100 + index, ppid: 5, sid: 99, comm, ...facts })),
    );
    const { reading, tasks } = await read(build, proc.root);
    assert.deepEqual(
      { ...reading, machine: 0 },
      { machine: 0, tasks: HOSTILE.length, gone: 0, unreadable: 0, left: 0 },
    );
    for (const [index, comm] of HOSTILE.entries()) {
      const task = tasks.get(100 + index)!;
      const bytes = new Uint8Array(L.COMM_BYTES);
      encodeComm(task.comm, bytes);
      const expected = Buffer.alloc(L.COMM_BYTES);
      Buffer.from(comm as string).copy(expected, 0, 0, L.COMM_BYTES - 1);
      assert.deepEqual(Buffer.from(bytes), expected, JSON.stringify(comm));
      const expectedFacts = {
        ppid: 5,
        sid: 99,
        totalVmPages: 500,
        rssPages: 70,
        statRssPages: 64,
        pgtablesBytes: 12288,
      };
      const users = { swapPages: 3, uid: 7, euid: 8, capEff: '20000200000', oomScoreAdj: -17 };
      assert.deepEqual(task, { ...task, ...expectedFacts, ...users });
    }
  });

  test(`read (${build}): a task may vanish between any two of its files`, async (t) => {
    const tasks = Array.from({ length: 6 }, (_, index) => ({ pid: 10 + index, vm: 100, rss: 10, adj: 500 }));
    const proc = fakeProc(t, tasks);
    proc.drop(10, 'stat');
    proc.drop(11, 'status');
    proc.drop(12, 'statm');
    proc.drop(13, 'oom_score_adj');
    for (const file of ['stat', 'status', 'statm', 'oom_score_adj']) proc.drop(14, file);
    const { reading, tasks: found } = await read(build, proc.root);
    assert.deepEqual([reading.tasks, reading.gone, reading.unreadable], [3, 3, 0]);
    assert.deepEqual([...found.keys()].sort(), [12, 13, 15], 'statm is not needed, and adj counts as 0');
    assert.equal(found.get(13)!.oomScoreAdj, 0);
    assert.equal(found.get(12)!.oomScoreAdj, 500);
  });

  test(`read (${build}): files cut off, empty or garbage count as gone, or are made up for by statm`, async (t) => {
    const proc = fakeProc(
      t,
      Array.from({ length: 6 }, (_, index) => ({ pid: 20 + index, vm: 100, rss: 10 })),
    );
    proc.file('20/stat', '');
    proc.file('21/stat', statText({ pid: 21 }).subarray(0, 40));
    proc.file('22/stat', 'nonsense\n');
    proc.file('23/status', '');
    proc.file('24/status', 'Uid:\tx\n');
    proc.file('25/oom_score_adj', 'x\n');
    const { reading, tasks } = await read(build, proc.root);
    assert.deepEqual([reading.tasks, reading.gone], [3, 3]);
    for (const pid of [23, 24, 25])
      assert.deepEqual([pid, tasks.get(pid)!.totalVmPages, tasks.get(pid)!.rssPages], [pid, 100, 10]);
    assert.equal(tasks.get(25)!.oomScoreAdj, 0);
  });

  test(`read (${build}): a leader that has exited holds what its live threads hold`, async (t) => {
    const dead: FakeTask = {
      pid: 40,
      comm: 'leader',
      state: 'Z',
      flags: 0x400004,
      threads: 3,
      mm: false,
      utime: 9,
      adj: 100,
    };
    const proc = fakeProc(t, [dead, { ...dead, pid: 50 }, { ...dead, pid: 60, threads: 1 }]);
    proc.put(dead, '40/task/40');
    mkdirSync(`${proc.root}/40/task/41`);
    proc.put(
      { pid: 42, comm: 'thread', threads: 3, utime: 1, vm: 900, rss: 80, statRss: 77, swap: 5, pte: 40 },
      '40/task/42',
    );
    proc.put({ ...dead, pid: 50 }, '50/task/50');
    const { engine, reading, tasks, flags } = await read(build, proc.root);
    assert.deepEqual([reading.tasks, reading.gone], [3, 0]);
    const { comm, state, utimeJiffies, totalVmPages, rssPages, statRssPages, swapPages, pgtablesBytes, hasMm } =
      tasks.get(40)!;
    assert.deepEqual([comm, state, utimeJiffies, oomScoreAdj(tasks.get(40)!)], ['leader', 'Z', 9, 100]);
    assert.deepEqual(
      [totalVmPages, rssPages, statRssPages, swapPages, pgtablesBytes, hasMm],
      [900, 80, 77, 5, 40960, true],
    );
    assert.equal(flags.get(40)! & L.TASK_EXITING, 0, 'the leader alone is exiting');
    assert.deepEqual(
      rankTasks(engine).ranked.map((task) => task.tgid),
      [40],
    );
    assert.deepEqual(
      ineligibleTasks(engine)
        .map((task) => [task.tgid, task.reason])
        .sort(),
      [
        [50, 'dying'],
        [60, 'dying'],
      ],
    );
  });

  test(`read (${build}): kernel threads, zombies and pid 1 are there, and say why they are spared`, async (t) => {
    const proc = fakeProc(t, [
      { pid: 1, comm: 'init', ppid: 0, vm: 100, rss: 50 },
      { pid: 2, comm: 'kthreadd', ppid: 0, flags: 0x208040, mm: false },
      { pid: 3, comm: 'done', state: 'Z', flags: 0x40000c, mm: false },
      { pid: 4, comm: 'never', vm: 100, rss: 50, adj: -1000 },
      { pid: 5, comm: 'leaving', vm: 100, rss: 50, flags: 0x400004 },
      { pid: 6, comm: 'worker', vm: 100, rss: 50 },
    ]);
    const { engine, tasks } = await read(build, proc.root);
    assert.equal(tasks.get(2)!.kthread, true);
    assert.deepEqual(
      rankTasks(engine).ranked.map((task) => task.comm),
      ['worker'],
    );
    const reasons = Object.fromEntries(ineligibleTasks(engine).map((task) => [task.comm, task.reason]));
    assert.deepEqual(reasons, {
      init: 'init',
      kthreadd: 'kthread',
      done: 'dying',
      never: 'adj -1000',
      leaving: 'dying',
    });
  });

  for (const pageSize of [4096, 16384, 65536]) {
    test(`read (${build}): pages of ${pageSize} bytes, as auxv says`, async (t) => {
      const task = { pid: 30, vm: 1000, rss: 300, statRss: 299, swap: 7, pte: 3 * (pageSize / 1024) + 1 };
      const machine = { pageSize, memTotalKib: 64 * 1000 + 1, swapTotalKib: 6400, swapFreeKib: 3200 };
      const { engine, reading, tasks } = await read(build, fakeProc(t, [task], machine).root);
      assert.equal(reading.machine.pageSize, pageSize);
      const kib = pageSize / 1024;
      assert.equal(reading.machine.totalPages, Math.floor(64001 / kib) + Math.floor(6400 / kib));
      const { totalVmPages, rssPages, statRssPages, swapPages } = tasks.get(30)!;
      assert.deepEqual([totalVmPages, rssPages, statRssPages, swapPages], [1000, 300, 299, 7]);
      assert.equal(rankTasks(engine, { scheme: 'resident' }).victim?.points, 300 + 7 + 3);
    });
  }

  test(`read (${build}): clock ticks become jiffies at hz, and a machine of other ticks is refused`, async (t) => {
    const proc = fakeProc(t, [{ pid: 30, vm: 9, rss: 9, utime: 101, stime: 7 }], { uptimeS: 77.25 });
    const { tasks, reading } = await read(build, proc.root, { hz: 250 });
    assert.deepEqual([tasks.get(30)!.utimeJiffies, tasks.get(30)!.stimeJiffies, reading.machine.hz], [252, 17, 250]);
    assert.equal(reading.machine.uptimeS, 77.25);
    proc.machine({ clockTicks: 1024 });
    const refused = (error: unknown) =>
      error instanceof BadnessError && error.code === 'EUSERHZ' && /1024/.test(error.message);
    await assert.rejects(read(build, proc.root), refused);
  });

  test(`read (${build}): what the table cannot hold is counted as left`, async (t) => {
    const proc = fakeProc(
      t,
      Array.from({ length: 70 }, (_, index) => ({ pid: 100 + index, vm: 9, rss: 9 })),
    );
    const { reading, engine } = await read(build, proc.root, { maxTasks: 1 });
    assert.deepEqual([engine.count, reading.tasks, reading.left], [64, 64, 6], 'maxTasks is rounded up to 64');
  });

  test(`read (${build}): a status longer than a page, and one longer than the window, are read whole`, async (t) => {
    const facts = { vm: 500, rss: 70, swap: 30, pte: 4096, uid: 7, euid: 8, caps: '200000' };
    const groups = [0, 700, 9300, 9362, 9363, 9364, 9365, 9400, 60000];
    const proc = fakeProc(
      t,
      groups.map((count, index) => ({ pid: 100 + index, groups: count, ...facts })),
    );
    const { tasks } = await read(build, proc.root);
    for (const [index, count] of groups.entries()) {
      const { rssPages, swapPages, pgtablesBytes, uid, euid, capEff } = tasks.get(100 + index)!;
      assert.deepEqual(
        [rssPages, swapPages, pgtablesBytes, uid, euid, capEff],
        [70, 30, 4194304, 7, 8, '200000'],
        `${count} groups`,
      );
    }
  });
}

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

for (const build of BUILDS) {
  test(`read (${build}): where status is not to be read, statm and the owner stand in`, (t) => {
    const facts = { vm: 500, rss: 70, statRss: 64, swap: 3, pte: 12, adj: 300, uid: 7 };
    const proc = fakeProc(
      t,
      [30, 31, 32].map((pid) => ({ pid, comm: `of-${pid}`, ...facts })),
    );
    chmodSync(proc.root, 0o755);
    chmodSync(`${proc.root}/31/status`, 0);
    chmodSync(`${proc.root}/32`, 0);
    if (isRoot) chownSync(`${proc.root}/31`, 1234, 1234);
    // To root everything is readable, so the reader becomes somebody else.
    const args = [
      'build/unit/tests/src/support/reader.worker.js',
      'tasks',
      build,
      proc.root,
      String(isRoot ? NOBODY : 0),
    ];
    const { tasks, gone, unreadable, found } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    assert.deepEqual([tasks, gone, unreadable], [2, 0, 1]);
    const [whole, part] = [30, 31].map((pid) => found.find((task: { tgid: number }) => task.tgid === pid));
    const owner = isRoot ? 1234 : process.getuid!();
    assert.deepEqual(part, {
      ...whole,
      tgid: 31,
      sid: 31,
      comm: 'of-31',
      uid: owner,
      euid: owner,
      swapPages: 0,
      pgtablesBytes: 0,
      rssAnonPages: 0,
    });
    chmodSync(`${proc.root}/32`, 0o700);
  });
}

const oomScoreAdj = (task: { oomScoreAdj: number }) => task.oomScoreAdj;

test('read: without a /proc the error says so, by code and with its cause', async (t) => {
  const proc = fakeProc(t);
  const refused = (error: unknown) =>
    error instanceof BadnessError &&
    error.code === 'ENOTLINUX' &&
    (error.cause as NodeJS.ErrnoException).code === 'ENOENT';
  await assert.rejects(read('shared', `${proc.root}/nowhere`), refused);
});

test('read: auxv has words of the architecture', (t) => {
  const proc = fakeProc(t, [], { word: 4, pageSize: 16384 });
  const own = Object.getOwnPropertyDescriptor(process, 'arch')!;
  Object.defineProperty(process, 'arch', { ...own, value: 'arm' });
  t.after(() => Object.defineProperty(process, 'arch', own));
  assert.equal(readMachine(proc.root).pageSize, 16384);
});
