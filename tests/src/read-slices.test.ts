/** A reading in slices, for a thread that has more to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { readTasks, readTasksInSlices } from '../../src/linux/read-all.js';
import { taskAt } from '../../src/task.js';
import { FakeProc } from './support/fake-proc.js';

test('read: in slices it is the same reading, others have their turns, and until the end the snapshot before stays', async (t) => {
  const tasks = Array.from({ length: 40 }, (_, index) => ({ pid: 100 + index, comm: `t${index}`, vm: 50, rss: index }));
  const proc = new FakeProc({});
  t.after(() => proc.remove());
  for (const task of tasks) proc.put(task);
  const [whole, sliced] = [await openEngine({ maxTasks: 64 }), await openEngine({ maxTasks: 64 })];
  const expected = readTasks(whole, { root: proc.root });
  let turns = 0;
  let counted = 0;
  const turn = setInterval(() => turns++, 0);
  const reading = readTasksInSlices(
    sliced,
    {
      root: proc.root,
      exempt: () => {
        counted = Math.max(counted, sliced.count);
        return 0;
      },
    },
    0,
  );
  const { machine, ...found } = await reading;
  clearInterval(turn);
  const { machine: _, ...same } = expected;
  assert.deepEqual(found, same);
  assert.equal(machine.pageSize, expected.machine.pageSize);
  assert.ok(turns > 0, `${turns} turns`);
  assert.equal(counted, 0, 'nothing was published before the end');
  const rows = (engine: typeof whole) => Array.from({ length: engine.count }, (_, slot) => taskAt(engine, slot));
  assert.deepEqual(rows(sliced), rows(whole));
});
