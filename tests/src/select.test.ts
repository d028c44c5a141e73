/** Selection and ranking: the engine against the reference on tables full of ties, and each era's rules by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { isEligible } from '../reference/eligible.js';
import { rankTasks, selectVictim } from '../reference/select.js';
import { factsOf, type Parameters, type Table, type TaskRecord } from '../reference/table.js';
import { releaseBuilds } from './support/builds.js';
import { Driver } from './support/driver.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { parameters, SCHEME_NAMES, someFlags, tiedTable } from './support/tables.js';

const PARAMETERS: Parameters = { max_discount: 4, age: 0, adj: 0, total_pages: 100000, root: 0 };

/** What was selected, as a tgid or a negative status, and the ranking, as tgids. */
interface Answer {
  selected: number;
  ranking: number[];
}

const named = (table: Table, index: number): number => (index < 0 ? index : table.tasks[index]!.tgid);

function engineAnswer(driver: Driver, scheme: number, table: Table, p: Parameters): Answer {
  driver.load(table);
  driver.score(scheme, p);
  const selected = named(table, driver.select(scheme));
  return { selected, ranking: driver.rank(scheme, table.tasks.length).map((slot) => named(table, slot)) };
}

function referenceAnswer(scheme: number, table: Table, p: Parameters): Answer {
  const ranking = rankTasks(scheme, table, p).map((i) => named(table, i));
  return { selected: named(table, selectVictim(scheme, table, p)), ranking };
}

/** Eras and their own names, from … to, both included. */
const eras = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const ALL = eras(0, L.SCHEMES - 1);
const OWN = eras(L.SCHEME_BADNESS, L.SCHEME_FAMILY);

const small: TaskRecord = { tgid: 20, sid: 20, start_time_ticks: 100, total_vm_pages: 500, rss_pages: 500 };
const large: TaskRecord = { tgid: 10, sid: 10, start_time_ticks: 50, total_vm_pages: 9000, rss_pages: 9000 };
const other = (task: TaskRecord, change: Partial<TaskRecord>): TaskRecord => ({ ...task, uid: 9, euid: 9, ...change });
const zero = { total_vm_pages: 0, rss_pages: 0, has_mm: true };

interface Named {
  rule: string;
  schemes: number[];
  tasks: TaskRecord[];
  selected: number;
}

const flagged = (flags: number): TaskRecord[] => [other(large, { flags }), other(small, {})];
const NOT_ANYWHERE = { PROTECTED: L.TASK_PROTECTED, SELF: L.TASK_SELF, OUTSIDE: L.TASK_OUTSIDE };
const CLASSIC_ABORT = eras(L.SCHEME_LINUX_2_6_11, L.SCHEME_LINUX_3_5);
const AT_ONCE = eras(L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_2_6_16);
const oldest = { start_time_ticks: 1 };

