// Whom a guard would choose, for those who ask beside its rounds: its rules, one reading a second, one at a time.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../../src/engine.js';
import type { Exempt } from '../../src/linux/exempt.js';
import { type Choosing, Rankings } from '../../src/linux/rankings.js';
import { FunctionPoints } from '../../src/plugin/points-source.js';
import { definePolicy } from '../../src/policy/policy.js';
import type { Rule } from '../../src/policy/rule.js';
import { FakeProc } from './support/fake-proc.js';

/** Looking at files may take as long as it takes. */
const STANDING = { now: () => 0 };

interface Machine {
  readonly proc: FakeProc;
  readonly rankings: Rankings;
  readonly clock: { nowMs: number };
  readonly opened: Engine[];
}

function machine(t: TestContext, more: Partial<Choosing> & { exempt?: Exempt; rules?: readonly Rule[] } = {}): Machine {
  const proc = new FakeProc({});
  t.after(() => proc.remove());
  proc.put({ pid: 40, comm: 'hog', vm: 900, rss: 700 });
  proc.put({ pid: 41, comm: 'small', vm: 90, rss: 50 });
  proc.put({ pid: 42, comm: 'middle', vm: 400, rss: 300 });
  const { exempt = () => 0, rules = [], ...rest } = more;
  const choosing: Choosing = {
    options: { scheme: 'resident' },
    read: { root: proc.root, exempt, ...STANDING },
    totalPages: () => 5000,
    plugin: null,
    ...rest,
  };
  const clock = { nowMs: 1000 };
  const opened: Engine[] = [];
  const open = async () => {
    const engine = await openEngine({ maxTasks: 128 });
    opened.push(engine);
    return engine;
  };
  return { proc, rankings: new Rankings(choosing, { open, now: () => clock.nowMs, rules }), clock, opened };
}

const pids = (ranked: { ranking: { ranked: { tgid: number }[] } }) => ranked.ranking.ranked.map(({ tgid }) => tgid);

test('rankings: by the scheme, the parameters and the exemptions of the guard, of the memory of its domain', async (t) => {
  const exempt: Exempt = ({ fields }) => (fields[L.FIELD_TGID] === 40 ? L.TASK_PROTECTED : 0);
  const { rankings } = machine(t, { exempt });
  const ranked = await rankings.rank();
  assert.deepEqual(pids(ranked), [42, 41]);
  assert.deepEqual([ranked.ranking.victim?.tgid, ranked.ranking.eligible, ranked.reading.tasks], [42, 2, 3]);
  assert.deepEqual(ranked.options, { scheme: 'resident', totalPages: 5000 });
  const { task, terms } = await rankings.explain(40);
  assert.deepEqual([task.reason, terms.reason, terms.rank, task.rank], ['protected', 'protected', null, null]);
});

test('rankings: those who ask within a second get the same, later a new one; the engine is opened once, when it is needed', async (t) => {
  const { rankings, proc, clock, opened } = machine(t);
  assert.equal(opened.length, 0);
  const [one, two] = await Promise.all([rankings.rank(), rankings.rank()]);
  assert.equal(one, two);
  proc.put({ pid: 43, comm: 'new', vm: 2000, rss: 1500 });
  clock.nowMs += 999;
  assert.equal(await rankings.rank(), one);
  clock.nowMs += 1;
  assert.deepEqual(pids(await rankings.rank()), [43, 40, 42, 41]);
  assert.equal(opened.length, 1);
});

test('rankings: explained in another scheme, and the next one is again in that of the guard', async (t) => {
  const { rankings } = machine(t);
  const other = await rankings.explain(42, 'linux-2.6.10');
  assert.deepEqual(
    [other.terms.scheme, other.terms.base, other.task.points, other.task.rank],
    ['linux-2.6.10', 400, 300, 2],
  );
  const own = await rankings.explain(42);
  assert.deepEqual([own.terms.scheme, own.terms.points, own.terms.rank], ['resident', 300, 2]);
  assert.deepEqual(pids(await rankings.rank()), [40, 42, 41]);
});

