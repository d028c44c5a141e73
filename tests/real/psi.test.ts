// PSI triggers of the real kernel, with and without the privilege for short windows, under real stalls of a small cgroup.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KeptFile } from '../../src/linux/kept-file.js';
import { loadNative, POLLPRI } from '../../src/linux/native.js';
import { openPsiTrigger, PsiReader, type PsiTriggerSpec } from '../../src/linux/psi.js';
import { PsiSource } from '../../src/linux/psi-source.js';
import { createWaiter } from '../../src/linux/wait.js';
import { PATIENCE_MS } from '../src/support/patience.js';
import { makeGroup, startIn, until, v2Top } from './support/hog.js';
import { makeStalls, noPsi, noStalls } from './support/stalls.js';

const FILE = '/proc/pressure/memory';
const SPEC: PsiTriggerSpec = { kind: 'some', stallUs: 150_000, windowUs: 1_000_000 };
const CHILD = 'psi';

const { native, reason } = await loadNative();

function psiSkip(): string | false {
  return native === null ? `no native calls: ${reason}` : noPsi();
}

/** In a process of its own, where it has rights of its own: registers, says what it got, and waits for the first wake-up. */
async function child(): Promise<void> {
  const result = openPsiTrigger(SPEC);
  const { trigger } = result;
  const say = (news: object) => process.stdout.write(`${JSON.stringify(news)}\n`);
  if (trigger === null) return void say(result);
  say({ spec: trigger.spec, note: trigger.note });
  const waiter = createWaiter(native);
  let revents = 0;
  const onReady = (got: number) => {
    revents = got;
  };
  // Blocking, as the guard's worker waits.
  const end = waiter.waitSync([{ fd: trigger.fd, events: POLLPRI, path: null, onReady }], PATIENCE_MS);
  say({ end, revents, atMs: performance.timeOrigin + performance.now() });
  process.exit(0);
}

