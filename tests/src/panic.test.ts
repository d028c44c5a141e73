/** Panic: hand-off, delay, the three ends, and that only one process ever ends in these tests: one that they spawned. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Panic, type PanicOptions, type PanicReport } from '../../src/guard/panic.js';
import { linuxPanicActions, rebootRefusal, type Started } from '../../src/linux/panic.js';
import { definePolicy, type PolicyInput } from '../../src/policy/policy.js';
import { code, never, PRESSURE } from './support/chain.js';
import { ManualClock, settle } from './support/manual-clock.js';
import { ownFolder } from './support/own-folder.js';

function setUp(plan: PolicyInput['panic'] = {}, options: Partial<PanicOptions> = {}) {
  const clock = new ManualClock();
  const done: string[] = [];
  const reports: PanicReport[] = [];
  const actions = {
    exit: (status: number) => void done.push(`exit ${status}`),
    reboot: () => void done.push('reboot'),
    run: (command: readonly string[]) => void done.push(`run ${command.join('|')}`),
  };
  const handOff = () => void done.push('hand off');
  const report = (one: PanicReport) => void reports.push(one);
  const panic = new Panic({ plan: definePolicy({ panic: plan }).panic, actions, clock, handOff, report, ...options });
  const states = () => reports.map(({ state }) => state);
  return { clock, done, reports, panic, states };
}

test('panic: admits nothing from its first moment on, hands off, waits, and ends once', async () => {
  const { clock, done, panic, states, reports } = setUp({ delayS: 10 });
  assert.equal(panic.admitting, true);
  const begun = panic.start(PRESSURE);
  assert.deepEqual([panic.admitting, panic.state], [false, 'handing-off']);
  assert.equal(panic.start(PRESSURE), begun, 'a second one is the first one');
  await begun;
  await clock.advance(9999);
  assert.deepEqual(done, ['hand off']);
  await clock.advance(1);
  await clock.advance(60_000);
  assert.deepEqual(done, ['hand off', 'exit 75']);
  assert.deepEqual(states(), ['handing-off', 'waiting', 'ended']);
  assert.deepEqual(reports[0], { text: 'Out-Of-Memory', state: 'handing-off', problem: null });
});

test('panic: a delay of 0 stays for ever, one below 0 ends at once, as /proc/sys/kernel/panic', async () => {
  const staying = setUp({ delayS: 0 });
  await staying.panic.start(PRESSURE);
  await staying.clock.advance(86_400_000);
  assert.deepEqual([staying.done, staying.panic.state, staying.clock.pending], [['hand off'], 'staying', 0]);
  const atOnce = setUp({ delayS: -1 });
  await atOnce.panic.start(PRESSURE);
  assert.deepEqual(atOnce.done, ['hand off', 'exit 75']);
});

test('panic: each plan has its end', async () => {
  const ends: [NonNullable<PolicyInput['panic']>, string][] = [
    [{ end: { exit: 3 } }, 'exit 3'],
    [{ end: 'reboot', allowReboot: true }, 'reboot'],
    [{ end: { command: ['/sbin/halt', '-f'] } }, 'run /sbin/halt|-f'],
  ];
  for (const [plan, said] of ends) {
    const { done, panic } = setUp({ ...plan, delayS: -1 });
    await panic.start(PRESSURE);
    assert.deepEqual(done, ['hand off', said]);
  }
});

test('panic: a hand-off that hangs is left behind at its limit, and the delay counts from there', async () => {
  let signal: AbortSignal | undefined;
  const handOff = (_: unknown, given: AbortSignal) => {
    signal = given;
    return never();
  };
  const { clock, done, panic, reports } = setUp({ handOffMs: 500, delayS: 2 }, { handOff });
  const begun = panic.start(PRESSURE);
  await clock.advance(500);
  await begun;
  assert.equal(signal!.aborted, true);
  assert.deepEqual(reports.at(-1)!.problem, 'the hand-off did not end within 500 ms');
  await clock.advance(1999);
  assert.deepEqual(done, []);
  await clock.advance(1);
  assert.deepEqual(done, ['exit 75']);
});

test('panic: a hand-off that throws, and a reporter that throws, do not keep it from its end', async () => {
  const handOff = () => Promise.reject(new Error('no balancer'));
  const failing = setUp({ delayS: -1 }, { handOff });
  await failing.panic.start(PRESSURE);
  assert.equal(failing.reports[1]!.problem, 'the hand-off threw Error: no balancer');
  assert.deepEqual(failing.done, ['exit 75']);
  const mute = setUp({ delayS: -1 }, { report: () => assert.fail('no pipe') });
  await mute.panic.start(PRESSURE);
  assert.deepEqual(mute.done, ['hand off', 'exit 75']);
});

test('panic: an end that fails is said, and not tried again', async () => {
  const fails = () => {
    throw new Error('EACCES');
  };
  const actions = { exit: fails, reboot: fails, run: () => Promise.reject(new Error('ENOENT')) };
  for (const end of [{ exit: 1 }, { command: ['x'] }]) {
    const { panic, reports, clock } = setUp({ delayS: -1, end }, { actions });
    await panic.start(PRESSURE);
    await settle();
    assert.equal(panic.state, 'failed');
    assert.match(reports.at(-1)!.problem!, /EACCES|ENOENT/);
    assert.equal(clock.pending, 0);
    assert.equal(panic.admitting, false);
  }
});

test('panic: it can be cancelled until it has ended, and begun again', async () => {
  const { clock, done, panic } = setUp({ delayS: 5 });
  assert.equal(panic.cancel(), false, 'nothing to cancel');
  const early = panic.start(PRESSURE);
  assert.equal(panic.cancel(), true);
  await early;
  await clock.advance(60_000);
  assert.deepEqual([done, panic.admitting], [['hand off'], true], 'cancelled while handing off');
  await panic.start(PRESSURE);
  await clock.advance(4999);
  assert.equal(panic.cancel(), true);
  assert.equal(clock.pending, 0, 'no timer keeps the process alive');
  await clock.advance(60_000);
  assert.deepEqual(done, ['hand off', 'hand off'], 'cancelled while waiting');
  await panic.start(PRESSURE);
  await clock.advance(5000);
  assert.deepEqual([panic.cancel(), panic.state], [false, 'ended']);
});

test('linux panic: sysrq is written only when allowed, and no file is made where there is none', (t) => {
  const folder = ownFolder(t);
  const sysrqPath = join(folder, 'sysrq-trigger');
  assert.throws(() => linuxPanicActions({ sysrqPath, allowReboot: true }).reboot(), code('ENOENT'));
  writeFileSync(sysrqPath, '');
  for (const options of [{}, { allowReboot: false }, { allowReboot: 1 as never }]) {
    assert.throws(() => linuxPanicActions({ sysrqPath, ...options }).reboot(), code('EPERM'));
  }
  assert.deepEqual([rebootRefusal(sysrqPath), rebootRefusal(join(folder, 'none'))], [null, 'ENOENT']);
  assert.equal(readFileSync(sysrqPath, 'utf8'), '');
  linuxPanicActions({ sysrqPath, allowReboot: true }).reboot();
  assert.equal(readFileSync(sysrqPath, 'utf8'), 'b');
});

test('linux panic: a command is started without a shell, its arguments as they stand', async () => {
  const started: unknown[] = [];
  const child = (event: 'spawn' | 'error', with_?: Error) => {
    const emitter = new EventEmitter();
    queueMicrotask(() => emitter.emit(event, with_));
    return Object.assign(emitter, { unref: () => {} }) as unknown as Started;
  };
  const actions = linuxPanicActions({
    spawn: (file, args, options) => {
      started.push([file, args, options.shell]);
      return child('spawn');
    },
  });
  await actions.run(['/bin/echo', '$HOME; rm -rf /', '']);
  assert.deepEqual(started, [['/bin/echo', ['$HOME; rm -rf /', ''], false]]);
  const failing = linuxPanicActions({ spawn: () => child('error', new Error('spawn ENOMEM')) });
  await assert.rejects(async () => failing.run(['x']), /ENOMEM/);
});

/** Runs support/panic.worker.ts in a process of its own, and says how that ended. */
function end(...args: string[]): Promise<{ status: number | null; signal: string | null }> {
  const script = fileURLToPath(new URL('./support/panic.worker.js', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status, signal })));
}

test('linux panic: a process that panics on its main thread exits with the code', async () => {
  assert.deepEqual(await end('main', '7'), { status: 7, signal: null });
});

test('linux panic: one that panics in a worker exits with the code when its main thread is asked and answers', async () => {
  assert.deepEqual(await end('worker', '7', 'ask'), { status: 7, signal: null });
});

test('linux panic: one that panics in a worker while its main thread is blocked ends by SIGKILL', async () => {
  assert.deepEqual(await end('worker', '7', 'blocked'), { status: null, signal: 'SIGKILL' });
});

test('linux panic: one that panics in a worker with nobody to ask ends by SIGKILL', async () => {
  assert.deepEqual(await end('worker', '7'), { status: null, signal: 'SIGKILL' });
});
