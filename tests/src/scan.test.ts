/** ProcScanner reads a fraction of what a full reading reads, and chooses the same victim. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import type { Decided } from '../../src/linux/decided.js';
import { readTasks } from '../../src/linux/read-all.js';
import { ProcScanner } from '../../src/linux/scan.js';
import { BOUNDED_SCHEMES, type ScanOptions } from '../../src/linux/scan-options.js';
import { type ScoreOptions, scoreTasks, selectTask } from '../../src/rank.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { type History, histories, ROUNDS, writeRound } from './support/histories.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];

const POLICIES: ScanOptions[] = [
  { scheme: 'badness' },
  { scheme: 'badness', age: 'spare-young' },
  { scheme: 'badness', age: 'ignore', maxDescriptors: 0 },
  { scheme: 'badness', maxDiscount: 1000, maxDescriptors: 7 },
  { scheme: 'badness', adj: 'kernel' },
  { scheme: 'resident', maxDescriptors: 2 },
  { scheme: 'resident', adj: 'kernel' },
  { scheme: 'linux-2.6.10' },
];

const ID = (engine: Engine, slot: number) => (slot < 0 ? slot : engine.u32(L.C_ID, slot));

/** Who a full reading says: tgid, or below 0. */
function victimInFull(engine: Engine, root: string, options: ScoreOptions): number {
  const { machine } = readTasks(engine, { root });
  const scored = { totalPages: machine.totalPages, ...options };
  scoreTasks(engine, scored);
  return ID(engine, selectTask(engine, scored).slot);
}

interface Pair {
  policy: ScanOptions;
  engine: Engine;
}

/** Every policy's scanner agrees with a full reading in every round of the history. */
function holds(history: History, full: Engine, pairs: readonly Pair[]): void {
  const proc = new FakeProc();
  const scanners: ProcScanner[] = [];
  try {
    for (const { policy, engine } of pairs) scanners.push(new ProcScanner(engine, { ...policy, root: proc.root }));
    for (let round = 0; round < ROUNDS; ++round) {
      const tasks = writeRound(proc, history, round);
      for (const [index, { policy, engine }] of pairs.entries()) {
        const decided = scanners[index]!.decide();
        const { maxDescriptors = 4096, ...options } = policy;
        const found = ID(engine, decided.slot);
        assert.equal(found, victimInFull(full, proc.root, options), `round ${round}, ${JSON.stringify(policy)}`);
        assert.equal(decided.outcome, found < 0 ? 'no-victim' : 'victim');
        assert.deepEqual([decided.tasks, decided.gone], [tasks, 0]);
        assert.ok(scanners[index]!.kernelCost.descriptors <= maxDescriptors);
        assert.ok(
          found < 0 || (engine.u32(L.C_FLAGS, decided.slot) & L.TASK_BOUND) === 0,
          'the victim was read in full',
        );
      }
    }
  } finally {
    for (const scanner of scanners) scanner.close();
    proc.remove();
  }
}

for (const build of BUILDS) {
  test(`scan (${build}): the victim is that of a full reading, in every round`, async (t) => {
    const open = () => openEngine({ build, maxTasks: 64 });
    const full = await open();
    const pairs: Pair[] = [];
    for (const policy of POLICIES) pairs.push({ policy, engine: await open() });
    const numRuns = Math.ceil(RUNS / (build === 'shared' ? 2 : 5));
    fc.assert(
      fc.property(histories, (history) => holds(history, full, pairs)),
      { seed: SEED, numRuns },
    );
    t.diagnostic(`seed ${SEED}: ${numRuns} histories of ${ROUNDS} rounds, ${POLICIES.length} policies`);
  });
}

/** A scanner over a fake /proc; both are gone when the test is. */
async function scannerOf(t: TestContext, tasks: FakeTask[], options: ScanOptions = {}, build: EngineBuild = 'shared') {
  const proc = new FakeProc();
  t.after(() => proc.remove());
  for (const task of tasks) proc.put(task);
  const engine = await openEngine({ build, maxTasks: 1024 });
  const scanner = new ProcScanner(engine, { ...options, root: proc.root });
  t.after(() => scanner.close());
  return { proc, engine, scanner, victim: () => ID(engine, scanner.decide().slot) };
}

const crowd = (count: number, task: Omit<FakeTask, 'pid'> = {}): FakeTask[] =>
  Array.from({ length: count }, (_, index) => ({ pid: 100 + index, vm: 5000, rss: 100, pte: 40, ...task }));

/** Descriptors of this process on files below `root`. */
function openBelow(root: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(root) ? [file.slice(root.length + 1).replace(' (deleted)', '')] : [];
    } catch {
      return [];
    }
  });
}

const noProc = process.platform === 'linux' ? false : 'counts descriptors in /proc/self/fd';

