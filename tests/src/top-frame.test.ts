// What badness top sees of a machine: the order of the rows, the victim in words, memory and pressure or why they cannot be read.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Choices, SORTS } from '../../src/cli/top-choices.js';
import { FrameReader } from '../../src/cli/top-frame.js';
import { openEngine } from '../../src/engine.js';
import { FakeProc } from './support/fake-proc.js';
import { meminfoText } from './support/pressure-fixtures.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const CHOICES: Choices = { scheme: 'badness', sort: 'points', selected: null, panel: 'tasks', paused: false };

async function machine(t: TestContext): Promise<{ proc: FakeProc; frames: FrameReader }> {
  const proc = new FakeProc({ uptimeS: 5000 });
  t.after(() => proc.remove());
  proc.file(
    'meminfo',
    meminfoText({
      total: 1_000_000,
      free: 1000,
      available: 300_000,
      anon: 600_000,
      swapTotal: 50_000,
      swapFree: 20_000,
    }),
  );
  proc.put({ pid: 50, comm: 'c', vm: 9000, rss: 3000, utime: 10, start: 300 });
  proc.put({ pid: 51, comm: 'a', vm: 9000, rss: 1000, utime: 30, start: 200 });
  proc.put({ pid: 52, comm: 'b', vm: 9000, rss: 2000, utime: 20, start: 100, nice: 5 });
  const frames = new FrameReader({ engine: await openEngine({ maxTasks: 64 }), root: proc.root, scoring: {} });
  t.after(() => frames.close());
  return { proc, frames };
}

const NOBODY: ReadonlySet<number> = new Set();

describe('top: a look at the machine', { skip }, () => {
  test('rows in each order', async (t) => {
    const { frames } = await machine(t);
    const orders = {
      points: [52, 50, 51],
      memory: [50, 52, 51],
      age: [52, 51, 50],
      cpu: [51, 52, 50],
      pid: [50, 51, 52],
      name: [51, 52, 50],
    };
    for (const sort of SORTS) {
      const { rows, tasks } = frames.read({ ...CHOICES, sort }, 2, NOBODY);
      const expected = sort === 'points' ? orders.points.slice(0, 2) : orders[sort];
      assert.deepEqual([rows.map(({ tgid }) => tgid), tasks], [expected, 3], sort);
    }
  });

  test('the victim and the words are those of the scheme, also after it was changed', async (t) => {
    const { frames } = await machine(t);
    const own = frames.read(CHOICES, 9, NOBODY);
    assert.deepEqual(
      [own.victim, own.victimWords],
      [52, 'next victim: 52 (b): gives back 7.81 MiB, 1 h 23 min old, being niced multiplies by 2'],
    );
    const resident = frames.read({ ...CHOICES, scheme: 'resident' }, 9, NOBODY);
    assert.deepEqual(
      [resident.victim, resident.victimWords],
      [50, 'next victim: 50 (c): gives back 11.7 MiB, 1 h 23 min old, nobody gives back more'],
    );
  });

  test('who is protected stands behind the others and is not the victim', async (t) => {
    const { frames } = await machine(t);
    const { rows, victim } = frames.read(CHOICES, 9, new Set([52]));
    assert.deepEqual([rows.map(({ tgid }) => tgid), victim], [[50, 51, 52], 50]);
    const nobody = frames.read(CHOICES, 9, new Set([50, 51, 52]));
    assert.deepEqual([nobody.victim, nobody.victimWords], [null, 'next victim: nobody; no task may be chosen']);
  });

  test('its steps come to the points of the row', async (t) => {
    const { frames } = await machine(t);
    const { rows, machine: of } = frames.read(CHOICES, 9, NOBODY);
    const lines = frames.explain(rows[0]!, of, (uid) => `user ${uid}`);
    assert.match(lines[0]!, /^52 \(b\): gives back 7\.81 MiB of .*, user user 1000, nice 5, oom_score_adj 0$/);
    assert.equal(lines.at(-1), '  = points  2,000 ÷ 1 × 2 = 4,000 (each division rounds down)');
  });

  test('in the schemes of kernels as well, which scale by the size of the machine', async (t) => {
    const { proc, frames } = await machine(t);
    proc.put({ pid: 51, comm: 'a', vm: 9000, rss: 1000, statRss: 1000, adj: 500 });
    const { rows, machine: of } = frames.read({ ...CHOICES, scheme: 'linux-5.9' }, 9, NOBODY);
    const lines = frames.explain(rows[0]!, of, String);
    assert.equal(rows[0]!.tgid, 51);
    const [, points] = /^ {2}= points .* = ([\d,]+)$/m.exec(lines.join('\n'))!;
    assert.equal(Number(points!.replaceAll(',', '')), rows[0]!.points);
  });

  test('memory, swap and pressure, or the reason why not', async (t) => {
    const { proc, frames } = await machine(t);
    const { meters } = frames.read(CHOICES, 9, NOBODY);
    assert.deepEqual(meters, {
      memory: {
        totalKib: 1_000_000,
        availableKib: 300_000,
        basisKib: 900_000,
        swapTotalKib: 50_000,
        swapFreeKib: 20_000,
      },
      pressure: 'this kernel has no PSI',
    });
    mkdirSync(join(proc.root, 'pressure'));
    const line = (kind: string, share: number) => `${kind} avg10=${share}.25 avg60=0.50 avg300=0.00 total=77\n`;
    proc.file('pressure/memory', line('some', 3) + line('full', 1));
    proc.file('meminfo', 'MemTotal:        1000000 kB\n');
    const next = frames.read(CHOICES, 9, NOBODY).meters;
    assert.match(String(next.memory), /^.*meminfo.*MemAvailable is missing/);
    assert.deepEqual(next.pressure, {
      some: { avg10: 3.25, avg60: 0.5, avg300: 0, totalUs: 77 },
      full: { avg10: 1.25, avg60: 0.5, avg300: 0, totalUs: 77 },
    });
  });
});
