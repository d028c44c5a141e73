// The C guard of examples/device in a pid namespace of its own, over a meminfo that the test writes: a leaking child dies, nobody else.
// Wants root, wabt and a C compiler.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deviceHost } from '../src/support/native-tool.js';
import { PATIENCE_MS } from '../src/support/patience.js';
import { APART, noScene } from './support/cli-scene.js';
import { pause } from './support/count.js';
import { type Eater, startEater } from './support/eater.js';
import { realBinary } from './support/hostile-binary.js';

const CHILD = 'device';
const BYSTANDER_MIB = 30;
/** What somebody has who is asked to go, before it is killed. */
const TERM_MS = 3000;

interface Scene {
  readonly guard: string;
  readonly meminfo: string;
  readonly args: readonly string[];
  /** MemAvailable in percent while the hog is there. */
  readonly percent: number;
  readonly hogMib: number;
  readonly stubborn?: boolean;
  /** The guard is the child of a Node process that holds more than the hog. */
  readonly largeParent?: boolean;
  /** How long somebody may live who must not die. */
  readonly waitMs: number;
}

interface Seen {
  readonly hogEnd: string | number | null;
  readonly hogMs: number;
  readonly hogPid: number;
  readonly bystanderLives: boolean;
  readonly parentLives: boolean;
  readonly lines: readonly string[];
  readonly rssKib: number;
}

/** A machine of 1 GiB, without swap, of which all that is not available is anonymous. Always as long. */
function meminfoText(percent: number): string {
  const line = (key: string, kib: number) => `${`${key}:`.padEnd(16)}${String(Math.round(kib)).padStart(8)} kB\n`;
  const total = 2 ** 20;
  const available = (total * percent) / 100;
  const some = [line('MemTotal', total), line('MemFree', available), line('MemAvailable', available)];
  return [...some, line('AnonPages', total - available), line('SwapTotal', 0), line('SwapFree', 0)].join('');
}

const PARENT = `
  const hold = Buffer.alloc(120 * 2 ** 20, 1);
  const child = require('node:child_process').spawn(process.argv[1], process.argv.slice(2), { stdio: 'inherit' });
  child.on('exit', () => process.exit(hold.length ? 1 : 2));
  process.on('SIGTERM', () => child.kill());
`;

function startGuard({ guard, args, largeParent }: Scene): ChildProcess {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  if (!largeParent) return spawn(guard, args, { stdio: [...stdio] });
  return spawn(process.execPath, ['-e', PARENT, guard, ...args], { stdio: [...stdio] });
}

async function until(met: () => boolean, ms: number): Promise<void> {
  for (const end = Date.now() + ms; !met() && Date.now() < end; ) await pause(10);
}

/** The resident memory of the guard: of the process called so. */
function guardRssKib(pid: number): number {
  const status = (of: number) => readFileSync(`/proc/${of}/status`, 'latin1');
  const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
  const text = /^Name:\tbadness-(device|small)$/m.test(status(pid)) ? status(pid) : status(children()[0]!);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)![1]);
}

/** The inner half: pid 1 of the namespace. Its end is the end of all that it started. */
async function inner(scene: Scene): Promise<void> {
  if (process.pid !== 1) throw new Error('the scene needs a pid namespace of its own');
  const meminfo = openSync(scene.meminfo, 'r+');
  const available = (percent: number) => writeSync(meminfo, meminfoText(percent), 0);
  const guard = startGuard(scene);
  const lines: string[] = [];
  createInterface({ input: guard.stdout! }).on('line', (line) => lines.push(line));
  await until(() => lines.some((line) => line.startsWith('guarding')), PATIENCE_MS);
  const bystander: Eater = await startEater({ name: 'bystander' });
  await bystander.take(BYSTANDER_MIB);
  const hog = await startEater({ name: 'hog', ...(scene.stubborn ? { stubborn: true } : {}) });
  await hog.take(scene.hogMib, 400);
  // What a kernel does at once this process has to be awake for: the guard waits 250 ms for it after a release.
  setPriority(-20);
  const began = performance.now();
  available(scene.percent);
  const recovered = hog.ended.then((end) => {
    available(80);
    return end;
  });
  const hogEnd = await Promise.race([recovered, pause(scene.waitMs).then(() => null)]);
  const hogMs = performance.now() - began;
  await pause(500);
  const parentLives = guard.exitCode === null && guard.signalCode === null;
  const rssKib = guardRssKib(guard.pid!);
  const seen: Seen = { hogEnd, hogMs, hogPid: hog.pid, bystanderLives: bystander.lives, parentLives, lines, rssKib };
  process.stdout.write(JSON.stringify(seen));
  process.exit(0);
}

