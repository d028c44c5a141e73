/**
 * `linux-5.9` against the kernel itself: what we say /proc/PID/oom_score holds is what it holds, for every process that
 * held still while it was read, and page by page across a step of the score.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, type EngineBuild, openEngine } from '../../src/engine.js';
import { explainTask } from '../../src/explain.js';
import { liveFiles } from '../../src/linux/live-files.js';
import { readMachine, readMemory } from '../../src/linux/machine.js';
import { listPids } from '../../src/linux/proc-files.js';
import { stageTask } from '../../src/proc/read-task.js';
import { beginSnapshot } from '../../src/task.js';
import {
  type Child,
  Child as ChildProcess,
  compileOddChild,
  keep,
  type Sample,
  sample,
  seesGlobalInit,
  startToucher,
  unlikeKernel,
} from './support/live.js';
import { ownFolder } from './support/own-folder.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];
const TRIES = 40;
/** What a child of ours may fill. One step of the score is 0.15 % of memory: 150 MiB where there are 100 GiB. */
const FILL_BYTES = 320 * 2 ** 20;
const STEPS = 240;

const skip = unlikeKernel();
const pageSize = skip === undefined ? readMachine().pageSize : 4096;
const ownAdj = skip === undefined ? Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) : 0;

interface Prediction {
  points: number;
  oomScore: number;
}

/** Which of the two counts of resident pages a prediction is made from. */
type RssSource = 'stat' | 'status';

/** What the engine says of every sample kept in a folder. */
function predict(engine: Engine, folder: string, samples: readonly Sample[], source: RssSource): Prediction[] {
  const memory = samples.map((_, index) => readMemory(`${folder}/${index}`, pageSize));
  beginSnapshot(engine, { hz: 100, pageSize, uptimeS: 0, totalPages: 0 });
  for (const [index, { pid }] of samples.entries()) {
    assert.equal(
      stageTask(engine, { files: liveFiles, root: `${folder}/${index}`, hz: 100, pageSize }, String(pid)),
      'staged',
    );
    if (source === 'status') engine.fields[L.FIELD_FLAGS]! &= ~L.TASK_STAT_RSS;
    assert.equal(engine.abi.table_put(engine.window), index);
  }
  engine.abi.table_publish();
  return samples.map((_, slot) => {
    const { totalPages } = memory[slot]!;
    const { points, oomScore } = explainTask(engine, slot, { scheme: 'linux-5.9', totalPages });
    return { points: points ?? Number.NaN, oomScore: oomScore! };
  });
}

/**
 * Kernels from 2026 on score with exact sums, which is what VmRSS shows; those before with the counters of stat. Where
 * the two lead to different scores the kernel's own tells which it uses; where they never do it does not matter.
 */
function rssSource(
  t: TestContext,
  samples: readonly Sample[],
  byStat: readonly Prediction[],
  byStatus: readonly Prediction[],
): RssSource {
  const telling = samples.map((_, index) => index).filter((i) => byStat[i]!.oomScore !== byStatus[i]!.oomScore);
  t.diagnostic(`stat and VmRSS lead to different scores for ${telling.length} of ${samples.length} readings`);
  const exact = telling.length > 0 && telling.every((i) => byStatus[i]!.oomScore === samples[i]!.oomScore);
  return exact ? 'status' : 'stat';
}

/** Holds every build against the kernel. Returns the predictions. */
async function verify(t: TestContext, samples: readonly Sample[]): Promise<Prediction[]> {
  const folder = ownFolder(t);
  for (const [index, one] of samples.entries()) keep(folder, index, one);
  let predictions: Prediction[] = [];
  for (const build of BUILDS) {
    const engine = await openEngine({ build, maxTasks: Math.max(samples.length, 1) });
    const byStat = predict(engine, folder, samples, 'stat');
    const byStatus = predict(engine, folder, samples, 'status');
    const source = rssSource(t, samples, byStat, byStatus);
    if (source === 'status') t.diagnostic('this kernel scores with exact sums: held against VmRSS');
    predictions = source === 'stat' ? byStat : byStatus;
    const wrong = samples.flatMap(({ pid, oomScore, files }, index) => {
      const ours = predictions[index]!.oomScore;
      return ours === oomScore ? [] : [{ pid, oomScore, ours, stat: String(files.get(`${pid}/stat`)) }];
    });
    assert.deepEqual(wrong, [], build);
  }
  return predictions;
}

/** Reads a process until it holds still. */
function sampleStill(pid: number): Sample {
  for (let tries = 0; tries < TRIES; ++tries) {
    const one = sample(pid);
    if (one) return one;
  }
  throw new Error(`process ${pid} never held still`);
}

const setAdj = (pid: number, adj: number) => writeFileSync(`/proc/${pid}/oom_score_adj`, `${adj}`);

test('conformance: oom_score of every process that held still', { skip }, async (t) => {
  const idle = await startToucher(t, pageSize, 2 ** 20);
  const withoutInit = seesGlobalInit() ? [] : ['1'];
  const pids = listPids('/proc').filter((pid) => !withoutInit.includes(pid));
  const samples = pids.flatMap((pid) => sample(Number(pid)) ?? []);
  await verify(t, samples);
  const withMm = samples.filter(({ oomScore }) => oomScore > 0).length;
  t.diagnostic(
    `${samples.length} compared (${withMm} above 0), ${pids.length - samples.length} skipped: changed or gone`,
  );
  if (withoutInit.length > 0) t.diagnostic('pid 1 skipped: of a container, so the kernel does not spare it');
  assert.ok(
    samples.some(({ pid }) => pid === idle.pid),
    'at least the idle child of this test',
  );
});

