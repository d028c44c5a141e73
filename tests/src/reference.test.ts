/** The oracle itself: the plain reference agrees with every row of the vector files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { badness, intSqrt24, intSqrt26, isqrt, shiftHz } from '../reference/badness.js';
import { isEligible } from '../reference/eligible.js';
import { rankTasks } from '../reference/select.js';
import { factsOf, familyKey, inputsOf, pointsOfTable, type Table } from '../reference/table.js';
import { type Case, cases2610, casesModern, casesOtherEras, casesOwn } from './support/rows.js';

/** The row through the formula alone. */
function checkScalar(row: Case): void {
  const terms = badness(row.scheme, row.inputs);
  assert.equal(terms.points, row.points ?? 0n, row.name);
  if (row.oomScore !== undefined) assert.equal(terms.oom_score, row.oomScore, row.name);
  if (row.terms === undefined) return;
  const { cpu_units, cpu_div, run_units, run_div } = terms;
  assert.deepEqual({ cpu_units, cpu_div, run_units, run_div }, row.terms, row.name);
}

/** The row's table gives the formula the same inputs. A table has 64-bit words, and none of what does not fit. */
function checkTable(row: Case): boolean {
  if (row.misfit !== null || row.inputs.bits !== 64) return false;
  const task = row.table.tasks[0]!;
  const { uptime, start, flags, ...inputs } = inputsOf(row.scheme, row.table, task, row.parameters);
  const { uptime: rowUptime, start: rowStart, flags: rowFlags, ...expected } = row.inputs;
  assert.deepEqual(inputs, expected, row.name);
  assert.deepEqual([uptime, start], [rowUptime, rowStart], row.name);
  assert.equal(flags & rowFlags, rowFlags, row.name);
  assert.equal(isEligible(row.scheme, flags) || row.scheme < L.SCHEME_LINUX_2_6_36, row.points !== null, row.name);
  return true;
}

const files: [name: string, rows: Case[], count: number][] = [
  ['badness-2.6.10.json', cases2610(), 234],
  ['badness-other-eras.json', casesOtherEras(), 174],
  ['oom_score-modern.json, both pairs of columns', casesModern(), 2 * 121],
];

for (const [name, rows, count] of files) {
  test(`reference: the formula gives what all ${count} rows of ${name} say`, () => {
    assert.equal(rows.length, count);
    for (const row of rows) checkScalar(row);
  });

  test(`reference: tables made of the rows of ${name} lead to the same inputs`, (t) => {
    const fit = rows.filter(checkTable).length;
    assert.ok(fit > rows.length * 0.8);
    t.diagnostic(`${fit} of ${rows.length} rows fit a table`);
  });
}

test('reference: points and ranking of all 160 tables of own-schemes.json', (t) => {
  const tables = casesOwn();
  assert.equal(tables.length, 160);
  let tasks = 0;
  for (const { name, scheme, table, parameters, points, ranking } of tables) {
    assert.deepEqual(pointsOfTable(scheme, table, parameters), points, name);
    const order = rankTasks(scheme, table, parameters).map((i) => table.tasks[i]!.tgid);
    assert.deepEqual(order, ranking, name);
    tasks += points.length;
  }
  assert.equal(tasks, 1674);
  t.diagnostic(`${tasks} tasks`);
});

test('reference: a family in a subtree is the topmost known task below the root, for strangers too', () => {
  const task = (tgid: number, ppid: number) => ({ tgid, ppid, sid: 7, rss_pages: 1 });
  const tasks = [task(10, 5), task(11, 10), task(12, 11), task(20, 19), task(21, 20), task(5, 1), task(1, 0)];
  const table: Table = { hz: 100, page_size: 4096, uptime_ticks: 0, tasks };
  const keys = (root: number) => tasks.map((t) => familyKey(table, t, root));
  assert.deepEqual(keys(0), [7, 7, 7, 7, 7, 7, 7], 'no root: sessions');
  assert.deepEqual(keys(5), [10, 10, 10, 20, 20, 1, 1], 'the walk stops below the root, or where parents are unknown');
});

test('reference: the root of 2.4 is rough, that of 2.6 the floor in 16 bits', () => {
  const first = Array.from({ length: 10 }, (_, x) => Number(intSqrt24(BigInt(x))));
  assert.deepEqual(first, [1, 1, 1, 1, 2, 2, 3, 3, 2, 2]);
  assert.equal(intSqrt24(16n), 3n);
  for (const root of [0n, 1n, 2n, 3n, 1000n, 65535n, 65536n, 94906265n, (1n << 32n) - 1n]) {
    assert.equal(isqrt(root * root), root);
    if (root > 1n) assert.equal(isqrt(root * root - 1n), root - 1n);
    assert.equal(isqrt(root * root + root * 2n), root);
    assert.equal(intSqrt26(root * root), root > 65535n ? 65535n : root);
  }
});

test('reference: SHIFT_HZ by the ranges of the kernel header', () => {
  const given = [48, 95, 96, 100, 191, 192, 250, 383, 384, 767, 768, 1000, 1024, 1535].map(shiftHz);
  assert.deepEqual(given, [6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 10, 10, 10, 10]);
});

test('reference: facts follow from a record as the kernel would see them', () => {
  const nothing = factsOf({ tgid: 9, uid: 1, euid: 1 });
  assert.equal(nothing, L.TASK_NO_MM);
  assert.equal(factsOf({ tgid: 9, uid: 1, euid: 1, has_mm: true }), 0);
  assert.equal(factsOf({ tgid: 1, uid: 1, euid: 0, has_mm: true }), L.TASK_INIT | L.TASK_ROOT_UID);
  assert.equal(factsOf({ tgid: 9, uid: 1, euid: 1, rss_pages: 1, oom_score_adj: -1000 }), L.TASK_ADJ_NEVER);
});