const host = process.env.BADNESS_REAL_CHILD === CHILD ? { skip: 'inner' } : deviceHost();

function run(scene: Omit<Scene, 'guard' | 'meminfo'>, program = 'badness-device'): Seen {
  assert.ok('path' in host);
  const guard = join(dirname(host.path), program);
  const folder = mkdtempSync(join(tmpdir(), 'badness-meminfo-'));
  const meminfo = join(folder, 'meminfo');
  writeFileSync(meminfo, meminfoText(80));
  const env: NodeJS.ProcessEnv = {
    ...{ ...process.env, BADNESS_REAL_CHILD: CHILD },
    BADNESS_REAL_SCENE: JSON.stringify({ ...scene, guard, meminfo }),
  };
  delete env.NODE_TEST_CONTEXT;
  const script = `mount --bind '${meminfo}' /proc/meminfo && exec "$0" --enable-source-maps "$1"`;
  const bundle = fileURLToPath(import.meta.url);
  const ran = spawnSync('timeout', [...APART, 'sh', '-c', script, process.execPath, bundle], { env, encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  assert.equal(ran.status, 0, ran.stderr);
  return JSON.parse(ran.stdout) as Seen;
}

function defineTests(): void {
  const eater = realBinary('eater');
  const skip = noScene() || ('skip' in eater ? eater.skip : 'skip' in host ? host.skip : false);
  const options = { skip, timeout: 250_000 };
  const scene = { args: ['--guard', '--enforce'], percent: 8, hogMib: 150, waitMs: PATIENCE_MS };

  test('device: the guard asks a leaking child to go, and nobody else', options, (t) => {
    const seen = run(scene);
    t.diagnostic(`${Math.round(seen.hogMs)} ms; ${seen.rssKib} KiB resident; ${seen.lines.join(' | ')}`);
    assert.deepEqual([seen.hogEnd, seen.bystanderLives, seen.parentLives], ['SIGTERM', true, true]);
    const acts = seen.lines.filter((line) => /^(SIG(TERM|KILL) to |\d)/.test(line));
    assert.deepEqual(acts, [`SIGTERM to ${seen.hogPid}`, `${seen.hogPid}: released`]);
    assert.ok(seen.rssKib <= 1024, `${seen.rssKib} KiB`);
  });

  test('device: at the lower threshold it is killed at once', options, () => {
    const seen = run({ ...scene, percent: 4 });
    assert.deepEqual([seen.hogEnd, seen.bystanderLives], ['SIGKILL', true]);
    assert.ok(seen.hogMs < TERM_MS, `${seen.hogMs} ms`);
  });

  test('device: who ignores SIGTERM is killed three seconds later', options, () => {
    const seen = run({ ...scene, stubborn: true });
    assert.deepEqual([seen.hogEnd, seen.bystanderLives], ['SIGKILL', true]);
    assert.ok(seen.hogMs >= TERM_MS, `${seen.hogMs} ms`);
  });

  test('device: without --enforce it says who, and nobody dies', options, () => {
    const seen = run({ ...scene, args: ['--guard'], waitMs: 2000 });
    assert.deepEqual([seen.hogEnd, seen.bystanderLives], [null, true]);
    const told = seen.lines.filter((line) => line.includes('would choose'));
    assert.equal(told.length, 1, 'once a minute');
    assert.match(told[0]!, new RegExp(`would choose ${seen.hogPid} \\(hog\\)`));
  });

  test('device: the smallest host kills the leaking child too, and nobody else', options, (t) => {
    const seen = run(scene, 'badness-small');
    t.diagnostic(`${seen.rssKib} KiB resident; ${seen.lines.join(' | ')}`);
    assert.deepEqual([seen.hogEnd, seen.bystanderLives, seen.parentLives], ['SIGTERM', true, true]);
    assert.ok(seen.lines.some((line) => line.endsWith(`available: SIGTERM to ${seen.hogPid} (hog)`)));
    const stubborn = run({ ...scene, stubborn: true }, 'badness-small');
    assert.deepEqual([stubborn.hogEnd, stubborn.bystanderLives], ['SIGKILL', true]);
    const dry = run({ ...scene, args: ['--guard'], waitMs: 2000 }, 'badness-small');
    assert.deepEqual([dry.hogEnd, dry.bystanderLives], [null, true]);
  });

  test('device: its parent is never chosen, although it holds more than the leak', options, () => {
    const seen = run({ ...scene, largeParent: true, hogMib: 60 });
    assert.deepEqual([seen.hogEnd, seen.bystanderLives, seen.parentLives], ['SIGTERM', true, true]);
  });
}

if (process.env.BADNESS_REAL_CHILD === CHILD) await inner(JSON.parse(process.env.BADNESS_REAL_SCENE!));
else defineTests();