test('conformance: at least 20 distinct scores as oom_score_adj is raised', { skip }, async (t) => {
  if (ownAdj > 900) return t.skip(`oom_score_adj of this test is ${ownAdj} and cannot be raised by much`);
  const child = await startToucher(t, pageSize, 2 ** 20);
  const values = new Set([ownAdj, 999, 1000]);
  for (let adj = ownAdj; adj < 1000; adj += Math.ceil((1000 - ownAdj) / 60)) values.add(adj);
  const samples = [...values].map((adj) => {
    setAdj(child.pid, adj);
    return sampleStill(child.pid);
  });
  await verify(t, samples);
  const distinct = new Set(samples.map(({ oomScore }) => oomScore)).size;
  t.diagnostic(`${samples.length} readings, ${distinct} distinct scores`);
  assert.ok(distinct >= 20);
});

/** oom_score of 5.9 and later from points: C division, toward zero. */
const exported = (points: number, total: number) => Math.trunc(((1000 + Math.trunc((points * 1000) / total)) * 2) / 3);

/** Pages until the score of a sample goes up. */
async function pagesToStep(engine: Engine, folder: string, one: Sample): Promise<number> {
  keep(folder, 0, one);
  const [{ points, oomScore }] = predict(engine, folder, [one], 'stat') as [Prediction];
  const { totalPages } = readMemory(`${folder}/0`, pageSize);
  let [low, high] = [0, Math.ceil(totalPages / 250)];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (exported(points + middle, totalPages) === oomScore) low = middle;
    else high = middle;
  }
  return high;
}

/** Fills the child up to shortly before the next step of its score. False when that is too far. */
async function approach(t: TestContext, child: Child): Promise<boolean> {
  const folder = ownFolder(t);
  const engine = await openEngine({ build: 'baseline', maxTasks: 1 });
  let room = FILL_BYTES / pageSize;
  for (;;) {
    const pages = await pagesToStep(engine, folder, sampleStill(child.pid));
    if (pages <= 160) return true;
    // Page tables come on top of what is touched, one page for every 512.
    const fill = Math.floor((pages - 120) * 0.998);
    room -= fill;
    if (room < 0) return false;
    await child.ask(`fill ${fill}`);
  }
}

for (const wanted of [100, 999]) {
  test(`conformance: page by page across a step of the score, oom_score_adj ${wanted}`, { skip }, async (t) => {
    const areaBytes = (pageSize / 8) * pageSize;
    const child = await startToucher(t, pageSize, FILL_BYTES + (STEPS + 4) * Math.min(areaBytes, 2 ** 21));
    // A container may not lower what it was given, only raise it.
    const adj = Math.max(wanted, ownAdj);
    setAdj(child.pid, adj);
    // What the child needs for stepping at all is there before the last approach.
    await child.ask('step 1');
    await child.ask('fill 1');
    if (!(await approach(t, child))) return t.skip('one step of the score is more memory here than this test may take');
    const samples = [sampleStill(child.pid)];
    for (let step = 0, after = 0; step < STEPS && after < 40; ++step) {
      await child.ask(areaBytes > 2 ** 21 ? 'fill 1' : 'step 1');
      samples.push(sampleStill(child.pid));
      if (samples.at(-1)!.oomScore !== samples[0]!.oomScore) after += 1;
    }
    const predictions = await verify(t, samples);
    const first = samples[0]!.oomScore;
    const below = Math.max(...predictions.filter(({ oomScore }) => oomScore === first).map(({ points }) => points));
    const above = Math.min(...predictions.filter(({ oomScore }) => oomScore !== first).map(({ points }) => points));
    const scores = [...new Set(samples.map(({ oomScore }) => oomScore))];
    t.diagnostic(
      `adj ${adj}: ${samples.length} readings, scores ${scores.join(' and ')}, ${above - below} pages between`,
    );
    assert.deepEqual(scores, [first, first + 1]);
    assert.ok(above - below <= 64, 'the step was crossed in one stride');
  });
}

test('conformance: a child of vfork scores 0, a group whose leader has exited as its threads', { skip }, async (t) => {
  const file = compileOddChild(ownFolder(t));
  if (file === undefined) return t.skip('no C compiler (cc)');
  const vfork = new ChildProcess(t, file, ['vfork']);
  const inVfork = Number(await vfork.answer());
  t.after(() => process.kill(inVfork, 'SIGKILL'));
  const leader = new ChildProcess(t, file, ['leader']);
  await leader.answer();
  const samples = [vfork.pid, inVfork, leader.pid].map(sampleStill);
  const predictions = await verify(t, samples);
  assert.equal(samples[1]!.oomScore, 0);
  assert.ok(Number.isNaN(predictions[1]!.points), 'in vfork: not eligible');
  assert.ok(samples[0]!.oomScore > 0 && samples[2]!.oomScore > 0);
  assert.ok(predictions[2]!.points >= 2048, 'the eight MiB that the live thread holds');
});
