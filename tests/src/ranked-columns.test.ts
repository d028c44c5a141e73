/** A whole ranking as columns says what rankTasks says a row at a time, and what rules make of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ineligibleTasks, loadTasks, openEngine, rankTasks, SCHEMES, type Task } from '../../src/index.js';
import { compileRules, definePolicy, NO_TEXTS, RowRules, type RuleInput, rankColumns } from '../../src/policy/index.js';
import fc from './support/fast-check.js';

const engine = await openEngine({ maxTasks: 64 });
const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 100_000, totalPages: 1_000_000 };
const RESIDENT = { scheme: 'resident', totalPages: MACHINE.totalPages } as const;

const anyTask = fc.record({
  rssPages: fc.oneof(fc.nat(3), fc.nat(500_000)),
  swapPages: fc.nat(100),
  oomScoreAdj: fc.constantFrom(0, 0, 300, -300, -1000),
  startTimeTicks: fc.nat(10),
  exiting: fc.constantFrom(false, false, false, true),
});

async function rulesOf(rules: readonly RuleInput[]): Promise<RowRules> {
  return new RowRules(engine, await compileRules(definePolicy({ rules }).rules), NO_TEXTS);
}

test('ranked columns: order, points, charges and reasons are those of rankTasks, in every scheme', () => {
  fc.assert(
    fc.property(fc.array(anyTask, { maxLength: 40 }), fc.constantFrom(...SCHEMES), (drawn, scheme) => {
      const tasks = drawn.map((task, index): Task => ({ tgid: index + 2, comm: 'x', ...task }));
      loadTasks(engine, tasks, MACHINE);
      const options = { scheme, totalPages: MACHINE.totalPages };
      const { ranked, victim, outcome } = rankTasks(engine, options);
      const ineligible = ineligibleTasks(engine, scheme);
      const columns = rankColumns(engine, options);
      assert.equal(columns.outcome, outcome);
      assert.equal(columns.victim, victim?.slot ?? -1);
      assert.deepEqual(
        [...columns.order],
        ranked.map(({ slot }) => slot),
      );
      for (const { slot, points, chargePages } of ranked) {
        assert.equal(columns.points[slot], points);
        assert.equal(columns.chargePages[slot], chargePages);
      }
      assert.deepEqual(new Map(columns.reasons), new Map(ineligible.map(({ slot, reason }) => [slot, reason])));
      assert.equal(columns.classes.size, 0);
    }),
  );
});

const THREE: Task[] = [
  { tgid: 2, comm: 'small', rssPages: 20_000 },
  { tgid: 3, comm: 'middle', rssPages: 30_000 },
  { tgid: 4, comm: 'large', rssPages: 40_000 },
];

test('ranked columns: rules change points and order, and a rule is a reason', async () => {
  loadTasks(engine, THREE, MACHINE);
  const rules = await rulesOf([
    { comm: 'large', never: true },
    { comm: 'small', times: '2/1' },
  ]);
  for (const round of ['first', 'second']) {
    const { order, points, reasons, victim } = rankColumns(engine, RESIDENT, rules);
    assert.deepEqual([...order], [0, 1], round);
    assert.deepEqual([points[0], points[1], points[2]], [40_000, 30_000, Number.NaN], round);
    assert.deepEqual([...reasons], [[2, 'rule']], round);
    assert.equal(victim, 0, round);
  }
});

test('ranked columns: a class puts first and shows points without it', async () => {
  loadTasks(engine, THREE, MACHINE);
  const rules = await rulesOf([
    { comm: 'small', class: 'first' },
    { comm: 'large', class: 'last' },
  ]);
  const { order, points, classes } = rankColumns(engine, RESIDENT, rules);
  assert.deepEqual([...order], [0, 1, 2]);
  assert.deepEqual([...points], [20_000, 30_000, 40_000]);
  assert.deepEqual(
    [...classes],
    [
      [0, 'first'],
      [2, 'last'],
    ],
  );
});

test('ranked columns: what nobody can look at counts in favour of the task, for everybody and not for the winner alone', async () => {
  loadTasks(engine, THREE, MACHINE);
  const rules = await rulesOf([{ exe: '/usr/bin/*', times: '100/1' }]);
  const { order, points } = rankColumns(engine, RESIDENT, rules);
  assert.deepEqual([...order], [2, 1, 0]);
  assert.deepEqual([...points], [20_000, 30_000, 40_000]);
});