const rules: Named[] = [
  ...Object.entries({ ...NOT_ANYWHERE, RULE_NEVER: L.TASK_RULE_NEVER }).map(([name, flag]) => ({
    ...{ rule: `a task flagged ${name} is never selected`, schemes: ALL, tasks: flagged(flag), selected: 20 },
  })),
  {
    ...{ rule: 'init is eligible', schemes: [L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_2_6_10], selected: 1 },
    tasks: [other(large, { tgid: 1 }), other(small, {})],
  },
  {
    ...{ rule: 'init is never selected', schemes: eras(L.SCHEME_LINUX_2_6_11, L.SCHEME_FAMILY), selected: 20 },
    tasks: [other(large, { tgid: 1 }), other(small, {})],
  },
  {
    ...{ rule: 'a kernel thread is not selected', schemes: eras(L.SCHEME_LINUX_2_6_36, L.SCHEME_FAMILY) },
    ...{ tasks: [other(large, { kthread: true }), other(small, {})], selected: 20 },
  },
  {
    ...{ rule: 'oom_score_adj -1000 means never', schemes: eras(L.SCHEME_LINUX_2_6_36, L.SCHEME_FAMILY) },
    ...{ tasks: [other(large, { oom_score_adj: -1000 }), other(small, {})], selected: 20 },
  },
  {
    ...{ rule: 'oom_adj -17 means never', schemes: eras(L.SCHEME_LINUX_2_6_16, L.SCHEME_LINUX_2_6_32) },
    ...{ tasks: [other(large, { oom_adj: -17 }), other(small, {})], selected: 20 },
  },
  {
    ...{ rule: 'oom_adj -17 is one more shift', schemes: [L.SCHEME_LINUX_2_6_11], selected: 10 },
    tasks: [other(large, { oom_adj: -17, total_vm_pages: 2 ** 30 }), other(small, {})],
  },
  {
    ...{ rule: 'disjoint memory nodes are passed over', schemes: [L.SCHEME_LINUX_2_6_16], selected: 20 },
    tasks: flagged(L.TASK_MEMS_DISJOINT),
  },
  {
    ...{ rule: 'disjoint memory nodes divide by 8', schemes: eras(L.SCHEME_LINUX_2_6_20, L.SCHEME_LINUX_2_6_32) },
    ...{ tasks: flagged(L.TASK_MEMS_DISJOINT), selected: 10 },
  },
  {
    ...{ rule: 'a vfork child is not selected', schemes: [L.SCHEME_LINUX_5_9], selected: 20 },
    tasks: flagged(L.TASK_VFORK),
  },
  {
    ...{ rule: 'a victim that is still dying scores 0', schemes: [L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_2_6_10] },
    ...{ tasks: flagged(L.TASK_MEMDIE), selected: 20 },
  },
  {
    ...{ rule: 'a victim that is still dying is waited for', selected: L.E_IN_FLIGHT },
    ...{ schemes: eras(L.SCHEME_LINUX_2_6_11, L.SCHEME_LINUX_5_9), tasks: flagged(L.TASK_MEMDIE) },
  },
  {
    ...{ rule: 'an exiting task is waited for', schemes: CLASSIC_ABORT, selected: L.E_IN_FLIGHT },
    tasks: flagged(L.TASK_EXITING),
  },
  {
    ...{ rule: 'that a task is exiting plays no part', selected: 10, tasks: flagged(L.TASK_EXITING) },
    schemes: [...eras(L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_2_6_10), ...eras(L.SCHEME_LINUX_3_15, L.SCHEME_LINUX_5_9)],
  },
  {
    ...{ rule: 'dying and exiting tasks are passed over', schemes: OWN, selected: 30 },
    tasks: [...flagged(L.TASK_MEMDIE), other(small, { tgid: 30, sid: 20 })].map((t) =>
      t.tgid === 20 ? { ...t, flags: L.TASK_EXITING } : t,
    ),
  },
  {
    ...{ rule: 'a dying task with oom_adj -17 is passed over', schemes: [L.SCHEME_LINUX_2_6_16], selected: 20 },
    tasks: [other(large, { flags: L.TASK_MEMDIE, oom_adj: -17 }), other(small, {})],
  },
  {
    ...{ rule: 'a dying task with oom_adj -17 is waited for', selected: L.E_IN_FLIGHT },
    schemes: [L.SCHEME_LINUX_2_6_11, L.SCHEME_LINUX_2_6_20, L.SCHEME_LINUX_2_6_32],
    tasks: [other(large, { flags: L.TASK_MEMDIE, oom_adj: -17 }), other(small, {})],
  },
  {
    ...{ rule: 'a task in swapoff is taken when it is reached', schemes: AT_ONCE, selected: 20 },
    tasks: [other(small, { flags: L.TASK_ORIGIN }), other(large, {})],
  },
  {
    ...{ rule: 'a task in swapoff reached first saves waiting', schemes: AT_ONCE, selected: 20 },
    tasks: [other(small, { ...oldest, flags: L.TASK_ORIGIN }), other(large, { flags: L.TASK_MEMDIE })],
  },
  {
    ...{ rule: 'a dying task reached before one in swapoff is waited for', selected: L.E_IN_FLIGHT },
    schemes: eras(L.SCHEME_LINUX_2_6_11, L.SCHEME_LINUX_2_6_16),
    tasks: [other(small, { ...oldest, flags: L.TASK_MEMDIE }), other(large, { flags: L.TASK_ORIGIN })],
  },
  {
    ...{ rule: 'a task in swapoff wins', schemes: eras(L.SCHEME_LINUX_2_6_20, L.SCHEME_LINUX_5_9), selected: 20 },
    tasks: [other(small, { flags: L.TASK_ORIGIN }), other(large, {})],
  },
  {
    ...{ rule: 'of two tasks in swapoff the earlier', schemes: eras(L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_4_17) },
    ...{ tasks: [small, large].map((t) => other(t, { flags: L.TASK_ORIGIN })), selected: 10 },
  },
  {
    ...{ rule: 'of two tasks in swapoff the later', schemes: [L.SCHEME_LINUX_5_9], selected: 20 },
    tasks: [small, large].map((t) => other(t, { flags: L.TASK_ORIGIN })),
  },
  {
    ...{ rule: 'of equals the one created first', schemes: eras(L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_4_17) },
    ...{ tasks: [8, 6, 7].map((tgid) => other(small, { tgid })), selected: 6 },
  },
  {
    ...{ rule: 'of equals the one created last', schemes: [L.SCHEME_LINUX_5_9, ...OWN], selected: 8 },
    tasks: [6, 8, 7].map((tgid) => other(small, { tgid })),
  },
  {
    ...{ rule: 'points of zero never win', selected: L.E_NO_VICTIM, tasks: [other(small, zero)] },
    schemes: [L.SCHEME_LINUX_2_4, L.SCHEME_LINUX_2_6_10, L.SCHEME_LINUX_2_6_36],
  },
  {
    ...{ rule: 'points of zero win when there is nobody else', selected: 20, tasks: [other(small, zero)] },
    schemes: [...eras(L.SCHEME_LINUX_2_6_11, L.SCHEME_LINUX_2_6_32), L.SCHEME_LINUX_5_9, ...OWN],
  },
  {
    ...{ rule: 'negative points win when there is nobody else', schemes: [L.SCHEME_LINUX_5_9], selected: 20 },
    tasks: [other(small, { oom_score_adj: -999 })],
  },
  { rule: 'an empty table has no victim', schemes: ALL, tasks: [], selected: L.E_NO_VICTIM },
];

