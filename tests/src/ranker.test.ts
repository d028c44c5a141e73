// The user-space ranker: what it writes into the queue, for how long that counts, and what becomes of it when it fails.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../../src/engine.js';
import { exemptOwnAnd } from '../../src/linux/exempt.js';
import { killRound } from '../../src/linux/kill-round.js';
import { systemDomain } from '../../src/linux/linux-domain.js';
import { monotonicMs } from '../../src/linux/linux-world.js';
import { openQueue } from '../../src/linux/queue-tasks.js';
import { RankedPids, rankedPids } from '../../src/linux/ranked-pids.js';
import { Ranker } from '../../src/linux/ranker.js';
import { readTasks } from '../../src/linux/read-all.js';
import { openRules } from '../../src/linux/rules.js';
import { definePolicy, selectBy } from '../../src/policy/index.js';
import { CandidateQueue, type ReplaceOptions } from '../../src/queue.js';
import { rankTasks } from '../../src/rank.js';
import type { SchemeName } from '../../src/schemes.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';
import { ManualClock } from './support/manual-clock.js';
import { meminfoText } from './support/pressure-fixtures.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const SCHEMES: SchemeName[] = ['badness', 'resident', 'linux-2.6.10', 'linux-5.9', 'family'];

/** Tasks of all sizes and ages, in no order; some that may not be chosen. */
function crowd(t: TestContext, count = 150): FakeProc {
  const proc = new FakeProc({ uptimeS: 900_000 });
  t.after(() => proc.remove());
  proc.file('meminfo', meminfoText({ total: 16_777_216, free: 9000, available: 9_000_000, anon: 7_000_000 }));
  proc.put({ pid: 1, ppid: 0, comm: 'init', vm: 90_000, rss: 80_000 });
  proc.put({ pid: 2, ppid: 0, comm: 'kthreadd', flags: 0x200000, mm: false });
  proc.put({ pid: 3, comm: 'sshd', vm: 90_000, rss: 80_000 });
  proc.put({ pid: 4, comm: 'never', vm: 90_000, rss: 80_000, adj: -1000 });
  for (let pid = 10; pid < 10 + count; ++pid) proc.put(member(pid));
  return proc;
}

function member(pid: number): FakeTask {
  const rss = 100 + ((pid * 7919) % 50_000);
  const start = (pid * 104_729) % 80_000_000;
  return { pid, vm: rss * 3, rss, pte: Math.ceil(rss / 100), start, utime: (pid * 31) % 900_000, sid: pid - (pid % 3) };
}

/** The order of a ranking of everybody in full, less those whom only policy keeps. */
async function rankingOf(proc: FakeProc, scheme: SchemeName): Promise<number[]> {
  const engine = await openEngine({ maxTasks: 512 });
  const { machine } = readTasks(engine, { root: proc.root });
  const { ranked } = rankTasks(engine, { scheme, totalPages: machine.totalPages });
  return ranked.map(({ tgid }) => tgid).filter((tgid) => tgid !== 3);
}

