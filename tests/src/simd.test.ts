/**
 * Differential: on random tables over the whole valid domain the columns the engine scores (two tasks at a time where
 * it has SIMD), its exact scalar form and the plain reference agree to the last point, in every scheme and build.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { badness, type Inputs } from '../reference/badness.js';
import { isEligible } from '../reference/eligible.js';
import { factsOf, inputsOf, type Parameters, pointsOfTable, type Table } from '../reference/table.js';
import { releaseBuilds } from './support/builds.js';
import { Driver } from './support/driver.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { parameters, quantity, SCHEME_NAMES, wideTable } from './support/tables.js';

/** Points of a whole table, engine against reference. */
function compareTable(driver: Driver, scheme: number, table: Table, p: Parameters): void {
  driver.load(table);
  const expected = pointsOfTable(scheme, table, p);
  assert.equal(driver.score(scheme, p), expected.filter((points) => points !== null).length, 'eligible');
  const columns = table.tasks.map((_, slot) => driver.points(slot));
  assert.deepEqual(columns, expected);
}

/** Whether the kernel's own `long` holds what oom_score is computed from, even against a memory of one page. */
const exportable = (points: bigint): boolean => points < 2n ** 51n && points > -(2n ** 51n);

/** What explain says of each task, and the scalar form of its inputs, against the reference. */
function compareTerms(driver: Driver, scheme: number, table: Table, p: Parameters): void {
  for (const [slot, task] of table.tasks.entries()) {
    const inputs = inputsOf(scheme, table, task, p);
    const expected = badness(scheme, inputs);
    const explained = driver.explain(slot, scheme);
    const eligible = isEligible(scheme, factsOf(task));
    assert.equal(explained.ineligible === 0, eligible, `explain: eligibility of slot ${slot}`);
    if (!eligible) continue;
    const scalar = driver.scalar(scheme, inputs);
    for (const [form, terms] of Object.entries({ explained, scalar })) {
      assert.equal(terms.points, expected.points, `${form}: points of slot ${slot}`);
      if (exportable(expected.points)) assert.equal(terms.oom_score, expected.oom_score, `${form}: oom_score`);
      if (scheme > L.SCHEME_LINUX_2_6_32) continue;
      assert.equal(terms.cpu_units, expected.cpu_units, `${form}: cpu units`);
      assert.equal(terms.run_units, expected.run_units, `${form}: run units`);
    }
  }
}

const word = (bits: number) => fc.oneof(fc.bigInt(0n, (1n << BigInt(bits)) - 1n), quantity.map(BigInt));

/** Inputs of the classic formulas over whole words, which no table holds. */
const words: fc.Arbitrary<Inputs> = fc.constantFrom(32, 64).chain((bits) => {
  const any = word(bits).map((v) => BigInt.asUintN(bits, v));
  return fc.record({
    ...{ total_vm: any, children_vm: any, charge: fc.constant(0n), utime: any, stime: any, uptime: any, start: any },
    ...{ total_pages: fc.constant(0n), max_discount: fc.constant(4n), age: fc.constant(0), adj: fc.constant(0) },
    flags: fc.nat(31).map((n) => n * L.TASK_NICED),
    oom_adj: fc.integer({ min: -16, max: 15 }),
    ...{ oom_score_adj: fc.constant(0), hz: fc.constantFrom(100, 250, 1000), bits: fc.constant(bits) },
  });
});