for (const scheme of BOUNDED_SCHEMES) {
  test(`scan: who dwarfs the others is the only one read in full (${scheme})`, async (t) => {
    const { scanner, engine } = await scannerOf(t, [...crowd(500), { pid: 9, vm: 3e6, rss: 2e6, pte: 8000 }], {
      scheme,
    });
    for (let round = 0; round < 20; ++round) {
      const decided: Decided = scanner.decide();
      assert.deepEqual([ID(engine, decided.slot), decided.tasks, decided.refined], [9, 501, 1], `round ${round}`);
    }
  });
}

test('scan: swap in use does not have the small read in full, who have no room for it', async (t) => {
  const { proc, scanner, engine } = await scannerOf(t, [...crowd(500), { pid: 9, vm: 3e5, rss: 2e5, pte: 800 }]);
  proc.machine({ swapTotalKib: 8e6, swapFreeKib: 4e6 });
  const { slot, refined } = scanner.decide();
  assert.deepEqual([ID(engine, slot), refined], [9, 1]);
});

test('scan: what a round cost is reported, and its parts are all of it', async (t) => {
  const { scanner } = await scannerOf(t, crowd(50));
  const { readUs, scoreUs, selectUs, roundUs } = scanner.decide();
  for (const part of [readUs, scoreUs, selectUs]) assert.ok(part >= 0);
  assert.ok(Math.abs(readUs + scoreUs + selectUs - roundUs) < 1e-6 && roundUs > 0);
});

test('scan: nobody to choose is an outcome', async (t) => {
  const { scanner } = await scannerOf(t, [
    { pid: 1, vm: 100, rss: 50 },
    { pid: 2, flags: 0x208040, mm: false },
  ]);
  const { outcome, slot, tasks } = scanner.decide();
  assert.deepEqual([outcome, slot, tasks], ['no-victim', L.E_NO_VICTIM, 2]);
});

test('scan: one descriptor a task is kept, up to the cap, and paid for openly', { skip: noProc }, async (t) => {
  const { proc, scanner } = await scannerOf(t, crowd(40), { maxDescriptors: 5 });
  scanner.decide();
  assert.deepEqual(scanner.kernelCost, { descriptors: 5, bytes: 5 * 4131 });
  assert.equal(openBelow(proc.root).length, 5);
});

test('scan: with fewer descriptors than tasks the largest have them', { skip: noProc }, async (t) => {
  const large = [3, 1, 2].map((rank) => ({ pid: 600 + rank, vm: 90000, rss: 5000 + rank }));
  const { proc, scanner } = await scannerOf(t, [...crowd(40), ...large], { maxDescriptors: 3 });
  scanner.decide();
  assert.deepEqual(openBelow(proc.root).sort(), ['601/statm', '602/statm', '603/statm']);
});

test('scan: by default a quarter of the hard limit', { skip: noProc }, async (t) => {
  const proc = new FakeProc();
  t.after(() => proc.remove());
  for (const task of crowd(40)) proc.put(task);
  proc.file('self/limits', 'Max open files            32                   65                   files     \n');
  using scanner = new ProcScanner(await openEngine({ maxTasks: 64 }), { root: proc.root });
  scanner.decide();
  assert.equal(openBelow(proc.root).length, 16);
});

test('scan: descriptors are closed when a task vanishes, and all by close(), after which it starts afresh', {
  skip: noProc,
}, async (t) => {
  const { proc, scanner, victim } = await scannerOf(t, [...crowd(10), { pid: 9, vm: 90000, rss: 9000 }]);
  assert.equal(victim(), 9);
  assert.equal(openBelow(proc.root).length, 11);
  proc.drop(9);
  proc.drop(100);
  proc.put({ pid: 700, vm: 90000, rss: 8000 });
  assert.equal(victim(), 700);
  const files = openBelow(proc.root);
  assert.equal(files.length, 10);
  assert.ok(!files.includes('9/statm') && !files.includes('100/statm') && files.includes('700/statm'));
  scanner.close();
  assert.deepEqual(openBelow(proc.root), []);
  assert.equal(scanner.kernelCost.descriptors, 0);
  assert.equal(victim(), 700);
});

test('scan: tasks that vanish after they were listed are counted as gone', async (t) => {
  const { proc, scanner, engine } = await scannerOf(t, [...crowd(10), { pid: 9, vm: 90000, rss: 9000 }]);
  proc.drop(9, 'status');
  proc.drop(105, 'statm');
  const first = scanner.decide();
  assert.deepEqual([first.tasks, first.gone], [10, 2], 'one before its short reading, one before the full one');
  assert.ok(ID(engine, first.slot) >= 100);
  const rows = Array.from({ length: first.tasks }, (_, slot) => String.fromCharCode(engine.u32(L.C_STATE, slot)));
  assert.ok(rows.includes('X'), 'who is gone has a state: a decision that is exported can be read');
  proc.put({ pid: 9, vm: 90000, rss: 9000 });
  assert.equal(ID(engine, scanner.decide().slot), 9);
});

