// The round by hand on this machine, never enforced: who is chosen, who never is, and what becomes of token and descriptors.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { openDomain } from '../../src/domains.js';
import { type Engine, openEngine } from '../../src/engine.js';
import { type RoundReport, roundReportToJson } from '../../src/guard/round-report.js';
import { exemptOwnAnd, ownLine } from '../../src/linux/exempt.js';
import { killRound } from '../../src/linux/kill-round.js';
import { readPerCpuPages } from '../../src/linux/machine.js';
import { openQueue, queueTasks } from '../../src/linux/queue-tasks.js';
import { readTasks } from '../../src/linux/read-all.js';
import { definePolicy, type PolicyInput, type RuleHit } from '../../src/policy/index.js';
import { ineligibleTasks, scoreTasks } from '../../src/rank.js';
import { KillToken } from '../../src/token.js';
import { FakeProc } from './support/fake-proc.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const FAR_MS = 2 ** 52;

function engineHere(): Promise<Engine> {
  return openEngine({ maxTasks: readdirSync('/proc').length + 2048 });
}

/** A dry round. Another process of the machine may be chosen and end at that moment: then once more. */
async function dryRound(engine: Engine, input: PolicyInput = {}, queued = ''): Promise<RoundReport> {
  for (let tries = 0; ; tries++) {
    const queue = openQueue(engine);
    queue.replace(queued);
    const report = await killRound(engine, { policy: definePolicy({ ...input, enforce: false }), queue });
    queue.replace('');
    if (report.outcome !== 'gone' || tries > 5) return report;
  }
}

async function startChild(t: TestContext, script = ':'): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sh', ['-c', `${script}; echo; exec sleep 60`], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child as ChildProcess & { pid: number };
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);
}

const descriptors = () => readdirSync('/proc/self/fd').length;

describe('a round by hand, dry', { skip }, () => {
  for (const scheme of ['badness', 'resident', 'family', 'linux-5.9'] as const) {
    test(`${scheme}: somebody is chosen and explained, neither this process nor an ancestor; nothing is held afterwards`, async () => {
      const engine = await engineHere();
      const before = descriptors();
      const report = await dryRound(engine, { scheme });
      assert.equal(report.outcome, 'dry');
      assert.ok(!ownLine().has(report.victim!.tgid));
      assert.equal(report.victim!.rank, 1);
      assert.equal(report.terms!.points, report.victim!.points);
      assert.deepEqual([report.chosenBy, report.kill, report.reaction!.dry], ['scheme', null, true]);
      assert.equal(report.freedBytes, null);
      assert.deepEqual(report.reaction!.planned, ['kill']);
      assert.ok(report.expectedBytes > 0 && report.before.availableBytes > 0);
      assert.equal(new KillToken(engine, 0).holder, undefined);
      assert.equal(descriptors(), before);
    });
  }

  test('enough is available again once the token is held: called off, nobody chosen, the token free', async () => {
    const engine = await engineHere();
    const policy = definePolicy({});
    const report = await killRound(engine, { policy, enoughBytes: 0 });
    assert.deepEqual([report.outcome, report.victim, report.reaction], ['called-off', null, null]);
    assert.equal(new KillToken(engine, 0).holder, undefined);
    assert.equal((await killRound(engine, { policy, enoughBytes: 2 ** 60 })).outcome, 'dry');
  });

  test('a token that another holds: busy, and nobody is even chosen', async () => {
    const engine = await engineHere();
    openDomain(engine, { kind: 'system' });
    const token = new KillToken(engine, 0);
    const operation = token.acquire(FAR_MS)!;
    const report = await dryRound(engine);
    assert.deepEqual([report.outcome, report.victim, report.reaction], ['busy', null, null]);
    assert.equal(token.holder!.operation, operation);
    assert.ok(token.cancel(operation));
    assert.equal((await dryRound(engine)).outcome, 'dry');
  });

  test('a token whose deadline has passed wedges nobody, with a victim or without', async () => {
    for (const victim of [false, true]) {
      const engine = await engineHere();
      openDomain(engine, { kind: 'system' });
      const token = new KillToken(engine, 0);
      const operation = token.acquire(1)!;
      if (victim) assert.ok(token.nameVictim(operation, { id: 4711, startTicks: 1 }, 1));
      assert.equal((await dryRound(engine)).outcome, 'dry');
      assert.equal(token.holder, undefined);
    }
  });

  test('the token is idle again when the round itself fails', async () => {
    const engine = await openEngine({ maxTasks: 64 });
    const token = new KillToken(engine, 0);
    const abi = { ...engine.abi, decision_write: () => assert.fail('no decision today') };
    const failing = Object.create(engine, { abi: { value: abi } }) as Engine;
    await assert.rejects(dryRound(failing), /no decision today/);
    assert.equal(token.holder, undefined);
  });

  test('nobody may be chosen: no-victim, and the reaction to that is only planned', async () => {
    const report = await dryRound(await engineHere(), { never: ['*'], noVictim: 'panic' });
    assert.deepEqual([report.outcome, report.victim], ['no-victim', null]);
    assert.deepEqual([report.reaction!.dry, report.reaction!.panicking], [true, false]);
  });

  test('what only a guard can do is refused, not replaced by a kill', async () => {
    const engine = await engineHere();
    const module = { module: 'file:///own.js', export: 'react' };
    await assert.rejects(dryRound(engine, { reaction: module }), /policy\.reaction: .* needs a guard/);
    await assert.rejects(dryRound(engine, { noVictim: module }), /policy\.noVictim: .* needs a guard/);
    await assert.rejects(dryRound(engine, { domain: { memcg: '/a' } }), /policy\.domain must be/);
  });
});

