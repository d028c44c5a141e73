/** Every row of the vector files through the ABI of every release build. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { badness } from '../reference/badness.js';
import { isEligible } from '../reference/eligible.js';
import { factsOf, inColumn } from '../reference/table.js';
import { releaseBuilds } from './support/builds.js';
import { Driver } from './support/driver.js';
import { type Case, cases2610, casesModern, casesOtherEras, casesOwn } from './support/rows.js';

/** The row through points_scalar, on words of its own width. */
function checkScalar(driver: Driver, row: Case): void {
  const terms = driver.scalar(row.scheme, row.inputs);
  assert.equal(terms.points, row.points ?? 0n, row.name);
  if (row.oomScore !== undefined) assert.equal(terms.oom_score, row.oomScore, row.name);
  if (row.terms === undefined) return;
  const { cpu_units, cpu_div, run_units, run_div } = terms;
  assert.deepEqual({ cpu_units, cpu_div, run_units, run_div }, row.terms, row.name);
}

/** The least f64 that is not below `value`: 2^53 + 1 must not be staged as 2^53. */
function atLeast(value: bigint): number {
  const near = Number(value);
  return BigInt(near) < value ? near + 2 : near;
}

function checkRefused(driver: Driver, row: Case): void {
  const [field, value] = row.misfit!;
  driver.begin(row.table.hz, row.table.page_size, row.table.uptime_ticks);
  driver.stage(row.table.tasks[0]!);
  driver.cell(field, atLeast(value));
  assert.equal(driver.put(), L.E_VALUE, row.name);
  assert.equal(driver.errorField(), field, row.name);
}

/**
 * The row's table, scored and explained. A table has 64-bit words: a row of 32 bits is compared with what its numbers
 * give in 64. Points above POINTS_MAX are exact in the explanation only; the column says POINTS_MAX.
 */
function checkTable(driver: Driver, row: Case): void {
  driver.load(row.table);
  driver.score(row.scheme, row.parameters);
  const eligible = isEligible(row.scheme, factsOf(row.table.tasks[0]!));
  const points = row.inputs.bits === 64 ? row.points : badness(row.scheme, { ...row.inputs, bits: 64 }).points;
  assert.equal(driver.points(0), eligible && points !== null ? inColumn(points) : null, row.name);
  const terms = driver.explain(0, row.scheme);
  assert.equal(terms.ineligible !== 0, !eligible, row.name);
  if (points !== null) assert.equal(terms.points, points, row.name);
  if (row.oomScore !== undefined) assert.equal(terms.oom_score, row.oomScore, row.name);
}

const files: [name: string, rows: Case[], count: number][] = [
  ['badness-2.6.10.json', cases2610(), 234],
  ['badness-other-eras.json', casesOtherEras(), 174],
  ['oom_score-modern.json, both pairs of columns', casesModern(), 2 * 121],
];

for (const build of releaseBuilds) {
  const driver = new Driver(build.open(64));

  for (const [name, rows, count] of files) {
    test(`vectors (${build.name}): points_scalar gives what all ${count} rows of ${name} say`, () => {
      assert.equal(rows.length, count);
      for (const row of rows) checkScalar(driver, row);
    });

    test(`vectors (${build.name}): ${name}: a table gives the same points, and refuses what does not fit`, (t) => {
      const late = rows.filter((row) => row.table.uptime_ticks > L.QUANTITY_MAX);
      const refused = rows.filter((row) => row.misfit !== null && !late.includes(row));
      const scored = rows.filter((row) => !late.includes(row) && !refused.includes(row));
      for (const { name, table } of late) {
        assert.equal(driver.begin(table.hz, table.page_size, table.uptime_ticks), L.E_RANGE, name);
      }
      for (const row of refused) checkRefused(driver, row);
      for (const row of scored) checkTable(driver, row);
      t.diagnostic(`${scored.length} rows scored, ${refused.length} refused as a task, ${late.length} as a clock`);
    });
  }

  test(`vectors (${build.name}): points and ranking of all 160 tables of own-schemes.json`, (t) => {
    let tasks = 0;
    for (const { name, scheme, table, parameters, points, ranking } of casesOwn()) {
      driver.load(table);
      assert.equal(driver.score(scheme, parameters), ranking.length, name);
      assert.deepEqual(
        table.tasks.map((_, slot) => driver.points(slot)),
        points,
        name,
      );
      const order = driver.rank(scheme, table.tasks.length).map((slot) => table.tasks[slot]!.tgid);
      assert.deepEqual(order, ranking, name);
      const victim = driver.select(scheme);
      assert.equal(victim < 0 ? undefined : table.tasks[victim]!.tgid, ranking[0], name);
      if (victim < 0) assert.equal(victim, L.E_NO_VICTIM, name);
      tasks += points.length;
    }
    assert.equal(tasks, 1674);
    t.diagnostic(`${tasks} tasks`);
  });
}