for (const build of releaseBuilds) {
  const driver = new Driver(build.open(64));

  for (const [scheme, name] of SCHEME_NAMES.entries()) {
    test(`differential (${build.name}): ${name}: column = scalar form = reference`, (t) => {
      const agree = fc.property(wideTable, parameters, (table, p) => {
        compareTable(driver, scheme, table, p);
        compareTerms(driver, scheme, table, p);
      });
      fc.assert(agree, { numRuns: RUNS, seed: SEED });
      t.diagnostic(`${RUNS} tables, FC_SEED=${SEED}`);
    });
  }

  for (const domain of [1, 31]) {
    test(`differential (${build.name}): whoever is not of domain ${domain} counts as OUTSIDE, in every scheme`, () => {
      const scheme = fc.integer({ min: 0, max: L.SCHEMES - 1 });
      const agree = fc.property(scheme, wideTable, parameters, fc.nat(4095), (any, table, p, members) => {
        const isMember = (slot: number) => ((members >> slot) & 1) === 1;
        driver.load(table, (slot) => (isMember(slot) ? 2 ** domain : 2 ** 32 - 1 - 2 ** domain));
        const tasks = table.tasks.map((task, slot) =>
          isMember(slot) ? task : { ...task, flags: (task.flags ?? 0) | L.TASK_OUTSIDE },
        );
        driver.score(any, p, domain);
        const columns = table.tasks.map((_, slot) => driver.points(slot));
        assert.deepEqual(columns, pointsOfTable(any, { ...table, tasks }, p));
      });
      fc.assert(agree, { numRuns: RUNS, seed: SEED });
    });
  }

  test(`score (${build.name}): run time divides by one more from the very second on, after as long as any machine can be up`, () => {
    const uptime = 2 ** 31 - 1;
    const most = 38;
    const ages = Array.from({ length: most - 1 }, (_, index) => 1024 * (index + 2) ** 4);
    const p: Parameters = { max_discount: 4, age: 0, adj: 0, total_pages: 0, root: 0 };
    for (const before of [0, 1]) {
      // The root of the CPU time is as large as the fast form takes.
      const tasks = ages.map((age, index) => ({
        tgid: 2 + index,
        total_vm_pages: 2 ** 53 - index,
        utime_jiffies: 2 ** 39 - 1,
        start_time_ticks: (uptime - age + before) * 100,
      }));
      compareTable(driver, L.SCHEME_LINUX_2_6_10, { hz: 100, page_size: 4096, uptime_ticks: uptime * 100, tasks }, p);
      const divisor = driver.explain(most - 2, L.SCHEME_LINUX_2_6_10).run_div;
      assert.equal(divisor, BigInt(most - before));
    }
  });

  test(`relations (${build.name}): sums over tasks stop at 2^53`, () => {
    const most = { total_vm_pages: 2 ** 53, rss_pages: 2 ** 53 - 1, uid: 9, euid: 9 };
    const children = [3, 4, 5, 6].map((tgid) => ({ ...most, tgid, ppid: 2 }));
    const table: Table = {
      hz: 100,
      page_size: 4096,
      uptime_ticks: 0,
      tasks: [{ ...most, tgid: 2, ppid: 1 }, ...children],
    };
    const p: Parameters = { max_discount: 4, age: 0, adj: 0, total_pages: 0, root: 1 };
    for (const scheme of [L.SCHEME_LINUX_2_6_11, L.SCHEME_LINUX_2_6_32, L.SCHEME_FAMILY]) {
      compareTable(driver, scheme, table, p);
      compareTerms(driver, scheme, table, p);
    }
    assert.deepEqual([driver.points(0), driver.points(4)], [2n ** 53n, 2n ** 53n]);
  });

  test(`relations (${build.name}): a ring of parents is one family, with whoever hangs on it, from every side`, () => {
    const task = (tgid: number, ppid: number) => ({ tgid, ppid, rss_pages: tgid });
    const ring = [task(5, 3), task(3, 4), task(4, 5), task(6, 4), task(7, 6), task(8, 2), task(9, 9)];
    const p: Parameters = { max_discount: 4, age: 0, adj: 0, total_pages: 0, root: 2 };
    for (const [turn] of ring.entries()) {
      const tasks = [...ring.slice(turn), ...ring.slice(0, turn)];
      compareTable(driver, L.SCHEME_FAMILY, { hz: 100, page_size: 4096, uptime_ticks: 0, tasks }, p);
      const points = new Map(tasks.map(({ tgid }, slot) => [tgid, driver.points(slot)]));
      assert.deepEqual(
        [3, 4, 5, 6, 7, 8, 9].map((tgid) => points.get(tgid)),
        [25n, 25n, 25n, 25n, 25n, 8n, 9n],
      );
    }
  });

  test(`score (${build.name}): refuses parameters out of range`, () => {
    driver.load({ hz: 100, page_size: 4096, uptime_ticks: 0, tasks: [{ tgid: 2, rss_pages: 1 }] });
    const fine: Parameters = { max_discount: 4, age: L.AGE_IGNORE, adj: L.ADJ_KERNEL, total_pages: 1, root: 0 };
    assert.equal(driver.score(L.SCHEME_BADNESS, fine, L.DOMAINS_MAX - 1), 0);
    assert.equal(driver.score(L.SCHEME_BADNESS, fine), 1);
    const wrong: [scheme: number, change: Partial<Parameters>, domain?: number][] = [
      ...[-1, L.SCHEMES].map((scheme): [number, Partial<Parameters>] => [scheme, {}]),
      ...[0, 0.5, 2 ** 31 + 1, Number.NaN].map((v): [number, Partial<Parameters>] => [12, { max_discount: v }]),
      ...[-1, 2 ** 53 + 2, Number.NaN].map((v): [number, Partial<Parameters>] => [12, { total_pages: v }]),
      ...[{ age: 3 }, { adj: 2 }].map((change): [number, Partial<Parameters>] => [L.SCHEME_BADNESS, change]),
      ...[-1, L.DOMAINS_MAX].map((domain): [number, Partial<Parameters>, number] => [12, {}, domain]),
    ];
    for (const [scheme, change, domain] of wrong) {
      const answer = driver.score(scheme, { ...fine, ...change }, domain);
      assert.equal(answer, L.E_RANGE, JSON.stringify({ scheme, ...change, domain }));
    }
  });

  test(`differential (${build.name}): the classic formulas wrap as words of 32 and 64 bits do`, (t) => {
    const scheme = fc.integer({ min: L.SCHEME_LINUX_2_6_10, max: L.SCHEME_LINUX_2_6_32 });
    const agree = fc.property(scheme, words, (era, given) => {
      const inputs = { ...given, children_vm: era === L.SCHEME_LINUX_2_6_10 ? 0n : given.children_vm };
      const { points, cpu_units, cpu_div, run_units, run_div } = driver.scalar(era, inputs);
      const { oom_score, discount, ...expected } = badness(era, inputs);
      assert.deepEqual({ points, cpu_units, cpu_div, run_units, run_div }, expected);
    });
    fc.assert(agree, { numRuns: RUNS * 10, seed: SEED });
    t.diagnostic(`${RUNS * 10} inputs, FC_SEED=${SEED}`);
  });

  const refused: [what: string, cells: [number, number][], field: number][] = [
    ['a charge above 2^53', [L.FIELD_RSS_PAGES, L.FIELD_SWAP_PAGES].map((f) => [f, 2 ** 52 + 1]), L.FIELD_RSS_PAGES],
    [
      'CPU time above 2^53',
      [L.FIELD_UTIME_JIFFIES, L.FIELD_STIME_JIFFIES].map((f) => [f, 2 ** 52 + 1]),
      L.FIELD_UTIME_JIFFIES,
    ],
    [
      'a charge of 2^53 + 1',
      [
        [L.FIELD_RSS_PAGES, 2 ** 53],
        [L.FIELD_SWAP_PAGES, 1],
      ],
      L.FIELD_RSS_PAGES,
    ],
    [
      'CPU time of 2^53 + 1',
      [
        [L.FIELD_UTIME_JIFFIES, 2 ** 53],
        [L.FIELD_STIME_JIFFIES, 1],
      ],
      L.FIELD_UTIME_JIFFIES,
    ],
    [
      'page tables above 2^53',
      [
        [L.FIELD_RSS_PAGES, 2 ** 53],
        [L.FIELD_PGTABLES_BYTES, 4096],
      ],
      L.FIELD_RSS_PAGES,
    ],
    ['a fraction', [[L.FIELD_TOTAL_VM_PAGES, 0.5]], L.FIELD_TOTAL_VM_PAGES],
    ['a negative number of pages', [[L.FIELD_SWAP_PAGES, -1]], L.FIELD_SWAP_PAGES],
    ['not a number', [[L.FIELD_UTIME_JIFFIES, Number.NaN]], L.FIELD_UTIME_JIFFIES],
    ['infinity', [[L.FIELD_PGTABLES_BYTES, Number.POSITIVE_INFINITY]], L.FIELD_PGTABLES_BYTES],
    ['more than 2^53', [[L.FIELD_START_TIME_TICKS, 2 ** 53 + 2]], L.FIELD_START_TIME_TICKS],
    ['an oom_score_adj above 1000', [[L.FIELD_OOM_SCORE_ADJ, 1001]], L.FIELD_OOM_SCORE_ADJ],
    ['an oom_adj below -17', [[L.FIELD_OOM_ADJ, -18]], L.FIELD_OOM_ADJ],
  ];
  for (const [what, cells, field] of refused) {
    test(`table_put (${build.name}): refuses ${what} by its field, and takes the next task`, () => {
      driver.begin(100, 4096, 0);
      driver.stage({ tgid: 2, rss_pages: 1 });
      for (const [cell, value] of cells) driver.cell(cell, value);
      assert.equal(driver.put(), L.E_VALUE);
      assert.equal(driver.errorField(), field);
      driver.stage({ tgid: 3, rss_pages: L.QUANTITY_MAX });
      assert.equal(driver.put(), 0);
    });
  }
}