describe('ranker: whom it writes', { skip }, () => {
  test('rules count: the order is that of their points, also of those that were never read before', async (t) => {
    const proc = crowd(t);
    for (let pid = 20; pid < 160; ++pid) proc.file(`${pid}/cgroup`, `0::/n/${pid % 4}\n`);
    const { rules } = definePolicy({
      rules: [
        { comm: 'task-*7', times: '3/1' },
        { comm: '/task-[1-5]/', cgroup: '/n/2', never: true },
        { comm: 'task-9*', class: 'first', least: '0B' },
        { comm: '/0$/', times: '1/9' },
      ],
    });
    const opened = async (engine: Engine) => (await openRules(engine, rules, { root: proc.root, now: () => 0 })).rules!;
    const full = await openEngine({ maxTasks: 512 });
    const all = await opened(full);
    const { machine } = readTasks(full, { root: proc.root, exempt: exemptOwnAnd(['sshd'], proc.root) });
    const scoring = { scheme: 'resident', totalPages: machine.totalPages } as const;
    selectBy(full, scoring, { rules: all });
    for (let slot = 0; slot < full.count; ++slot) all.settle(slot);
    const count = full.abi.rank(L.SCHEME_RESIDENT, 30);
    const expected = Array.from({ length: count }, (_, index) => full.u32(L.C_ID, full.ordered(index)));
    const engine = await openEngine({ maxTasks: 512 });
    const policy = definePolicy({ scheme: 'resident', rules });
    const options = { policy, rules: await opened(engine), root: proc.root, count: 30 };
    assert.deepEqual(rankedPids(engine, options), expected);
    assert.throws(() => rankedPids(engine, { policy, root: proc.root }), /^TypeError: policy\.rules must be opened/);
  });

  for (const scheme of SCHEMES) {
    test(`${scheme}: the queue holds the order of the ranking, worst first, and nobody who may not be chosen`, async (t) => {
      const proc = crowd(t);
      const queue = new CandidateQueue(await openEngine({ maxTasks: 1 }));
      const engine = await openEngine({ maxTasks: 512 });
      const ranker = new Ranker(engine, { policy: definePolicy({ scheme }), root: proc.root, queue });
      assert.ok(ranker.refresh());
      const order = await rankingOf(proc, scheme);
      assert.equal(queue.text(), `${order.slice(0, 10).join(' ')}\n`);
      assert.deepEqual(rankedPids(engine, { policy: definePolicy({ scheme }), root: proc.root, count: 4096 }), order);
      ranker.close();
      assert.equal(queue.text(), '\n');
    });
  }

  test('ranker: each list is that of its own time, read anew', async (t) => {
    const proc = crowd(t, 30);
    const engine = await openEngine({ maxTasks: 512 });
    const ranked = new RankedPids(engine, { policy: definePolicy({ scheme: 'resident' }), root: proc.root, count: 3 });
    for (const [pid, rss] of [
      [15, 70_000],
      [20, 75_000],
      [15, 79_000],
    ] as const) {
      proc.put({ ...member(pid), rss, vm: 90_000 });
      const worst = ranked.read();
      assert.equal(worst[0], pid);
      assert.deepEqual(worst, (await rankingOf(proc, 'resident')).slice(0, 3));
    }
    ranked.close();
  });

  test('ranker: among very many equals the list ends where everybody would have to be read; what is in it is right', async (t) => {
    const proc = crowd(t, 0);
    const equals = 1500;
    for (let pid = 100; pid < 100 + equals; ++pid) proc.put({ pid, vm: 3000, rss: 1000, pte: 40, start: 100 });
    for (const pid of [2000, 2001, 2002]) proc.put({ pid, vm: 90_000, rss: pid * 10, pte: 100, start: 100 });
    const engine = await openEngine({ maxTasks: 2048 });
    const ranked = new RankedPids(engine, { policy: definePolicy({ scheme: 'resident' }), root: proc.root });
    assert.deepEqual(ranked.read(), [2002, 2001, 2000]);
    let bounds = 0;
    for (let slot = 0; slot < engine.count; ++slot) {
      if ((engine.u32(L.C_FLAGS, slot) & L.TASK_BOUND) !== 0) bounds += 1;
    }
    assert.ok(bounds > 1000, `${bounds} of ${engine.count} were not read in full`);
    ranked.close();
    const all = rankedPids(engine, { policy: definePolicy({ scheme: 'resident' }), root: proc.root, count: 1000 });
    assert.equal(all.length, 1000);
  });

  test('ranker: this process and its ancestors are never in the list', async () => {
    const engine = await openEngine({ maxTasks: readdirSync('/proc').length + 2048 });
    const pids = rankedPids(engine, { policy: definePolicy({ never: [] }), count: 4096 });
    assert.ok(pids.length > 0);
    assert.ok(!pids.includes(process.pid) && !pids.includes(process.ppid));
  });

  test('ranker: a count or pace that is none is refused', async () => {
    const engine = await openEngine({ maxTasks: 64 });
    const queue = new CandidateQueue(engine);
    const policy = definePolicy();
    for (const count of [0, 1.5, 4097]) assert.throws(() => new RankedPids(engine, { policy, count }), RangeError);
    for (const everyMs of [0, 19, 60_001, Number.NaN]) {
      assert.throws(() => new Ranker(engine, { policy, queue, everyMs }), RangeError);
    }
  });
});

/** A queue that only remembers, and fails when told to. */
class Recorder {
  readonly lists: { text: string; untilMs: number }[] = [];
  fails = false;

  replace(text: string | Uint8Array, { untilMs = Number.POSITIVE_INFINITY }: ReplaceOptions = {}) {
    if (this.fails) throw new Error('no descriptor left');
    this.lists.push({ text: String(text), untilMs });
    return { count: String(text).split(' ').length, gone: [] };
  }
}

