// The ranking for somebody who looks on: the same rows as everybody in full, of fewer readings; protected tasks; what comes and goes.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { explainTask } from '../../src/explain.js';
import { LiveRanking, type LiveRankingOptions } from '../../src/linux/live-ranking.js';
import { readTasks } from '../../src/linux/read-all.js';
import { rankTasks, type ScoreOptions } from '../../src/rank.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';

const skip = process.platform !== 'linux' && 'needs Linux';

function member(pid: number, turn = 0): FakeTask {
  const rss = 100 + ((pid * 7919 + turn * 104_729) % 50_000);
  const start = (pid * 104_729) % 80_000_000;
  const more = { start, utime: (pid * 31) % 900_000, adj: pid % 4 === 0 ? 2 : 0 };
  return { pid, vm: rss * 3, rss, statRss: rss, pte: Math.ceil(rss / 100), ...more };
}

function crowd(t: TestContext, count = 120): FakeProc {
  const proc = new FakeProc({ uptimeS: 900_000 });
  t.after(() => proc.remove());
  proc.put({ pid: 1, ppid: 0, comm: 'init', vm: 90_000, rss: 80_000 });
  proc.put({ pid: 2, ppid: 0, comm: 'kthreadd', flags: 0x200000, mm: false });
  proc.put({ pid: 4, comm: 'never', vm: 90_000, rss: 80_000, adj: -1000 });
  for (let pid = 10; pid < 10 + count; ++pid) proc.put(member(pid));
  return proc;
}

async function live(t: TestContext, options: LiveRankingOptions): Promise<LiveRanking> {
  const ranking = new LiveRanking(await openEngine({ maxTasks: 256 }), options);
  t.after(() => ranking.close());
  return ranking;
}

const rowOf = ({
  tgid,
  points,
  rank,
  comm,
}: {
  tgid: number;
  points: number | null;
  rank: number | null;
  comm: string;
}) => `${rank} ${tgid} ${points} ${comm}`;

/** Everybody in full. */
async function wholeRows(root: string, scoring: ScoreOptions, count: number): Promise<string[]> {
  const engine = await openEngine({ maxTasks: 256 });
  const { machine } = readTasks(engine, { root });
  return rankTasks(engine, { ...scoring, totalPages: machine.totalPages, limit: count }).ranked.map(rowOf);
}

const SCORINGS: ScoreOptions[] = [
  {},
  { scheme: 'resident' },
  { scheme: 'linux-2.6.10' },
  { scheme: 'linux-5.9' },
  { scheme: 'family' },
  { maxDiscount: 64 },
  { age: 'spare-young' },
  { adj: 'kernel' },
];

