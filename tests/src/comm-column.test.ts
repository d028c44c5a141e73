// Names of rows are those of the rows as they are now, in whichever snapshot, however they were kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { CommColumn } from '../../src/policy/comm-column.js';
import { loadTasks, MACHINE_DEFAULTS } from '../../src/task.js';

test('comms: each snapshot has the names of its own rows, more or fewer of them, and empty ones', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  const comms = new CommColumn(engine);
  for (const names of [['a', 'b'], ['a', 'b', 'c'], ['b', 'a'], ['', 'a', 'é\udcff'], ['a']]) {
    loadTasks(
      engine,
      names.map((comm, index) => ({ tgid: 10 + index, comm, rssPages: 5 })),
      MACHINE_DEFAULTS,
    );
    comms.begin();
    assert.deepEqual(
      names.map((_, slot) => comms.at(slot)),
      names,
    );
  }
});

test('comms: a row that is another task within a snapshot has the name of that one', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  loadTasks(engine, [{ tgid: 10, comm: 'before' }], MACHINE_DEFAULTS);
  const comms = new CommColumn(engine);
  comms.begin();
  assert.equal(comms.at(0), 'before');
  engine.bytes.set(new TextEncoder().encode('since\0'), engine.cell(L.C_COMM, 0, L.COMM_BYTES));
  assert.equal(comms.at(0), 'since');
});