for (const { rule, schemes, tasks, selected } of rules) {
  const where = schemes.length === ALL.length ? 'every scheme' : schemes.map((s) => SCHEME_NAMES[s]).join(' ');
  const table: Table = { hz: 100, page_size: 4096, uptime_ticks: 100000, tasks };
  test(`select: ${rule} (${where})`, () => {
    for (const scheme of schemes) {
      assert.equal(referenceAnswer(scheme, table, PARAMETERS).selected, selected, `reference, ${SCHEME_NAMES[scheme]}`);
      for (const build of releaseBuilds) {
        const answer = engineAnswer(new Driver(build.open(64)), scheme, table, PARAMETERS);
        assert.equal(answer.selected, selected, `${build.name}, ${SCHEME_NAMES[scheme]}`);
      }
    }
  });
}

/** A table and the same tasks in another order. */
const shuffledPair = tiedTable(someFlags).chain((table) =>
  fc
    .shuffledSubarray([...table.tasks], { minLength: table.tasks.length })
    .map((tasks): [Table, Table] => [table, { ...table, tasks }]),
);

for (const build of releaseBuilds) {
  const driver = new Driver(build.open(64));
  for (const [scheme, name] of SCHEME_NAMES.entries()) {
    test(`select (${build.name}): ${name}: ties as the reference has them, whatever the order of insertion`, (t) => {
      let victims = 0;
      const agree = fc.property(shuffledPair, parameters, ([table, shuffled], p) => {
        const answer = engineAnswer(driver, scheme, table, p);
        assert.deepEqual(answer, referenceAnswer(scheme, table, p));
        assert.deepEqual(engineAnswer(driver, scheme, shuffled, p), answer, 'order of insertion');
        if (answer.selected < 0) return;
        assert.equal(answer.selected, answer.ranking[0], 'the first of the ranking is the selection');
        victims++;
      });
      fc.assert(agree, { numRuns: RUNS, seed: SEED });
      assert.ok(victims > 0);
      t.diagnostic(`${RUNS} tables, ${victims} with a victim, FC_SEED=${SEED}`);
    });
  }

  test(`rank (${build.name}): a limit cuts the ranking and changes nothing else`, () => {
    const cut = fc.property(tiedTable(fc.constant(0)), fc.nat(25), (table, limit) => {
      const scheme = L.SCHEME_BADNESS;
      const { ranking } = engineAnswer(driver, scheme, table, PARAMETERS);
      assert.equal(ranking.length, table.tasks.filter((task) => isEligible(scheme, factsOf(task))).length);
      const slots = driver.rank(scheme, limit).map((slot) => named(table, slot));
      assert.deepEqual(slots, ranking.slice(0, limit));
    });
    fc.assert(cut, { numRuns: RUNS, seed: SEED });
  });
}