describe('queued tasks come first', { skip }, () => {
  for (const scheme of ['badness', 'family'] as const) {
    test(`${scheme}: the first alive that may be chosen, held by its own descriptor; the others are named`, async (t) => {
      const engine = await engineHere();
      const child = await startChild(t);
      const before = descriptors();
      const self = process.pid;
      const report = await dryRound(engine, { scheme }, `${self} ${parentOf(self)} ${child.pid}`);
      assert.deepEqual([report.outcome, report.chosenBy, report.victim!.tgid], ['dry', 'queue', child.pid]);
      assert.equal(report.victim!.comm, 'sleep');
      assert.equal(report.expectedBytes, report.victim!.chargePages * 4096);
      const own = [self, parentOf(self)].filter((pid) => pid > 1);
      assert.deepEqual(
        report.passedOver,
        own.map((tgid) => ({ tgid, reason: 'self' })),
      );
      assert.equal(descriptors(), before);
      assert.equal(child.exitCode ?? child.signalCode, null);
    });
  }

  for (const scheme of ['badness', 'family'] as const) {
    test(`${scheme}: a rule that says never holds for the queue, and one that is looked up for it alone is told`, async (t) => {
      const engine = await engineHere();
      const child = await startChild(t);
      const whom = { comm: 'sleep', cmdline: 'sleep 60', ancestor: '/./' };
      const spared = await dryRound(engine, { scheme, rules: [{ ...whom, never: true }] }, String(child.pid));
      assert.deepEqual(spared.passedOver, [{ tgid: child.pid, reason: 'rule' }]);
      const { victim } = await dryRound(engine, { scheme, rules: [{ ...whom, times: '1/4' }] }, String(child.pid));
      assert.equal(victim!.tgid, child.pid);
      const [{ effect, points, assumed }] = victim!.rules! as [RuleHit];
      assert.deepEqual([effect, points, assumed], ['times 1/4', Math.max(Math.floor(victim!.points! / 4), 1), false]);
    });
  }

  test('all dead or exempt: the scheme chooses, and the report says so', async (t) => {
    const engine = await engineHere();
    const child = await startChild(t);
    const queue = openQueue(engine);
    queue.replace(`${child.pid} ${process.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const report = await killRound(engine, { policy: definePolicy({ domain: 'system' }), queue });
    assert.ok(['dry', 'gone'].includes(report.outcome));
    assert.equal(report.chosenBy, 'scheme');
    assert.deepEqual(report.passedOver, [{ tgid: process.pid, reason: 'self' }]);
    assert.notEqual(report.victim!.tgid, child.pid);
  });

  test('among many a queued task is read in full, although its bound alone would have ruled it out', async (t) => {
    const engine = await engineHere();
    const crowd = Array.from({ length: 120 }, () => spawn('sleep', ['60']));
    t.after(() => crowd.forEach((child) => void child.kill('SIGKILL')));
    await Promise.all(crowd.filter(({ pid }) => pid === undefined).map((child) => once(child, 'spawn')));
    const queued = crowd[60]!.pid!;
    const { victim } = await dryRound(engine, {}, String(queued));
    assert.deepEqual([victim!.tgid, victim!.comm, victim!.state], [queued, 'sleep', 'S']);
    assert.equal(victim!.pgtablesBytes % 4096, 0);
    assert.ok(victim!.pgtablesBytes < 2 ** 20, `${victim!.pgtablesBytes} bytes of page tables`);
  });

  test('oom_score_adj counts in thousandths of this machine where policy says so', async (t) => {
    const engine = await engineHere();
    const child = await startChild(t, 'echo 500 > /proc/self/oom_score_adj');
    const report = await dryRound(engine, { parameters: { adj: 'kernel' } }, String(child.pid));
    assert.equal(report.victim!.oomScoreAdj, 500);
    assert.equal(report.terms!.adjPages, 500 * Math.floor(report.before.totalBytes / 4096 / 1000));
  });

  test('a thread id is taken for its group; an id that nobody has, and a zombie, for nobody', async (t) => {
    const threads = readdirSync('/proc/self/task').map(Number);
    const thread = threads.find((tid) => tid !== process.pid)!;
    const opened = queueTasks.open(thread)!;
    assert.equal(opened.tgid, process.pid);
    assert.ok(queueTasks.isAlive(opened.handle));
    queueTasks.close(opened.handle);
    assert.equal(queueTasks.open(4_194_304), undefined);
    // The shell becomes a program that never waits for its child, before that has ended.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => parent.kill('SIGKILL'));
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
    const zombie = Number(String(line));
    for (let tries = 0; !/\) Z /.test(readFileSync(`/proc/${zombie}/stat`, 'latin1')); tries++) {
      assert.ok(tries < 6000, 'no zombie came to be');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(queueTasks.open(zombie), undefined);
  });
});

describe('whom a guard never chooses', { skip }, () => {
  /** 1 ← 20 (session leader) ← 30 ← 40 (ourselves); 50 and 60 are others, 2 a kernel thread. */
  function family(t: TestContext): FakeProc {
    const proc = new FakeProc();
    t.after(() => proc.remove());
    const task = (pid: number, ppid: number, comm: string) => ({ pid, ppid, sid: 20, comm, rss: 1000, vm: 2000 });
    proc.put(task(1, 0, 'init'));
    proc.put({ ...task(2, 0, 'kthreadd'), flags: 0x200000, mm: false });
    for (const [pid, ppid, comm] of [
      [15, 1, 'supervisor'],
      [20, 15, 'shell'],
      [30, 20, 'launcher'],
      [40, 30, 'guard'],
      [50, 1, 'sshd-session'],
      [60, 30, 'brother'],
    ] as const) {
      proc.put(task(pid, ppid, comm));
    }
    return proc;
  }

  test('itself and all its ancestors below pid 1, not only those of its session', (t) => {
    const { root } = family(t);
    assert.deepEqual([...ownLine(root, 40)].sort(), [15, 20, 30, 40]);
    assert.deepEqual([...ownLine(root, 60)].sort(), [15, 20, 30, 60]);
    // Gone, or not visible here: then only itself.
    assert.deepEqual([...ownLine(root, 99)], [99]);
  });

  test('a line of parents that closes in itself ends', (t) => {
    const proc = family(t);
    proc.put({ pid: 15, ppid: 40 });
    assert.deepEqual([...ownLine(proc.root, 40)].sort(), [15, 20, 30, 40]);
  });

  test('each has its reason; whoever is neither may be chosen', async (t) => {
    const { root } = family(t);
    const engine = await openEngine({ maxTasks: 64 });
    readTasks(engine, { root, exempt: exemptOwnAnd(['sshd*'], root, 40) });
    assert.equal(scoreTasks(engine, { scheme: 'badness' }), 1);
    const reasons = ineligibleTasks(engine, 'badness').map(({ tgid, reason }) => [tgid, reason]);
    assert.deepEqual(Object.fromEntries(reasons), {
      1: 'init',
      2: 'kthread',
      15: 'self',
      20: 'self',
      30: 'self',
      40: 'self',
      50: 'rule',
    });
  });
});

test('what processors keep at hand is the sum of `count:` in zoneinfo, 0 where there is none', (t) => {
  const proc = new FakeProc();
  t.after(() => proc.remove());
  assert.equal(readPerCpuPages(proc.root), 0);
  const cpu = (count: number) => `    cpu: 0\n              count:    ${count}\n              high:     9999\n`;
  proc.file('zoneinfo', `Node 0, zone   Normal\n  pages free     77\n  pagesets\n${cpu(47_000)}${cpu(12)}`);
  assert.equal(readPerCpuPages(proc.root), 47_012);
});

test('report: JSON has snake_case keys, a task record for the victim, and no member of the library alone', {
  skip,
}, async () => {
  const json = roundReportToJson(await dryRound(await engineHere()));
  assert.deepEqual(
    Object.keys(json).join(' '),
    'schema outcome reason domain enforce chosen_by queue_stale passed_over plugin rules decision victim terms expected_bytes freed_bytes before after kill panicking total_ms',
  );
  assert.ok('rss_pages' in (json.victim as object) && !('slot' in (json.victim as object)));
  assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
});