test('scan: page tables that more than double are found within 16 rounds', async (t) => {
  const grower = { pid: 9, vm: 5e6, rss: 1000, pte: 400 };
  const { proc, victim } = await scannerOf(t, [...crowd(20), { pid: 8, vm: 300000, rss: 30000 }, grower]);
  assert.equal(victim(), 8);
  proc.put({ ...grower, pte: 4 * 35000 });
  const found = Array.from({ length: 16 }, victim);
  assert.ok(found.includes(9), found.join(' '));
});

test('scan: page tables of a task never read in full are not taken for small', async (t) => {
  const { proc, victim } = await scannerOf(t, [
    { pid: 8, vm: 9e6, rss: 9e6 },
    { pid: 9, vm: 5e6, rss: 10, pte: 40000 },
    { pid: 7, vm: 9000, rss: 5000 },
  ]);
  assert.equal(victim(), 8);
  proc.drop(8);
  assert.equal(victim(), 9);
});

/** Started 1,000 s ago, so that age does not divide; the uptime of a fake machine is 100,000 s. */
const recent = { start: 9_900_000 };

test('scan: without a descriptor, a pid used again is known for another within 16 rounds', async (t) => {
  const old = { pid: 10, vm: 9000, rss: 900, utime: 1e8 };
  const { proc, victim } = await scannerOf(t, [...crowd(20), old], { maxDescriptors: 0 });
  victim();
  proc.put({ pid: 9, vm: 8e5, rss: 8e5, ...recent });
  proc.put({ pid: 10, vm: 1e6, rss: 1e6, ...recent });
  assert.ok(Array.from({ length: 16 }, victim).includes(10), 'was one that had computed for long');
});

test('scan: a kernel thread that becomes a process is seen at once', async (t) => {
  const { proc, victim } = await scannerOf(t, [...crowd(20), { pid: 9, flags: 0x208040, mm: false }]);
  victim();
  proc.put({ pid: 9, vm: 5e5, rss: 5e5 });
  assert.equal(victim(), 9);
});

test('scan: who could not be read in full is not taken for old when it can', async (t) => {
  const late = { pid: 9, vm: 1e6, rss: 1e6, ...recent };
  const { proc, victim } = await scannerOf(t, [{ pid: 8, vm: 95e4, rss: 95e4, ...recent }, late]);
  proc.drop(9, 'status');
  assert.equal(victim(), 8);
  proc.put(late);
  assert.equal(victim(), 9);
});

for (const build of BUILDS) {
  test(`scan (${build}): nothing is known of a task in its first round, not its age and not its CPU time`, async (t) => {
    const young = { pid: 9, vm: 1e6, rss: 1e6, ...recent };
    const rival = { pid: 8, vm: 1e8, rss: 95e4, ...recent };
    // Few tasks go through the scalar form, many through the fast one.
    for (const others of [0, 20]) {
      const spareOld = await scannerOf(t, [...crowd(others), rival, young], {}, build);
      assert.equal(spareOld.victim(), 9, 'not divided');
      const busy = { pid: 9, vm: 1e6, rss: 1e6, utime: 1e8 };
      const tasks = [...crowd(others), { ...rival, rss: 35e5 }, busy];
      const spareYoung = await scannerOf(t, tasks, { age: 'spare-young' }, build);
      assert.equal(spareYoung.victim(), 9, 'four times its pages');
    }
  });

  test(`scan (${build}): a bound as high as the charge of another does not tie with it`, async (t) => {
    // The most page tables that one page of address space can have.
    const full = { vm: 1, rss: 0, pte: 24 };
    const { victim } = await scannerOf(
      t,
      [
        { pid: 9, ...full, start: 50 },
        { pid: 10, ...full, start: 10 },
      ],
      { scheme: 'resident' },
      build,
    );
    assert.equal(victim(), 9, 'the later start');
  });
}

for (const build of BUILDS) {
  test(`scan (${build}): out of descriptors it keeps fewer, and misses nobody`, { skip: noProc }, (t) => {
    const proc = new FakeProc();
    t.after(() => proc.remove());
    for (const task of [...crowd(120), { pid: 9, vm: 90000, rss: 9000 }]) proc.put(task);
    const worker = `exec "$0" build/unit/tests/src/support/reader.worker.js scan ${build} "$1" 0`;
    const args = ['-c', `ulimit -n 64 && ${worker}`, process.execPath, proc.root];
    const { victims, kept, others, left, open } = JSON.parse(execFileSync('sh', args, { encoding: 'utf8' }));
    assert.deepEqual(victims, Array(6).fill([9, 121, 0]));
    assert.ok(kept > 0 && kept < 64 && others > 0 && left < kept, `kept ${kept}, then ${left}; others had ${others}`);
    assert.ok(open < 40, `${open} open in the end`);
  });
}
