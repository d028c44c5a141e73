// Real children of this test, no root needed. Nothing but them is ever signalled.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { KillReport } from '../../src/guard/kill-report.js';
import { keptIdentity, openIdentity } from '../../src/linux/identity.js';
import { type KillOptions, killTask } from '../../src/linux/kill.js';
import { loadNative } from '../../src/linux/native.js';

const linux = process.platform === 'linux' ? false : 'needs Linux';

async function child(t: TestContext, script: string): Promise<ChildProcess & { pid: number }> {
  const spawned = spawn('sh', ['-c', `${script}; echo ready; while :; do sleep 0.05; done`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => spawned.kill('SIGKILL'));
  await once(spawned.stdout!, 'data');
  return spawned as ChildProcess & { pid: number };
}

// A shell that has just called vfork has a sharer for a moment, rightly signalled too.
const signalsTo = (pid: number, report: KillReport) =>
  report.signals.filter((one) => one.tgid === pid).map((one) => one.signal);

const descriptors = () => readdirSync('/proc/self/fd').length;

for (const native of ['auto', 'none'] as const) {
  const options: KillOptions = { native, termMs: 300, rawioMs: 50, stuckMs: 20_000 };
  const skip = async (t: TestContext): Promise<boolean> => {
    const load = await loadNative({ native });
    if (native === 'auto' && load.native === null) t.skip(load.reason ?? 'no native calls');
    return native === 'auto' && load.native === null;
  };
  const path = native === 'auto' ? 'pidfd' : 'kill';

  test(`kill: a cooperative child dies of SIGTERM and nothing more (${native})`, { skip: linux }, async (t) => {
    if (await skip(t)) return;
    const victim = await child(t, ':');
    const report = await killTask({ pid: victim.pid }, options);
    assert.deepEqual([report.outcome, report.path, report.exited], ['released', path, true]);
    assert.deepEqual(signalsTo(victim.pid, report), ['SIGTERM']);
    assert.equal(report.comm, 'sh');
    if (victim.signalCode === null) await once(victim, 'exit');
    assert.equal(victim.signalCode, 'SIGTERM');
  });

  test(`kill: a child that ignores SIGTERM dies of SIGKILL at the escalation (${native})`, {
    skip: linux,
  }, async (t) => {
    if (await skip(t)) return;
    const victim = await child(t, 'trap "" TERM');
    const report = await killTask({ pid: victim.pid }, options);
    assert.equal(report.outcome, 'released');
    assert.deepEqual(signalsTo(victim.pid, report), ['SIGTERM', 'SIGKILL']);
    assert.ok(report.timings.sigkillMs! >= 299, `${report.timings.sigkillMs}`);
    assert.ok(report.timings.releasedMs! < options.stuckMs!, `${report.timings.releasedMs}`);
    if (victim.signalCode === null) await once(victim, 'exit');
    assert.equal(victim.signalCode, 'SIGKILL');
  });

  test(`kill: a child that has gone is gone (${native})`, { skip: linux }, async (t) => {
    if (await skip(t)) return;
    const victim = await child(t, ':');
    const identity = openIdentity(victim.pid);
    t.after(() => identity.close());
    assert.equal(identity.alive(), true);
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    assert.equal(identity.alive(), false);
    const report = await killTask({ pid: victim.pid, identity }, options);
    assert.deepEqual([report.outcome, report.signals], ['gone', []]);
  });

  test(`kill: an identity that is another task refuses a live pid (${native})`, { skip: linux }, async (t) => {
    if (await skip(t)) return;
    const [first, second] = [await child(t, ':'), await child(t, ':')];
    // What a reused pid looks like: the descriptor of the dead one beside the number of a living one.
    const fd = openSync(`/proc/${first.pid}/statm`, 'r');
    const identity = keptIdentity(second.pid, fd);
    t.after(() => identity.close());
    first.kill('SIGKILL');
    await once(first, 'exit');
    const report = await killTask({ pid: second.pid, identity }, options);
    assert.deepEqual([report.outcome, report.signals], ['gone', []]);
    assert.equal(second.signalCode, null);
    assert.ok(existsSync(`/proc/${second.pid}`));
  });

  test(`kill: refuses this process, its parent, pid 1 and kernel threads (${native})`, { skip: linux }, async (t) => {
    if (await skip(t)) return;
    for (const [pid, reasons] of [
      [process.pid, ['self']],
      [process.ppid, ['ancestor', 'init']],
      [1, ['init']],
    ] as const) {
      const report = await killTask({ pid }, options);
      assert.equal(report.outcome, 'refused');
      assert.ok((reasons as readonly (string | null)[]).includes(report.reason), `${report.reason}`);
      assert.deepEqual(report.signals, []);
    }
  });

  test(`kill: closes every descriptor it opened, also when aborted (${native})`, { skip: linux }, async (t) => {
    if (await skip(t)) return;
    const warm = await child(t, ':');
    await killTask({ pid: warm.pid }, options);
    const stubborn = await child(t, 'trap "" TERM');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = descriptors();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 60);
    const begun = performance.now();
    const report = await killTask(
      { pid: stubborn.pid },
      { ...options, termMs: 20_000, signal: 'SIGTERM', abort: controller.signal },
    );
    assert.deepEqual([report.outcome, report.reason], ['stuck', 'aborted']);
    assert.ok(performance.now() - begun < 15_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Those of a child that ended before may have been closed late, on a busy machine.
    assert.ok(descriptors() <= before, `${descriptors()} open, ${before} before`);
    assert.equal(stubborn.signalCode, null);
  });
}

test('identity: a closed identity never answers for the descriptor that took its number', { skip: linux }, () => {
  const identity = openIdentity(process.pid);
  identity.close();
  const fd = openSync('/proc/self/stat', 'r');
  try {
    assert.throws(() => identity.alive(), /closed/);
  } finally {
    closeSync(fd);
  }
});

test('identity: no such task is ESRCH', { skip: linux }, () => {
  assert.throws(() => openIdentity(2 ** 22 + 1), { code: 'ESRCH' });
});

test('native: none is none, and says why; another word is an error', async () => {
  assert.deepEqual(await loadNative({ native: 'none' }), { native: null, reason: 'switched off' });
  const before = process.env.BADNESS_NATIVE;
  try {
    process.env.BADNESS_NATIVE = 'none';
    assert.equal((await loadNative()).native, null);
    process.env.BADNESS_NATIVE = 'maybe';
    assert.throws(() => loadNative(), RangeError);
  } finally {
    if (before === undefined) delete process.env.BADNESS_NATIVE;
    else process.env.BADNESS_NATIVE = before;
  }
});

test('native: errors carry the errno name and the call', { skip: linux }, async (t) => {
  const { native, reason } = await loadNative({ native: 'auto' });
  if (!native) return t.skip(reason ?? '');
  assert.throws(() => native.pidfdOpen(2 ** 22 + 1), { code: /^(ESRCH|EINVAL)$/, syscall: 'pidfd_open' });
  assert.throws(() => native.pidfdSendSignal(-1, 0), { code: 'EBADF' });
  await assert.rejects(native.processMrelease(-1), { code: /^(EBADF|ENOSYS)$/ });
  assert.equal(native.sharesVm(process.pid, process.pid), true);
  native.setThreadPriority(process.pid, getPriority());
  assert.throws(() => native.setThreadPriority(2 ** 22 + 1, 0), { code: 'ESRCH', syscall: 'setpriority' });
  assert.throws(() => native.lockOnFault(1, 4096), { syscall: 'mlock2' });
  assert.throws(() => native.dropPages(1, 4096), { code: 'EINVAL', syscall: 'madvise' });
  const wake = native.eventfd();
  const polled = native.pollAsync([{ fd: wake, events: 1 }], 5000);
  native.wake(wake);
  assert.deepEqual(await polled, [1]);
  assert.equal(native.read(wake, new Uint8Array(8)), 8);
  assert.throws(() => native.read(wake, new Uint8Array(8)), { code: 'EAGAIN' });
  assert.deepEqual(native.poll([{ fd: wake, events: 1 }], 0), [0]);
  native.close(wake);
});
