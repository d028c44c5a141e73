/** The typed calls over a snapshot: ranking, reasons, explanations. The numbers themselves are held by other tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import { explainTask } from '../../src/explain.js';
import { ineligibleTasks, rankTasks } from '../../src/rank.js';
import { SCHEMES, type SchemeName, schemeNumber } from '../../src/schemes.js';
import { loadTasks, type Task, taskAt } from '../../src/task.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];
const machine = { hz: 100, pageSize: 4096, uptimeS: 50000, totalPages: 1000000 };

const TASKS: Task[] = [
  { tgid: 1, rssPages: 9000, comm: 'init' },
  { tgid: 2, kthread: true, comm: 'kthreadd' },
  {
    tgid: 10,
    rssPages: 500,
    swapPages: 40,
    pgtablesBytes: 8191,
    startTimeTicks: 4_990_000,
    comm: 'small',
    uid: 5,
    euid: 6,
  },
  { tgid: 11, rssPages: 800, utimeJiffies: 1_000_000, startTimeTicks: 0, comm: 'old and busy', uid: 7 },
  { tgid: 12, rssPages: 700, oomScoreAdj: -1000, comm: 'never' },
  { tgid: 13, hasMm: false, comm: 'empty' },
  { tgid: 14, rssPages: 700, oomScoreAdj: -17, nice: 5, startTimeTicks: 4_990_000, comm: 'nice' },
];

async function opened(build: EngineBuild): Promise<Engine> {
  const engine = await openEngine({ build, maxTasks: 64 });
  loadTasks(engine, TASKS, machine);
  return engine;
}

for (const build of BUILDS) {
  test(`rank (${build}): worst first, with the victim, and all of its record`, async () => {
    const engine = await opened(build);
    const { scheme, outcome, victim, ranked, eligible } = rankTasks(engine);
    assert.deepEqual([scheme, outcome, eligible], ['badness', 'victim', 3]);
    const rows = ranked.map(({ rank, tgid, points, slot }) => [rank, tgid, points, slot]);
    assert.deepEqual(rows, [
      [1, 14, 1400, 6],
      [2, 10, 541, 2],
      [3, 11, 200, 3],
    ]);
    assert.equal(victim, ranked[0]);
    const { slot, rank, points, eligible: may, reason, oomScore, chargePages, ...task } = ranked[1]!;
    assert.deepEqual(task, taskAt(engine, slot));
    assert.deepEqual([rank, points, may, reason, oomScore, chargePages], [2, 541, true, null, null, 541]);
    const given = TASKS[2]! as unknown as Record<string, unknown>;
    for (const key of Object.keys(given)) assert.equal((task as Record<string, unknown>)[key], given[key], key);
  });

  test(`rank (${build}): a limit bounds the rows, not the choice`, async () => {
    const engine = await opened(build);
    for (const limit of [0, 1, 2, 3, 100]) {
      const { ranked, victim, eligible } = rankTasks(engine, { scheme: 'resident', limit });
      assert.deepEqual([ranked.length, victim?.tgid, eligible], [Math.min(limit, 3), 11, 3]);
      assert.equal(victim?.rank, limit === 0 ? null : 1);
    }
  });

  test(`rank (${build}): who cannot be chosen says why, in the scheme asked`, async () => {
    const engine = await opened(build);
    const reasons = (scheme: SchemeName) => {
      rankTasks(engine, { scheme });
      return Object.fromEntries(
        ineligibleTasks(engine, scheme).map(({ tgid, reason, points }) => [tgid, [reason, points]]),
      );
    };
    const modern = { 1: ['init', null], 2: ['kthread', null], 12: ['adj -1000', null], 13: ['no mm', null] };
    assert.deepEqual(reasons('badness'), modern);
    assert.deepEqual(reasons('linux-5.9'), modern);
    assert.deepEqual(reasons('linux-2.6.10'), {}, 'spared nobody: no memory is zero points');
  });

  test(`rank (${build}): without tasks there is nobody to choose`, async () => {
    const engine = await opened(build);
    loadTasks(engine, [], machine);
    for (const scheme of SCHEMES) {
      const { outcome, victim, ranked, eligible } = rankTasks(engine, { scheme });
      assert.deepEqual([outcome, victim, ranked, eligible], ['no-victim', null, [], 0], scheme);
    }
    assert.throws(() => explainTask(engine, 0), RangeError);
  });

  test(`rank (${build}): options out of range are RangeErrors that name the value`, async () => {
    const engine = await opened(build);
    const bad: [object, RegExp][] = [
      [{ scheme: 'worst' }, /scheme must be one of linux-2.4.*got "worst"/],
      [{ age: 'young' }, /age must be one of .*got "young"/],
      [{ adj: 'x' }, /adj must be one of .*got "x"/],
      [{ maxDiscount: 0 }, /maxDiscount/],
      [{ maxDiscount: 2 ** 31 + 1 }, /maxDiscount/],
      [{ maxDiscount: Number.NaN }, /maxDiscount/],
      [{ totalPages: -1 }, /totalPages/],
      [{ totalPages: Number.NaN }, /totalPages/],
      [{ domain: 32 }, /domain/],
    ];
    for (const [options, message] of bad) {
      const error = (thrown: unknown) => thrown instanceof RangeError && message.test(thrown.message);
      assert.throws(() => rankTasks(engine, options), error, JSON.stringify(options));
      assert.throws(() => explainTask(engine, 2, options), error, JSON.stringify(options));
    }
  });

  test(`explain (${build}): the terms multiply out to the points that were ranked, in every scheme`, async () => {
    const engine = await opened(build);
    for (const scheme of SCHEMES) {
      const { ranked } = rankTasks(engine, { scheme, totalPages: machine.totalPages });
      for (const { slot, points } of ranked) {
        const terms = explainTask(engine, slot, { scheme, totalPages: machine.totalPages });
        assert.deepEqual([terms.scheme, terms.eligible, terms.points], [scheme, true, points]);
        const shown =
          schemeNumber(scheme) >= schemeNumber('linux-2.6.36') && schemeNumber(scheme) <= schemeNumber('linux-5.9');
        assert.equal(terms.oomScore !== null, shown, `${scheme} has an oom_score`);
      }
    }
    const { base, cpuUnits, cpuDiv, runUnits, discount, niceTimes } = explainTask(engine, 3);
    assert.deepEqual([base, cpuUnits, cpuDiv, runUnits, discount, niceTimes], [800, 976, 31, 48, 4, 1]);
    assert.equal(explainTask(engine, 6).niceTimes, 2);
    const never = explainTask(engine, 4, { scheme: 'linux-5.9', totalPages: machine.totalPages });
    assert.deepEqual([never.eligible, never.points, never.oomScore], [false, null, 0]);
    for (const slot of [-1, 7, 1e6]) {
      assert.throws(() => explainTask(engine, slot), new RegExp(`RangeError: slot must be 0..6, got ${slot}`));
    }
  });
}