describe('ranker: when', { skip }, () => {
  async function started(t: TestContext, everyMs?: number) {
    const proc = crowd(t, 20);
    const clock = new ManualClock();
    const queue = new Recorder();
    const policy = definePolicy({ scheme: 'resident' });
    const pace = everyMs === undefined ? {} : { everyMs };
    const ranker = new Ranker(await openEngine({ maxTasks: 64 }), { policy, root: proc.root, queue, clock, ...pace });
    ranker.start();
    return { clock, queue, ranker };
  }

  test('ranker: once a second unless told otherwise; a list counts for three times the pace', async (t) => {
    for (const everyMs of [undefined, 200]) {
      const { clock, queue, ranker } = await started(t, everyMs);
      const pace = everyMs ?? 1000;
      await clock.advance(3 * pace);
      assert.deepEqual(
        queue.lists.map(({ untilMs }) => untilMs),
        [0, 1, 2, 3].map((round) => 1000 + round * pace + 3 * pace),
      );
      ranker.close();
      await clock.advance(10 * pace);
      assert.deepEqual([queue.lists.length, queue.lists.at(-1)!.text, clock.pending], [5, '', 0]);
    }
  });

  test('ranker: what a ranking takes is part of the time from one list to the next', async (t) => {
    const proc = crowd(t, 20);
    const clock = new ManualClock();
    const queue = new Recorder();
    const domain = systemDomain(proc.root);
    const read = domain.reader.read.bind(domain.reader);
    domain.reader.read = () => {
      clock.block(500);
      return read();
    };
    const policy = definePolicy({ scheme: 'resident' });
    const ranker = new Ranker(await openEngine({ maxTasks: 64 }), { policy, root: proc.root, domain, queue, clock });
    ranker.refresh();
    assert.equal(queue.lists[0]!.untilMs, 1000 + 3 * 1500);
    ranker.close();
  });

  test('ranker: a failure is counted, the list before stays, and the next one follows', async (t) => {
    const { clock, queue, ranker } = await started(t);
    queue.fails = true;
    await clock.advance(2000);
    assert.deepEqual(ranker.counters, {
      refreshes: 1,
      failures: 2,
      lastError: 'Error: no descriptor left',
      queued: 10,
    });
    queue.fails = false;
    await clock.advance(1000);
    assert.deepEqual([queue.lists.length, ranker.counters.refreshes, ranker.counters.failures], [2, 2, 2]);
    ranker.close();
  });

  test('ranker: started twice it still refreshes once in its time', async (t) => {
    const { clock, queue, ranker } = await started(t);
    ranker.start();
    await clock.advance(1000);
    assert.equal(queue.lists.length, 3);
    ranker.close();
  });
});

async function sleeper(t: TestContext): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

describe('ranker: what a guard does with its lists', { skip }, () => {
  const maxTasks = readdirSync('/proc').length + 2048;
  const policy = definePolicy({ scheme: 'resident' });

  test('ranker: a round takes the first of its list; once the ranker has stopped, the scheme chooses', async () => {
    const engine = await openEngine({ maxTasks });
    const queue = openQueue(engine);
    for (const [now, stale] of [
      [() => monotonicMs(), false],
      [() => monotonicMs() - 10_000, true],
    ] as const) {
      const clock = { now, after: () => () => {} };
      const ranker = new Ranker(await openEngine({ maxTasks }), { policy, queue, clock });
      ranker.refresh();
      const waiting = queue.text().trim().split(' ').map(Number);
      const report = await killRound(engine, { policy, queue });
      assert.deepEqual([report.queueStale, report.chosenBy], [stale, stale ? 'scheme' : 'queue']);
      // Others of this machine may have ended since.
      if (!stale) assert.ok(waiting.includes(report.victim!.tgid));
      ranker.close();
    }
  });

  test('ranker: who has died since is dropped, whoever has the pid now', async (t) => {
    const queue = openQueue(await openEngine({ maxTasks: 1 }));
    const dead = await sleeper(t);
    const alive = await sleeper(t);
    queue.replace(`${dead.pid} ${alive.pid}`, { untilMs: monotonicMs() + 60_000 });
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const engine = await openEngine({ maxTasks });
    const report = await killRound(engine, { policy, queue });
    assert.deepEqual([report.chosenBy, report.victim!.tgid, report.passedOver], ['queue', alive.pid, []]);
  });
});
