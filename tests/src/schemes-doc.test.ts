/** docs/schemes.md: the sums by hand are what the engine says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadTasks, openEngine, rankTasks, type ScoreOptions, type Task } from '../../src/index.js';

const page = readFileSync('docs/schemes.md', 'utf8');
const DAY_S = 86_400;
const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 20 * DAY_S, totalPages: 4_000_000 };
/** Two hours of CPU time, up for ten days. */
const WORKED: Task = {
  ...{ tgid: 100, totalVmPages: 1_000_000, rssPages: 100_000, uid: 1000, euid: 1000 },
  ...{ utimeJiffies: 720_000, startTimeTicks: 10 * DAY_S * 100 },
};

/** The last number of the line of a sum. */
function byHand(label: string): number {
  const [, value] = new RegExp(`^ {4}${label} .*= ([\\d,]+)$`, 'm').exec(page) ?? [];
  assert.ok(value, `no line ${label}`);
  return Number(value.replaceAll(',', ''));
}

async function worst(tasks: Task[], options: ScoreOptions) {
  const engine = await openEngine({ maxTasks: 64 });
  loadTasks(engine, tasks, MACHINE);
  const { ranked } = rankTasks(engine, { totalPages: MACHINE.totalPages, ...options });
  return ranked[0]!;
}

const numbers = (text: string) => (text.match(/[\d,]{4,}/g) ?? []).map((one) => Number(one.replaceAll(/,/g, '')));

test('schemes: the sum by hand of the default scheme is what the engine says', async () => {
  const [, niced, sixteenth] = /^Niced, it would have ([\d,]+)\..* = ([\d,]+)\.$/m.exec(page)!;
  assert.match(page, /^ {4}points {7}⌊100,000 \/ 4⌋ {23}= 25,000$/m);
  assert.equal((await worst([WORKED], { scheme: 'badness' })).points, 25_000);
  assert.equal((await worst([{ ...WORKED, nice: 5 }], { scheme: 'badness' })).points, numbers(niced!)[0]);
  assert.equal((await worst([WORKED], { scheme: 'badness', maxDiscount: 16 })).points, numbers(sixteenth!)[0]);
});

test('schemes: the sum by hand of Linux 2.6.10 is what the engine says', async () => {
  const points = async (more: Task) => (await worst([{ ...WORKED, ...more }], { scheme: 'linux-2.6.10' })).points;
  assert.equal(await points(WORKED), byHand('by age'));
  assert.equal(await points({ ...WORKED, nice: 5 }), byHand('niced'));
  assert.equal(await points({ ...WORKED, nice: 5, uid: 0, euid: 0 }), byHand('root'));
});

test('schemes: the sum by hand of today’s kernel is what the engine says', async () => {
  const task: Task = { ...WORKED, rssPages: 90_000, swapPages: 8_000, pgtablesBytes: 8_192_000, oomScoreAdj: 300 };
  const { points, oomScore } = await worst([task], { scheme: 'linux-5.9' });
  assert.deepEqual([points, oomScore], [1_300_000, byHand('oom_score')]);
  assert.match(page, /^ {4}points {7}100,000 \+ 1,200,000 .* = 1,300,000$/m);
});

test('schemes: a family has the sum of its members, and its largest goes', async () => {
  const [agent, ...tools] = [20_000, 30_000, 30_000, 40_000].map((rssPages, index) => ({
    ...{ tgid: 200 + index, sid: 200, ppid: index === 0 ? 1 : 200, rssPages, totalVmPages: rssPages },
  }));
  const { points, tgid } = await worst([agent!, ...tools], { scheme: 'family' });
  assert.deepEqual([points, tgid], [120_000, 203]);
  assert.match(page, /the sum, 120,000 points/);
});
