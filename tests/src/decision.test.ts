/** The ring of decision records: what a record says, how many are kept, and that two builds write the same bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { decide, decisions } from '../../src/decision.js';
import { loadTasks, openEngine, type Task } from '../../src/index.js';

const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 5000.25, totalPages: 1_000_000 };
const TASKS: Task[] = Array.from({ length: 20 }, (_, index) => ({
  tgid: 100 + index,
  comm: `task ${index}`,
  rssPages: 1000 + ((index * 37) % 20),
  startTimeTicks: 1000 + index,
}));

for (const build of ['shared', 'baseline'] as const) {
  test(`decision (${build}): the record says what was asked, seen and answered`, async () => {
    const engine = await openEngine({ build });
    assert.deepEqual(decisions(engine), []);
    loadTasks(engine, TASKS, MACHINE);
    const decision = decide(engine, { totalPages: MACHINE.totalPages });
    assert.equal(decision.outcome, 'victim');
    assert.equal(decision.scheme, 'badness');
    assert.deepEqual(
      [decision.tasks, decision.eligible, decision.hz, decision.pageSize, decision.uptimeS, decision.totalPages],
      [20, 20, 100, 4096, 5000.25, 1_000_000],
    );
    assert.equal(decision.order.length, L.RUNNERS_UP_MAX);
    const worst = [...TASKS].sort((a, b) => b.rssPages! - a.rssPages!)[0]!;
    assert.equal(decision.comm, worst.comm);
    assert.deepEqual(decision.order[0], {
      kind: 'process',
      id: worst.tgid,
      points: worst.rssPages,
      class: null,
      startTimeTicks: worst.startTimeTicks,
    });
  });

  test(`decision (${build}): nobody to choose is a record too`, async () => {
    const engine = await openEngine({ build });
    loadTasks(engine, [{ tgid: 1, rssPages: 5 }], MACHINE);
    const decision = decide(engine);
    assert.equal(decision.outcome, 'no-victim');
    assert.deepEqual([decision.comm, decision.order, decision.eligible], ['', [], 0]);
  });

  test(`decision (${build}): the ring keeps the last ${L.DECISIONS_MAX}, newest first`, async () => {
    const engine = await openEngine({ build });
    loadTasks(engine, TASKS, MACHINE);
    for (let round = 0; round < L.DECISIONS_MAX + 5; ++round) decide(engine);
    const kept = decisions(engine).map(({ sequence }) => sequence);
    assert.equal(kept.length, L.DECISIONS_MAX);
    assert.deepEqual([kept[0], kept.at(-1)], [L.DECISIONS_MAX + 4, 5]);
    assert.equal(decisions(engine, 2).length, 2);
  });

  test(`decision (${build}): one page more in one task is another digest`, async () => {
    const engine = await openEngine({ build });
    loadTasks(engine, TASKS, MACHINE);
    const before = decide(engine).digest;
    assert.equal(decide(engine).digest, before);
    loadTasks(engine, [...TASKS.slice(0, -1), { ...TASKS.at(-1)!, rssPages: TASKS.at(-1)!.rssPages! + 1 }], MACHINE);
    assert.notEqual(decide(engine).digest, before);
  });
}

test('decision: two builds write the same bytes', async () => {
  const records = await Promise.all(
    (['shared', 'baseline'] as const).map(async (build) => {
      const engine = await openEngine({ build, maxTasks: build === 'shared' ? 64 : 4096 });
      loadTasks(engine, TASKS, MACHINE);
      return decide(engine, { scheme: 'linux-2.6.10', totalPages: 5 }).bytes;
    }),
  );
  assert.deepEqual(records[0], records[1]);
});