/** CAP_SYS_RESOURCE is effective. */
function privileged(): boolean {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${hex}`) >> 24n) & 1n) === 1n;
}

const stallSkip = psiSkip() || noStalls();

interface Told {
  registered: { spec?: PsiTriggerSpec; note?: string | null; reason?: string };
  woken: { end: string; revents: number; atMs: number };
  /** From the first stall that was counted to the wake-up, in milliseconds. */
  latencyMs: number;
}

/** Runs the child, makes stalls once it is registered, and hears what it tells. */
async function underStalls(t: TestContext, command: string, args: string[]): Promise<Told | null> {
  const bundle = fileURLToPath(import.meta.url);
  const env: NodeJS.ProcessEnv = { ...process.env, BADNESS_REAL_CHILD: CHILD };
  delete env.NODE_TEST_CONTEXT;
  const watcher = spawn(command, [...args, process.execPath, '--enable-source-maps', bundle], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => {
    watcher.kill('SIGKILL');
  });
  let text = '';
  watcher.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const lines = () => text.split('\n').slice(0, -1);
  await until('registered', () => lines().length >= 1 || watcher.exitCode !== null);
  const registered = JSON.parse(lines()[0] ?? '{"reason":"the child said nothing"}');
  if (!registered.spec) return { registered, woken: { end: 'none', revents: 0, atMs: 0 }, latencyMs: 0 };
  const reader = new PsiReader();
  const before = reader.read().some.totalUs;
  if (!makeStalls(t)) return null;
  await until('stalls', () => reader.read().some.totalUs > before + 5000);
  const onset = performance.timeOrigin + performance.now();
  reader.close();
  await until('woken', () => lines().length >= 2);
  const woken = JSON.parse(lines()[1]!);
  return { registered, woken, latencyMs: woken.atMs - onset };
}

function checkWoken(t: TestContext, told: Told, mostMs: number): void {
  assert.equal(told.woken.end, 'ready');
  assert.equal(told.woken.revents & POLLPRI, POLLPRI);
  assert.ok(told.latencyMs < mostMs, `${told.latencyMs.toFixed(0)} ms`);
  t.diagnostic(`woken ${told.latencyMs.toFixed(0)} ms after the onset`);
}

if (process.env.BADNESS_REAL_CHILD === CHILD) await child();
else {
  test('psi: without the privilege the trigger falls back to 2 s, says so, and fires', {
    skip: stallSkip,
    timeout: 280_000,
  }, async (t) => {
    if (privileged()) return t.skip('has CAP_SYS_RESOURCE');
    const told = await underStalls(t, 'env', []);
    if (told === null) return t.skip('files live in memory here');
    assert.deepEqual(told.registered.spec, { kind: 'some', stallUs: 300_000, windowUs: 2_000_000 });
    assert.match(told.registered.note!, /window of 1000000 µs refused/);
    checkWoken(t, told, 8000);
  });

  test('psi: with the privilege the short window is taken as asked', {
    skip: stallSkip,
    timeout: 280_000,
  }, async (t) => {
    // In a user namespace of its own a process has every capability, and the kernel asks for it there.
    const told = await underStalls(t, privileged() ? 'env' : 'unshare', privileged() ? [] : ['-Ur']);
    if (told === null) return t.skip('files live in memory here');
    if (told.registered.reason) return t.skip(`no user namespace: ${told.registered.reason}`);
    assert.deepEqual(told.registered, { spec: SPEC, note: null });
    checkWoken(t, told, 3000);
  });

  const v2 = v2Top(false);
  const v2Skip = psiSkip() || ('skip' in v2 ? v2.skip : false);
  const unified = 'top' in v2 ? v2.top : '';

  test('psi: the trigger of a removed cgroup ends, and the source lets go of it', {
    skip: v2Skip,
    timeout: 90_000,
  }, async (t) => {
    const dir = join(unified, `badness-psi-${process.pid}`);
    mkdirSync(dir);
    let there = true;
    t.after(() => there && rmdirSync(dir));
    const trigger = { kind: 'some', stallUs: 1_000_000, windowUs: 2_000_000, level: 'warn' } as const;
    const source = new PsiSource({ path: join(dir, 'memory.pressure'), percent: {}, trigger }, true);
    const waiter = createWaiter(native);
    t.after(() => {
      source.close();
      waiter.close();
    });
    assert.equal(source.note, null);
    assert.deepEqual(source.read(0), { level: 'none', error: null });
    assert.equal(await waiter.wait(source.wakeUps(), 50), 'time');
    rmdirSync(dir);
    there = false;
    assert.equal(await waiter.wait(source.wakeUps(), PATIENCE_MS), 'ready');
    assert.deepEqual(source.wakeUps(), []);
    assert.match(source.read(1000).error!, /^ENODEV/);
  });

  test('psi: one descriptor takes one trigger', { skip: psiSkip() }, (t) => {
    const fd = openSync(FILE, 'r+');
    t.after(() => closeSync(fd));
    writeFileSync(fd, 'some 1000000 2000000\0');
    assert.throws(() => writeFileSync(fd, 'some 1000000 2000000\0'), { code: 'EBUSY' });
  });

  test('v2 events: kernfs wakes poll(2) and fs.watch alike', { skip: v2Skip, timeout: 120_000 }, async (t) => {
    const dir = makeGroup(t, unified, 'events');
    const file = new KeptFile(join(dir, 'cgroup.events'));
    t.after(() => file.close());
    for (const waiter of [createWaiter(native), createWaiter(null)]) {
      t.after(() => waiter.close());
      let woken = 0;
      const wakeUp = { fd: file.fd, events: POLLPRI, path: file.path, onReady: () => void woken++ };
      const settle = async () => {
        file.read();
        while ((await waiter.wait([wakeUp], 50)) === 'ready') file.read();
      };
      const told = async (words: string) => {
        do assert.equal(await waiter.wait([wakeUp], PATIENCE_MS), 'ready', `${waiter.body}: ${words}`);
        while (!file.text().includes(words));
      };
      await settle();
      woken = 0;
      const child = startIn(t, [dir], 'exec sleep 60');
      await told('populated 1');
      await settle();
      child.kill('SIGKILL');
      await told('populated 0');
      assert.ok(woken >= 2);
    }
  });
}
