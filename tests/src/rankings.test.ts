// Whom a guard would choose, for those who ask beside its rounds: its rules, one reading a second, one at a time.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../../src/engine.js';
import type { Exempt } from '../../src/linux/exempt.js';
import { Rankings, type Rules } from '../../src/linux/rankings.js';
import { FakeProc } from './support/fake-proc.js';

interface Machine {
  readonly proc: FakeProc;
  readonly rankings: Rankings;
  readonly clock: { nowMs: number };
  readonly opened: Engine[];
}

function machine(t: TestContext, more: Partial<Rules> & { exempt?: Exempt } = {}): Machine {
  const proc = new FakeProc({});
  t.after(() => proc.remove());
  proc.put({ pid: 40, comm: 'hog', vm: 900, rss: 700 });
  proc.put({ pid: 41, comm: 'small', vm: 90, rss: 50 });
  proc.put({ pid: 42, comm: 'middle', vm: 400, rss: 300 });
  const { exempt = () => 0, ...rest } = more;
  const rules: Rules = {
    options: { scheme: 'resident' },
    read: { root: proc.root, exempt },
    totalPages: () => 5000,
    ...rest,
  };
  const clock = { nowMs: 1000 };
  const opened: Engine[] = [];
  const open = async () => {
    const engine = await openEngine({ maxTasks: 64 });
    opened.push(engine);
    return engine;
  };
  return { proc, rankings: new Rankings(rules, open, () => clock.nowMs), clock, opened };
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
