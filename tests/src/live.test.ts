/** Readers on the real /proc of this machine, whatever runs on it: what they say of children of the test's own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { encodeComm } from '../../src/comm.js';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import { readMachine } from '../../src/linux/machine.js';
import { readTasks } from '../../src/linux/read-all.js';
import { ProcScanner } from '../../src/linux/scan.js';
import { rankTasks } from '../../src/rank.js';
import { taskAt } from '../../src/task.js';
import { Child, startToucher } from './support/live.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];
const MAX_TASKS = 65_536;
const skip = process.platform === 'linux' ? false : `no Linux: ${process.platform}`;

/** The task with this pid in a new reading of the machine. */
function readOne(engine: Engine, pid: number) {
  readTasks(engine);
  for (let slot = 0; slot < engine.count; ++slot) if (engine.u32(L.C_ID, slot) === pid) return taskAt(engine, slot);
  throw new Error(`${pid} was not read`);
}

/** Three children of different sizes, the largest last. */
async function threeSizes(t: TestContext, pageSize: number): Promise<Child[]> {
  const sizes = [30, 80, 140].map((mib) => mib * 2 ** 20);
  const start = async (bytes: number) => {
    const child = await startToucher(t, pageSize, bytes + 2 * pageSize);
    await child.ask(`fill ${Math.floor(bytes / pageSize)}`);
    return child;
  };
  return Promise.all(sizes.map(start));
}

for (const build of BUILDS) {
  test(`live (${build}): larger children rank before smaller ones, and nobody smaller than the largest is chosen`, {
    skip,
  }, async (t) => {
    const { pageSize } = readMachine();
    const children = await threeSizes(t, pageSize);
    const pids = children.map(({ pid }) => pid);
    const engine = await openEngine({ build, maxTasks: MAX_TASKS });
    const reading = readTasks(engine);
    assert.equal(reading.left, 0);
    const { ranked } = rankTasks(engine, { scheme: 'resident' });
    assert.deepEqual(
      ranked.map(({ tgid }) => tgid).filter((tgid) => pids.includes(tgid)),
      pids.toReversed(),
    );
    t.diagnostic(`${reading.tasks} tasks, ${reading.gone} gone, ${reading.unreadable} unreadable`);

    using scanner = new ProcScanner(engine, { scheme: 'resident' });
    for (let round = 0; round < 3; ++round) {
      const { slot, outcome, tasks, refined } = scanner.decide();
      assert.equal(outcome, 'victim');
      const [, rss] = readFileSync(`/proc/${pids[2]}/statm`, 'utf8').split(' ').map(Number);
      assert.ok(engine.f64(L.C_CHARGE, slot) >= rss!, `round ${round}: the largest child holds ${rss} pages`);
      t.diagnostic(`round ${round}: ${refined} of ${tasks} read in full`);
    }
    children[2]!.kill();
    await assert.rejects(children[2]!.answer(), /SIGKILL/);
    const { slot } = scanner.decide();
    assert.notEqual(engine.u32(L.C_ID, slot), pids[2], 'the dead are not chosen');
  });
}

/** A child that calls itself whatever it is told. */
const RENAMER = `
const { readSync, writeSync } = require('node:fs');
const line = Buffer.alloc(256);
writeSync(1, 'ready\\n');
for (let length; (length = readSync(0, line, 0, 256, null)) > 0; ) {
  process.title = JSON.parse(line.toString('utf8', 0, length));
  writeSync(1, 'done\\n');
}`;

test('live: whatever a process calls itself, it is read under that name', { skip }, async (t) => {
  const child = new Child(t, process.execPath, ['-e', RENAMER]);
  await child.answer();
  const names = [
    ') S 1 1 1',
    '(',
    'a) R (b',
    ' ',
    'line\nbreak',
    '\t',
    '\\n',
    '\x1b[31mred',
    'Uid:\t0',
    '日本語日本語',
    '🙂🙂🙂🙂',
  ];
  for (const build of BUILDS) {
    const engine = await openEngine({ build, maxTasks: MAX_TASKS });
    for (const name of names) {
      await child.ask(JSON.stringify(name));
      const task = readOne(engine, child.pid);
      const bytes = Buffer.alloc(L.COMM_BYTES);
      encodeComm(task.comm, bytes);
      const cut = Buffer.from(name).subarray(0, L.COMM_BYTES - 1);
      assert.deepEqual(bytes, Buffer.concat([cut, Buffer.alloc(L.COMM_BYTES - cut.length)]), JSON.stringify(name));
      assert.equal(task.ppid, process.pid);
      assert.ok(task.rssPages > 1000 && task.pgtablesBytes > 0);
    }
  }
});

const GROUPED = `
process.setgroups(Array.from({ length: 20000 }, (_, index) => 100000 + index));
require('node:fs').writeSync(1, 'ready\\n');
setTimeout(() => undefined, 60000);`;

test('live: a process with 20,000 groups has a status longer than the window, and is read whole', {
  skip,
}, async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root may set groups');
  const child = new Child(t, process.execPath, ['-e', GROUPED]);
  await child.answer();
  assert.ok(readFileSync(`/proc/${child.pid}/status`).length > L.TEXT_BYTES);
  for (const build of BUILDS) {
    const task = readOne(await openEngine({ build, maxTasks: MAX_TASKS }), child.pid);
    assert.ok(task.pgtablesBytes > 0 && task.capEff !== '0' && task.rssAnonPages > 0, 'what only status tells');
  }
});