describe('live ranking', { skip }, () => {
  for (const scoring of SCORINGS) {
    test(`${JSON.stringify(scoring)}: its rows are those of everybody in full, turn after turn`, async (t) => {
      const proc = crowd(t);
      const ranking = await live(t, { root: proc.root, ...scoring });
      for (let turn = 0; turn < 4; ++turn) {
        for (let pid = 10 + turn; pid < 130; pid += 5) proc.put(member(pid, turn));
        const count = 5 + turn * 7;
        const { ranking: read, tasks } = ranking.read(count);
        assert.deepEqual(read.ranked.map(rowOf), await wholeRows(proc.root, scoring, count));
        assert.equal(read.victim?.tgid, read.ranked[0]!.tgid);
        assert.equal(tasks, 123);
      }
    });
  }

  test('a bounded scheme reads few in full, Infinity reads everybody, and few again afterwards', async (t) => {
    const proc = crowd(t);
    const ranking = await live(t, { root: proc.root, scheme: 'resident' });
    assert.equal(ranking.bounded, true);
    ranking.read(5);
    // Whoever is small is not looked at: without its status nobody could read it in full.
    const small = member(10).rss! < member(11).rss! ? 10 : 11;
    const rows = ranking.read(5).ranking.ranked.map(rowOf);
    proc.drop(small, 'status');
    const few = ranking.read(5);
    assert.deepEqual([few.tasks, few.ranking.ranked.map(rowOf)], [123, rows]);
    proc.put(member(small));
    assert.deepEqual(
      ranking.read(Number.POSITIVE_INFINITY).ranking.ranked.map(rowOf),
      await wholeRows(proc.root, { scheme: 'resident' }, 256),
    );
    assert.deepEqual(ranking.read(5).ranking.ranked.map(rowOf), rows);
  });

  test('among hundreds of equals it does not read everybody each time: it gives those it can tell, and says so', async (t) => {
    const proc = crowd(t, 0);
    for (let pid = 1000; pid < 1700; ++pid) proc.put({ pid, vm: 300, rss: 100 });
    for (let pid = 10; pid < 20; ++pid) proc.put({ pid, vm: 90_000, rss: 60_000 + pid });
    const engine = await openEngine({ maxTasks: 1024 });
    const ranking = new LiveRanking(engine, { root: proc.root, scheme: 'resident' });
    t.after(() => ranking.close());
    const pids = (rows: readonly { tgid: number }[]) => rows.map(({ tgid }) => tgid);
    const large = [19, 18, 17, 16, 15, 14, 13, 12, 11, 10];
    const first = ranking.read(34);
    assert.deepEqual([first.ranking.ranked.length, first.cut], [34, false]);
    for (let turn = 0; turn < 15; ++turn) {
      const { ranking: next, cut } = ranking.read(34);
      assert.deepEqual([pids(next.ranked), cut], [large, true], `turn ${turn}`);
    }
    assert.deepEqual([ranking.read(34).ranking.ranked.length, ranking.read(10).cut], [34, false]);
    const all = ranking.read(Number.POSITIVE_INFINITY);
    assert.deepEqual([all.ranking.ranked.length, all.cut], [710, false]);
  });

  test('after everybody was read, a row is still the row of its task', async (t) => {
    const proc = crowd(t);
    const victim = (await live(t, { root: proc.root })).read(1).ranking.victim!.tgid;
    const pids = readdirSync(proc.root).filter((name) => /^[1-9]/.test(name));
    const at = pids.indexOf(String(victim));
    const ranking = await live(t, { root: proc.root, except: Number(pids[at + 1]) });
    const rows = ranking.read(40).ranking.ranked.map(rowOf);
    // Of this one there is no row in the full reading, so those behind it stand one higher: where the victim was stands who is never chosen.
    const missing = Number(pids.slice(0, at).findLast((pid) => Number(pid) >= 10));
    proc.drop(missing, 'status');
    ranking.read(Number.POSITIVE_INFINITY);
    proc.put(member(missing));
    assert.deepEqual(ranking.read(40).ranking.ranked.map(rowOf), rows);
  });

  test('schemes and parameters whose bounds would tell nothing are not bounded', async (t) => {
    const { root } = crowd(t);
    for (const scoring of SCORINGS) {
      const bounded = !['linux-5.9', 'family'].includes(scoring.scheme ?? '') && !scoring.adj && !scoring.age;
      assert.equal((await live(t, { root, ...scoring })).bounded, bounded, JSON.stringify(scoring));
    }
  });

  test('the one who looks is not chosen', async (t) => {
    const proc = crowd(t);
    const first = (await live(t, { root: proc.root })).read(1).ranking.victim!.tgid;
    for (const scheme of ['badness', 'linux-5.9'] as const) {
      const ranking = await live(t, { root: proc.root, scheme, except: first });
      assert.ok(!ranking.read(200).ranking.ranked.some(({ tgid }) => tgid === first));
    }
  });

  for (const scheme of ['badness', 'linux-5.9'] as const) {
    test(`${scheme}: who is protected is not chosen, is given apart with its reason, and can be chosen again`, async (t) => {
      const proc = crowd(t);
      const ranking = await live(t, { root: proc.root, scheme });
      const [one, two] = ranking.read(3).ranking.ranked.map(({ tgid }) => tgid) as [number, number];
      ranking.protect(new Set([one, 4_000_000]));
      for (let round = 0; round < 3; ++round) {
        const read = ranking.read(3);
        assert.equal(read.ranking.victim?.tgid, two);
        assert.deepEqual(
          read.protected.map(({ tgid, reason, comm, points }) => [tgid, reason, comm, points]),
          [[one, 'protected', `task-${one}`, null]],
        );
      }
      ranking.protect(new Set());
      const last = ranking.read(200).ranking.ranked.at(-1)!;
      ranking.read(3);
      ranking.protect(new Set([last.tgid]));
      assert.deepEqual(
        ranking.read(3).protected.map(({ tgid, comm, reason }) => [tgid, comm, reason]),
        [[last.tgid, last.comm, 'protected']],
        'one that is not among the worst is read in full as well',
      );
      ranking.protect(new Set());
      const again = ranking.read(3);
      assert.deepEqual([again.ranking.victim?.tgid, again.protected], [one, []]);
    });
  }

  test('its rows can be explained until the next reading, and give the same points', async (t) => {
    const proc = crowd(t);
    const engine = await openEngine({ maxTasks: 256 });
    const ranking = new LiveRanking(engine, { root: proc.root });
    t.after(() => ranking.close());
    for (const { slot, points } of ranking.read(9).ranking.ranked) {
      assert.equal(explainTask(engine, slot).points, points);
    }
  });

  test('who ends is gone, and who takes its pid is read anew', async (t) => {
    const proc = crowd(t);
    const ranking = await live(t, { root: proc.root });
    const victim = ranking.read(2).ranking.victim!;
    proc.end(victim.tgid);
    assert.notEqual(ranking.read(2).ranking.victim?.tgid, victim.tgid);
    proc.put({
      ...member(victim.tgid),
      comm: 'another',
      rss: 60_000,
      statRss: 60_000,
      vm: 90_000,
      utime: 0,
      start: 89_000_000,
    });
    const read = [ranking.read(2), ranking.read(2)].at(-1)!.ranking.victim!;
    assert.deepEqual([read.tgid, read.comm], [victim.tgid, 'another']);
  });
});
