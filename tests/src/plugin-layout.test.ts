// The layout of plug-ins is one table: what is shown of it elsewhere is what it says, and the template works by it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { compilePlugin, type PluginExports, reserved } from '../../src/plugin/check-wasm.js';
import {
  COLUMNS,
  HEADER,
  HEADER_BYTES,
  layoutConstants,
  layoutTable,
  regionBytes,
  TASK_BYTES,
} from '../../src/plugin/layout.js';
import { checkedPoints, eligibleSlots, takePoints, writeRegion } from '../../src/plugin/region.js';
import { scoreTasks } from '../../src/rank.js';
import { loadTasks, type Task } from '../../src/task.js';
import { ownFolder } from './support/own-folder.js';

const AGAIN = 'run node scripts/plugin-layout.mjs';

test('plug-in layout: the documentation has the table, and its numbers', () => {
  const page = readFileSync('docs/plugins.md', 'utf8');
  assert.ok(page.includes(`${layoutTable().join('\n')}\n\n`), AGAIN);
  assert.ok(page.includes(`The region has ${HEADER_BYTES} + ${TASK_BYTES} · n bytes`));
  const offset = (name: string) => COLUMNS.find((column) => column.name === name)!.offset;
  // The examples in C and Rust write them out.
  assert.deepEqual([offset('points'), offset('rss_pages'), offset('swap_pages')], [0, 16, 40]);
});

test('plug-in layout: the template has the constants', () => {
  const constants = readFileSync('examples/scheme-assemblyscript/layout.ts', 'utf8');
  assert.equal(constants, `${layoutConstants().join('\n')}\n`, AGAIN);
});

test('plug-in layout: columns are aligned whatever n is, follow each other, and the header fits', () => {
  let end = 0;
  for (const { name, bytes, offset, type } of COLUMNS) {
    assert.equal(offset, end, name);
    end = offset + bytes;
    for (const n of [1, 2, 3, 7]) {
      if (type !== 'bytes') assert.equal((HEADER_BYTES + offset * n) % bytes, 0, `${name} of ${n}`);
    }
  }
  assert.equal(end, TASK_BYTES);
  assert.ok(HEADER.every(({ at }) => at % 8 === 0 && at + 8 <= HEADER_BYTES));
});

function task(index: number): Task {
  const memory = { totalVmPages: 5000, rssPages: 1000 + index, rssAnonPages: 900, rssShmemPages: 3, swapPages: index };
  const times = { utimeJiffies: 11 + index, stimeJiffies: 12, startTimeTicks: 13 };
  const ids = { tgid: 100 + index, ppid: 7, sid: 8, threads: 2, uid: 1000, euid: 1001, nice: -5, oomScoreAdj: -17 };
  return { ...ids, ...memory, ...times, pgtablesBytes: 8192, comm: index === 1 ? 'postgres: chk' : `task-${index}` };
}

const MACHINE = { hz: 250, pageSize: 4096, uptimeS: 77.25, totalPages: 123_456 };

test('plug-in layout: a region holds what the table of the engine has', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  loadTasks(engine, [{ tgid: 1, rssPages: 5 }, task(0), task(1), task(2)], MACHINE);
  scoreTasks(engine, { scheme: 'resident' });
  const slots = eligibleSlots(engine);
  assert.deepEqual(slots, [1, 2, 3]);
  const buffer = new ArrayBuffer(regionBytes(3) + 8);
  writeRegion(engine, slots, 123_456, buffer, 8);
  const view = new DataView(buffer, 8);
  const header = HEADER.map(({ at }) => view.getFloat64(at, true));
  assert.deepEqual(header, [123_456, 4096, 250, 77.25, 3]);
  const read = { f64: 'getFloat64', u32: 'getUint32', i32: 'getInt32' } as const;
  const second = COLUMNS.map(({ type, bytes, offset }) => {
    const at = HEADER_BYTES + offset * 3 + bytes;
    return type === 'bytes' ? Buffer.from(buffer, 8 + at, bytes).toString() : view[read[type]](at, true);
  });
  assert.deepEqual(second, [
    ...[1004, 5000, 1001, 900, 3, 1, 8192, 12, 12, 13],
    ...[101, 7, 8, 2, 1000, 1001, -5, -17, 'postgres: chk\0\0\0'],
  ]);
  assert.deepEqual(
    [...takePoints(3, buffer, 8)],
    [0, 1, 2].map((index) => engine.f64(L.C_POINTS, slots[index]!)),
  );
});

test('plug-in template: compiles to a plug-in without imports, which gives the points that it says', async (t) => {
  const out = join(ownFolder(t), 'scheme.wasm');
  execFileSync(process.execPath, ['examples/scheme-assemblyscript/build.mjs', out]);
  const { exports } = new WebAssembly.Instance(compilePlugin(new Uint8Array(readFileSync(out))));
  const plugin = exports as unknown as PluginExports;
  assert.equal(plugin.abi_version(), 1);
  const engine = await openEngine({ maxTasks: 20_000 });
  const tasks = Array.from({ length: 20_000 }, (_, index) => task(index));
  loadTasks(engine, tasks, MACHINE);
  scoreTasks(engine, { scheme: 'resident' });
  const slots = eligibleSlots(engine);
  // Few, then many, for which its memory has to grow, then few again.
  for (const n of [3, 20_000, 2]) {
    const at = reserved(plugin, n);
    const some = slots.slice(0, n);
    writeRegion(engine, some, 123_456, plugin.memory.buffer, at);
    assert.equal(plugin.score_batch(n), 0);
    const points = checkedPoints(takePoints(n, plugin.memory.buffer, at), engine, some);
    const expected = some.map((_, index) => {
      const all = 900 + index + (100 + index) / 2 + 2;
      return Math.floor(index === 1 ? all / 4 : all);
    });
    assert.deepEqual([...points], expected);
  }
  assert.throws(() => reserved(plugin, 600_000), /reserve has no room for 600000 tasks/);
});
