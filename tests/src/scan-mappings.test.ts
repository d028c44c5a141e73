// Page tables of address spaces in a million pieces, where the machine allows so many mappings: they count in the choice.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { ProcScanner } from '../../src/linux/scan.js';
import { FakeProc } from './support/fake-proc.js';

/** Both so young that nothing is divided. 4.2 GiB of page tables: a page of them for each mapping of one page, and some above. */
const SPARSE = { pid: 20, start: 9_999_000, vm: 2_000_000, rss: 100_000, pte: 4 * 1_100_000 };
const PLAIN = { pid: 30, start: 9_999_000, vm: 1_300_000, rss: 1_050_000, pte: 10_000 };

test('scan: with more mappings allowed than by default the victim is the one of a full reading', async (t) => {
  const proc = new FakeProc({ memTotalKib: 64 * 2 ** 20 });
  t.after(() => proc.remove());
  mkdirSync(join(proc.root, 'sys/vm'));
  proc.file('sys/vm/max_map_count', '1048576\n');
  for (const task of [SPARSE, PLAIN]) proc.put(task);
  const engine = await openEngine({ maxTasks: 16 });
  using scanner = new ProcScanner(engine, { root: proc.root });
  const victim = () => engine.u32(L.C_ID, scanner.decide().slot);
  assert.equal(victim(), SPARSE.pid);
  proc.file('sys/vm/max_map_count', '65530\n');
  // Sixteen rounds later it is read again: what was mapped before still is.
  for (let round = 0; round < 20; ++round) assert.equal(victim(), SPARSE.pid);
});
