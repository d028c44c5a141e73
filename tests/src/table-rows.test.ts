// Rows of an engine as task records that a reader takes, whatever the rows hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { recordsText, rowsIn } from '../../src/recording/table-rows.js';
import { MACHINE_DEFAULTS } from '../../src/task.js';
import { parseTaskLines } from '../../src/task-json.js';

test('records: of a task that was gone before it could be read in full the record has no state, and can be read back', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  engine.abi.table_begin(100, 4096, 0);
  engine.fields.fill(0);
  engine.fields[L.FIELD_TGID] = 6;
  engine.abi.table_put(engine.window);
  engine.abi.table_publish();
  const text = recordsText(MACHINE_DEFAULTS, {}, rowsIn(engine));
  assert.deepEqual(
    parseTaskLines(text).tasks.map(({ tgid, state }) => [tgid, state]),
    [[6, undefined]],
  );
});
