// `badness guard` as people start it in a container: no flags but --enforce. The container is a memory cgroup of 512 MiB that holds pid 1
// of a pid namespace, with and without a cgroup namespace around it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cgroupOomKills } from '../../src/linux/cgroup.js';
import { type GuardLine, runGuard } from '../src/support/guard-process.js';
import { ownFolder } from '../src/support/own-folder.js';
import { noScene } from './support/cli-scene.js';
import { pause } from './support/count.js';
import { type Eater, startEater } from './support/eater.js';
import { ended, MIB, makeGroup, onTmpfs, v1Top } from './support/hog.js';
import { realBinary } from './support/hostile-binary.js';

const CHILD = 'container';
const LIMIT_MIB = 512;
const FILE_MIB = 1024;
/** Slow enough that the kernel is not near: who is first at speed is the business of race.test.ts. */
const RATE = 100;

type Act = 'hog' | 'cache';

interface Seen {
  readonly start: GuardLine;
  readonly lines: readonly GuardLine[];
  readonly hogEnd: string | number | null;
  readonly bystanderLives: boolean;
  readonly stopped: string | number;
}

/** A hog beyond the limit. */
async function fillUp(): Promise<string | number> {
  const hog = await startEater({ name: 'hog' });
  await hog.take(LIMIT_MIB, RATE);
  return hog.lives ? hog.end() : hog.ended;
}

/** Twice the limit in page cache, written and read. */
async function fillCache(file: string): Promise<void> {
  const script = `dd if=/dev/zero of=${file} bs=1M count=${FILE_MIB} 2>/dev/null && cat ${file} ${file} >/dev/null`;
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  const code = await ended(child);
  if (code !== 0) throw new Error(`writing the file ended with ${code}`);
}

/** The inner half: pid 1 of the container. Its end is the end of all that it started. */
async function contained(act: Act, file: string): Promise<void> {
  if (process.pid !== 1) throw new Error('a container needs a pid namespace of its own');
  const guard = await runGuard({ after: () => {} }, { args: ['--enforce'] });
  const bystander: Eater = await startEater({ name: 'bystander' });
  await bystander.take(30);
  const hogEnd = act === 'hog' ? await fillUp() : await fillCache(file).then(() => null);
  await pause(500);
  const { ended: stopped } = await guard.stop();
  const [start] = guard.of('start');
  const seen: Seen = { start: start!, lines: guard.lines, hogEnd, bystanderLives: bystander.lives, stopped };
  process.stdout.write(JSON.stringify(seen));
  process.exit(0);
}

interface Told {
  readonly seen: Seen;
  readonly path: string;
  readonly kernelKills: number;
  /** The most that the group has held. */
  readonly peakMib: number;
}

/** The inner half in a container of its own, which is gone when this resolves. */
async function inContainer(t: TestContext, act: Act, cgroupNamespace: boolean, file = ''): Promise<Told> {
  const { top } = v1Top() as { top: string };
  const group = makeGroup(t, top, 'container', { 'memory.limit_in_bytes': LIMIT_MIB * MIB });
  const apart = ['--pid', '--fork', '--kill-child', '--mount-proc', ...(cgroupNamespace ? ['--cgroup'] : [])];
  const enter = `echo $$ > '${group}/cgroup.procs' && exec timeout -s KILL 100 unshare ${apart.join(' ')} sh -c "$INNER" "$0" "$1"`;
  const env = {
    ...{ ...process.env, BADNESS_REAL_CHILD: CHILD, BADNESS_REAL_ACT: act, BADNESS_REAL_FILE: file },
    // A container with a cgroup namespace sees its own group as the top of the hierarchy.
    INNER: `${cgroupNamespace ? `mount --bind '${group}' '${top}' && ` : ''}exec "$0" --enable-source-maps "$1"`,
  };
  const child = spawn('sh', ['-c', enter, process.execPath, fileURLToPath(import.meta.url)], {
    env: { ...env, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  assert.equal(await ended(child), 0, stderr);
  const peak = Number(readFileSync(join(group, 'memory.max_usage_in_bytes'), 'utf8')) / MIB;
  return {
    seen: JSON.parse(stdout),
    path: group.slice(top.length),
    kernelKills: cgroupOomKills(group, 1)!,
    peakMib: peak,
  };
}

function defineTests(): void {
  const found = v1Top();
  const binary = realBinary('eater');
  const skip = 'skip' in found ? found.skip : 'skip' in binary ? binary.skip : noScene();
  const options = { skip, timeout: 120_000 };
  for (const cgroupNamespace of [false, true]) {
    const where = cgroupNamespace ? 'a container with a cgroup namespace' : 'a container';
    test(`guard: in ${where} the limit is what it guards, and it acts before the kernel`, options, async (t) => {
      const { seen, path, kernelKills } = await inContainer(t, 'hog', cgroupNamespace);
      const words = JSON.stringify(seen.lines);
      assert.equal(seen.start.domain, `memcg ${cgroupNamespace ? '/' : path}`);
      assert.equal(seen.start.reason, 'the limit that holds pid 1 (a container)');
      assert.match(String(seen.hogEnd), /^SIG(TERM|KILL)$/, words);
      assert.equal(kernelKills, 0, words);
      assert.deepEqual([seen.bystanderLives, seen.stopped], [true, 0], words);
      const outcomes = seen.lines.filter(({ kind }) => kind === 'round').map(({ report }) => report.outcome);
      assert.deepEqual(outcomes, ['released'], words);
    });
  }

  test('guard: page cache alone, twice the limit, is no pressure in a container', options, async (t) => {
    const folder = ownFolder(t);
    if (onTmpfs(folder)) return t.skip('files live in memory here');
    const { seen, kernelKills, peakMib } = await inContainer(t, 'cache', false, join(folder, 'file'));
    const words = JSON.stringify(seen.lines);
    assert.ok(peakMib > LIMIT_MIB - 16, `the cache filled the group: ${peakMib} MiB`);
    assert.deepEqual(
      // Besides what it says of itself.
      seen.lines.map(({ kind }) => kind as string).filter((kind) => kind !== 'note'),
      ['start'],
      words,
    );
    assert.deepEqual([kernelKills, seen.bystanderLives, seen.stopped], [0, true, 0]);
  });
}

if (process.env.BADNESS_REAL_CHILD === CHILD) {
  await contained(process.env.BADNESS_REAL_ACT as Act, process.env.BADNESS_REAL_FILE!);
} else defineTests();