test('rankings: no such task is ESRCH; one refusal, or a reading that failed, is not that of the next', async (t) => {
  let broken = true;
  const { rankings } = machine(t, {
    totalPages: () => {
      if (broken) throw new Error('unreadable');
      return 5000;
    },
  });
  const first = rankings.rank();
  const second = rankings.rank().catch((error: Error) => error.message);
  await assert.rejects(first, /unreadable/);
  assert.equal(await second, 'unreadable');
  broken = false;
  await assert.rejects(rankings.explain(77), { code: 'ESRCH' });
  assert.deepEqual(pids(await rankings.rank()), [40, 42, 41]);
});

test('rankings: the rules of the policy change places and exclude, and are told of a task', async (t) => {
  const rules = definePolicy({
    rules: [
      { comm: 'hog', never: true },
      { comm: 'small', times: 10 },
    ],
  }).rules;
  const { rankings } = machine(t, { rules });
  const ranked = await rankings.rank();
  assert.deepEqual(
    ranked.ranking.ranked.map(({ tgid, points, rank }) => [tgid, points, rank]),
    [
      [41, 500, 1],
      [42, 300, 2],
    ],
  );
  assert.deepEqual([ranked.ranking.victim?.tgid, ranked.ranking.eligible], [41, 2]);
  const { task, terms } = await rankings.explain(41, 'linux-2.6.10');
  assert.deepEqual([task.points, task.rank, terms.base], [500, 1, 90]);
  assert.deepEqual(
    task.rules?.map(({ rule, effect, points }) => [rule, effect, points]),
    [[2, 'times 10/1', 500]],
  );
  const hog = await rankings.explain(40);
  assert.deepEqual([hog.task.eligible, hog.task.reason, hog.task.rank], [false, 'rule', null]);
  assert.deepEqual(
    (await rankings.explain(42)).ranking.ranked.map(({ tgid }) => tgid),
    [41, 42],
  );
});

test('rankings: a rule on files of a task is looked at for the worst, and moves them', async (t) => {
  const rules = definePolicy({ rules: [{ cgroup: '/spared', class: 'last' }] }).rules;
  const { rankings, proc } = machine(t, { rules });
  for (const [pid, path] of [
    [40, '/spared'],
    [41, '/other'],
    [42, '/spared'],
  ] as const) {
    writeFileSync(join(proc.root, String(pid), 'cgroup'), `0::${path}\n`);
  }
  assert.deepEqual(pids(await rankings.rank()), [41, 40, 42]);
});

test('rankings: a rule on files counts once for a task that nobody had looked at yet', async (t) => {
  const rules = definePolicy({ rules: [{ cgroup: '/doubled', times: 2 }] }).rules;
  const { rankings, proc } = machine(t, { rules });
  for (let pid = 100; pid < 170; ++pid) proc.put({ pid, comm: 'many', vm: 400, rss: 300 });
  writeFileSync(join(proc.root, '41', 'cgroup'), '0::/doubled\n');
  const { ranking } = await rankings.rank();
  const before = ranking.ranked.find(({ tgid }) => tgid === 41)!;
  assert.deepEqual([before.rules?.[0]?.assumed, before.rank], [true, 73], 'the worst 64 are looked at');
  const { task } = await rankings.explain(41);
  assert.equal(task.points, 100);
  assert.deepEqual(
    task.rules?.map(({ effect, points, assumed }) => [effect, points, assumed]),
    [['times 2/1', 100, false]],
  );
});

test('rankings: to be explained a task takes no second question to a plug-in', async (t) => {
  let asked = 0;
  const given = new FunctionPoints(({ rssPages }) => 1000 - rssPages);
  const plugin = {
    score: (engine: Engine, totalPages: number) => {
      asked += 1;
      return given.score(engine, totalPages);
    },
    pointsOf: (slot: number) => given.pointsOf(slot),
  };
  const { rankings } = machine(t, { plugin });
  const { task, terms } = await rankings.explain(41);
  assert.deepEqual([task.points, task.rank, terms.points], [950, 1, 50]);
  assert.equal(asked, 1);
});
