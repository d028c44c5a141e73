// Ids of registered tasks: two words, so that none of them is a pid, in the table and out of it again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decide } from '../../src/decision.js';
import { openEngine } from '../../src/engine.js';
import { rankTasks } from '../../src/rank.js';
import { loadTasks, MACHINE_DEFAULTS, type Task } from '../../src/task.js';
import { parseTaskLines, rankedToRecord } from '../../src/task-json.js';

const WIDE = 2 ** 32 + 4711;
const TASKS: Task[] = [
  { tgid: 4711, comm: 'process', rssPages: 100 },
  { kind: 'registered', tgid: WIDE, comm: 'cache', rssPages: 200 },
  { kind: 'registered', tgid: 2 ** 53 - 1, comm: 'last', rssPages: 50 },
  { kind: 'registered', tgid: 1, comm: 'one', rssPages: 10 },
];

for (const build of ['shared', 'baseline'] as const) {
  describe(`ids of registered tasks, ${build}`, () => {
    test('an id above every pid goes in and comes out whole, beside the process that has its lower word for a pid', async () => {
      const engine = await openEngine({ build, maxTasks: 64 });
      loadTasks(engine, TASKS, MACHINE_DEFAULTS);
      const { ranked } = rankTasks(engine, { scheme: 'resident' });
      assert.deepEqual(
        ranked.map(({ kind, tgid }) => [kind, tgid]),
        [
          ['registered', WIDE],
          ['process', 4711],
          ['registered', 2 ** 53 - 1],
          ['registered', 1],
        ],
        '1 is pid 1 of a process only',
      );
      const { order } = decide(engine, { scheme: 'resident' });
      assert.deepEqual(
        order.map(({ id }) => id),
        [WIDE, 4711, 2 ** 53 - 1, 1],
      );
    });

    test('a ranking of what a ranking wrote has the same ids', async () => {
      const engine = await openEngine({ build, maxTasks: 64 });
      loadTasks(engine, TASKS, MACHINE_DEFAULTS);
      const { ranked } = rankTasks(engine, { scheme: 'resident' });
      const lines = ranked.map((task) => JSON.stringify(rankedToRecord(task))).join('\n');
      const { tasks } = parseTaskLines(lines);
      assert.deepEqual(
        tasks.map(({ kind, tgid }) => [kind, tgid]),
        ranked.map(({ kind, tgid }) => [kind, tgid]),
      );
    });

    test('a process with such an id is refused, and so is an id that is none', async () => {
      const engine = await openEngine({ build, maxTasks: 64 });
      for (const task of [
        { tgid: WIDE },
        { kind: 'simulated', tgid: WIDE },
        { kind: 'registered', tgid: -1 },
        { kind: 'registered', tgid: 1.5 },
        { kind: 'registered', tgid: Number.NaN },
      ] as Task[]) {
        assert.throws(() => loadTasks(engine, [task], MACHINE_DEFAULTS), /^RangeError: tgid of task/);
      }
    });
  });
}

test('a record with such an id says that it is of a registered task, in whatever order its keys come', () => {
  assert.equal(parseTaskLines(`{"tgid":${WIDE},"kind":"registered"}`).tasks[0]?.tgid, WIDE);
  for (const line of [`{"tgid":${WIDE}}`, `{"tgid":${WIDE},"kind":"simulated"}`]) {
    assert.throws(() => parseTaskLines(line), {
      code: 'ETASKLINE',
      message: /tgid: expected an integer 0\.\.4294967295/,
    });
  }
});
