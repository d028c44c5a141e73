// The guard against the kernel's own killer: who is first when a memory cgroup fills up? Real memory in a group of the test's own, at
// three rates, beside 20 bystanders of which three are larger than the hog when the guard acts, but never chosen.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cgroupOomKills } from '../../src/linux/cgroup.js';
import { loadNative } from '../../src/linux/native.js';
import { type GuardProcess, runGuard } from '../src/support/guard-process.js';
import { pause, realCount } from './support/count.js';
import { type Eater, startEater, touchMemory } from './support/eater.js';
import { MIB, makeGroup, v1Top } from './support/hog.js';
import { realBinary } from './support/hostile-binary.js';

const RUNS = 20;
const RUNS_REDUCED = 4;
const LIMIT_MIB = 1024;
/** 922 MiB in use is where SIGTERM is due: then the hog has taken some 215. */
const LARGE = { count: 3, mib: 230, name: 'Xorg' };
const SMALL = { count: 17, mib: 1, name: 'bystander' };
/** More than the hog can get before the group is full. */
const TOUCH_MIB = 500;

/** How often the kernel may win. */
const RATES = [
  { rate: 350, lost: 0 },
  { rate: 1126, lost: 0 },
  { rate: 2560, lost: 1 },
];

interface Scene {
  readonly group: string;
  readonly guard: GuardProcess;
  readonly bystanders: readonly Eater[];
}

interface Run {
  readonly kernelKills: number;
  readonly died: number;
  readonly hogDied: boolean;
  /** MiB a second that the hog came to. */
  readonly rate: number;
  /** From the moment the guard saw that memory is short until the hog was gone. */
  readonly ms: number;
}

async function prepare(t: TestContext, native: 'auto' | 'none'): Promise<Scene> {
  const found = v1Top();
  if ('skip' in found) throw new Error(found.skip);
  const { top } = found;
  const group = makeGroup(t, top, 'race', { 'memory.limit_in_bytes': LIMIT_MIB * MIB });
  const bystanders: Eater[] = [];
  for (const { count, mib, name } of [LARGE, SMALL]) {
    for (let index = 0; index < count; index++) {
      const bystander = await startEater({ name, group });
      t.after(() => bystander.end());
      await bystander.take(mib);
      bystanders.push(bystander);
    }
  }
  const domain = `memcg:${group.slice(top.length)}`;
  // As badness.service has it: what else this machine does is not what is raced against.
  const through = ['nice', '-n', '-10'];
  const guard = await runGuard(t, { args: ['--enforce', '--domain', domain, '--native', native], through });
  return { group, guard, bystanders };
}

async function race({ group, guard, bystanders }: Scene, rate: number): Promise<Run> {
  await touchMemory(TOUCH_MIB);
  await guard.until('calm', () => (guard.of('level').at(-1)?.level ?? 'none') === 'none');
  const seen = guard.lines.length;
  const killsBefore = cgroupOomKills(group, 1)!;
  const hog = await startEater({ name: 'hog', group });
  await hog.take(LIMIT_MIB, rate);
  const end = Number(process.hrtime.bigint()) / 1e6;
  await pause(300);
  const hogDied = !hog.lives;
  await hog.end();
  const short = guard.lines.slice(seen).find(({ kind, level }) => kind === 'level' && /^(term|kill)$/.test(level));
  return {
    kernelKills: cgroupOomKills(group, 1)! - killsBefore,
    died: bystanders.filter(({ lives }) => !lives).length + (hogDied ? 1 : 0),
    hogDied,
    rate: hog.rate,
    ms: short ? end - short.at_ms : Number.NaN,
  };
}

const found = v1Top();
const binary = realBinary('eater');
const skip = 'skip' in found ? found.skip : 'skip' in binary ? binary.skip : false;

for (const native of ['auto', 'none'] as const) {
  for (const { rate, lost } of RATES) {
    const name = native === 'auto' ? 'eventfd' : 'sampled';
    const options = { skip, timeout: 280_000 };
    test(
      `race: at ${rate} MiB/s the guard is before the kernel, and only the hog dies (${name})`,
      options,
      async (t) => {
        const load = await loadNative({ native });
        if (native === 'auto' && load.native === null) return t.skip(load.reason ?? 'no native calls');
        const scene = await prepare(t, native);
        const runs: Run[] = [];
        for (let count = realCount(RUNS, RUNS_REDUCED); count > 0; count--) runs.push(await race(scene, rate));
        const won = runs.filter(({ kernelKills }) => kernelKills > 0).length;
        const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
        t.diagnostic(
          `${runs.length} runs: the kernel won ${won}, ${runs.filter(({ died }) => died !== 1).length} without exactly one death, ` +
            `${runs.filter(({ hogDied }) => !hogDied).length} without the hog's; hog at ${Math.round(median(runs.map((run) => run.rate)))} MiB/s, ` +
            `gone ${median(runs.map(({ ms }) => ms)).toFixed(1)} ms after memory was short`,
        );
        for (const { died, hogDied } of runs)
          assert.deepEqual({ died, hogDied }, { died: 1, hogDied: true }, scene.guard.told());
        assert.ok(won <= lost, `the kernel won ${won} of ${runs.length}: ${scene.guard.told()}`);
        assert.deepEqual(await scene.guard.stop().then(({ ended }) => ended), 0);
      },
    );
  }
}
