import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killReportToJson } from '../../src/guard/kill-report.js';
import { killTask } from '../../src/linux/kill.js';
import { FakeKillSystem, type FakeTask } from './fake-kill-system.js';

type Options = Omit<NonNullable<Parameters<typeof killTask>[1]>, 'system'>;

async function kill(tasks: Record<number, FakeTask>, options: Options = {}, path: 'pidfd' | 'kill' = 'pidfd') {
  const system = new FakeKillSystem(tasks, { path });
  const report = await killTask({ pid: 100 }, { ...options, system });
  return { system, report, sent: report.signals.map((one) => `${one.atMs} ${one.signal} ${one.tgid}`) };
}

test('kill: a cooperative victim gets SIGTERM and nothing else', async () => {
  const { report, system, sent } = await kill({ 100: { dies: { SIGTERM: 40 } } });
  assert.deepEqual(sent, ['0 SIGTERM 100']);
  assert.equal(report.outcome, 'released');
  assert.equal(report.releasedBy, 'pidfd');
  assert.equal(report.timings.releasedMs, 40);
  assert.deepEqual(system.log, ['0 SIGTERM 100']);
});

test('kill: SIGTERM, SIGKILL after termMs, priority, process_mrelease, in this order', async () => {
  const { report, system } = await kill({ 100: { dies: { SIGKILL: 30 } } }, { termMs: 3000 });
  assert.deepEqual(system.log, ['0 SIGTERM 100', '3000 SIGKILL 100', '3000 priority 100', '3000 mrelease 100 ESRCH']);
  assert.deepEqual(
    report.escalations.map((one) => one.step),
    ['term', 'kill', 'priority'],
  );
  assert.equal(report.timings.sigkillMs, 3000);
  assert.equal(report.timings.releasedMs, 3030);
});

test('kill: SIGKILL asked is SIGKILL sent, when the victim holds no CAP_SYS_RAWIO', async () => {
  const { sent } = await kill({ 100: { dies: { SIGKILL: 1 } } }, { signal: 'SIGKILL' });
  assert.deepEqual(sent, ['0 SIGKILL 100']);
});

test('kill: a holder of CAP_SYS_RAWIO gets SIGTERM first and SIGKILL 200 ms later', async () => {
  const { sent, report } = await kill({ 100: { rawio: true, dies: { SIGKILL: 1 } } }, { signal: 'SIGKILL' });
  assert.deepEqual(sent, ['0 SIGTERM 100', '200 SIGKILL 100']);
  assert.equal(report.rawio, true);
});

test('kill: a sharer with CAP_SYS_RAWIO counts like the victim', async () => {
  const tasks = {
    100: { dies: { SIGKILL: 1 } },
    101: { shares: 'verified' as const, rawio: true, dies: { SIGKILL: 1 } },
  };
  const { sent } = await kill(tasks, { signal: 'SIGKILL' });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 101', '200 SIGKILL 100', '200 SIGKILL 101']);
});

test('kill: EPERM is refused by name, before any signal', async () => {
  const { report, sent } = await kill({ 100: { refuses: 'EPERM' } });
  assert.deepEqual([report.outcome, report.reason, sent], ['refused', 'EPERM', []]);
  assert.deepEqual(report.errors, [{ call: 'kill', code: 'EPERM', tgid: 100 }]);
});

test('kill: when one sharer may not be signalled nobody is', async () => {
  const { report, sent } = await kill({ 100: { dies: { SIGTERM: 1 } }, 101: { shares: 'verified', refuses: 'EPERM' } });
  assert.deepEqual([report.outcome, report.reason, sent], ['refused', 'EPERM', []]);
});

test('kill: a victim that is gone is gone, and nobody else is signalled', async () => {
  const none = await kill({ 101: { shares: 'verified' } });
  assert.deepEqual([none.report.outcome, none.report.reason, none.sent], ['gone', 'exited', []]);
  const zombie = await kill({ 100: { exitsAt: 0 }, 101: { shares: 'verified' } });
  assert.deepEqual([zombie.report.outcome, zombie.report.reason, zombie.sent], ['gone', 'zombie', []]);
});

for (const act of ['open', 'facts', 'probe', 'SIGTERM']) {
  for (const path of ['pidfd', 'kill'] as const) {
    test(`kill: a pid reused just before ${act} is not signalled (${path})`, async () => {
      const system = new FakeKillSystem({ 100: { dies: { SIGTERM: 1 } } }, { path });
      system.onAct = (now, pid) => {
        if (now === act) system.tasks.set(pid, { dies: { SIGTERM: 1 } });
      };
      const stale = { pid: 100, alive: () => act !== 'open', text: () => '', read: () => '', close() {} };
      const report = await killTask({ pid: 100, identity: stale }, { system });
      assert.deepEqual([report.outcome, report.signals, system.log], ['gone', [], []]);
    });
  }
}

test('kill: a pid reused after SIGTERM gets no SIGKILL', async () => {
  const { report, sent } = await kill({ 100: { reusedAt: 1000, exitsAt: 3500 } }, { termMs: 3000 });
  assert.deepEqual(sent, ['0 SIGTERM 100']);
  assert.equal(report.outcome, 'released');
  assert.ok(report.errors.some((one) => one.code === 'ESRCH'));
});

test('kill: a victim that survives SIGKILL is stuck after stuckMs, not before', async () => {
  const { report, system } = await kill({ 100: {} }, { termMs: 3000, stuckMs: 10_000 });
  assert.deepEqual([report.outcome, report.reason, report.timings.totalMs], ['stuck', 'timeout', 13_000]);
  assert.ok(system.waits < 60, `${system.waits} waits`);
});

test('kill: process_mrelease is never called after SIGTERM alone', async () => {
  const { system } = await kill({ 100: { dies: { SIGTERM: 2900 }, mrelease: ['0'] } }, { termMs: 3000 });
  assert.deepEqual(system.log, ['0 SIGTERM 100']);
  const { system: plain } = await kill({ 100: { dies: { SIGKILL: 5 }, mrelease: ['0'] } }, {}, 'kill');
  assert.ok(!plain.log.some((line) => line.includes('mrelease')));
});

test('kill: memory taken by process_mrelease is released though the victim cannot exit', async () => {
  const { report } = await kill({ 100: { mrelease: ['0'] } }, { signal: 'SIGKILL' });
  assert.deepEqual([report.outcome, report.releasedBy, report.exited], ['released', 'mrelease', false]);
  assert.equal(report.timings.releasedMs, 100);
});

test('kill: process_mrelease of a task that is already letting go proves nothing: its exit does', async () => {
  const { report } = await kill(
    { 100: { mrelease: ['0'], detaches: true, dies: { SIGKILL: 700 } } },
    { signal: 'SIGKILL' },
  );
  assert.deepEqual([report.outcome, report.releasedBy, report.timings.releasedMs], ['released', 'pidfd', 700]);
});

test('kill: the time to linger after process_mrelease begins with its answer', async () => {
  const system = new FakeKillSystem({ 100: { mrelease: ['0'] } });
  system.onAct = (act) => {
    if (act === 'SIGKILL') system.nowMs += 150; // a busy machine
  };
  const report = await killTask({ pid: 100 }, { system, signal: 'SIGKILL' });
  assert.equal(report.timings.releasedMs, 250);
});

test('kill: process_mrelease: EAGAIN is tried again, ENOSYS is not, ESRCH proves nothing', async () => {
  const again = await kill({ 100: { mrelease: ['EAGAIN', 'EAGAIN', '0'] } }, { signal: 'SIGKILL' });
  assert.deepEqual([again.report.outcome, again.report.mrelease], ['released', { tries: 3, lastError: null }]);
  const missing = await kill({ 100: { mrelease: ['ENOSYS'] } }, { signal: 'SIGKILL' });
  assert.deepEqual([missing.report.outcome, missing.report.mrelease], ['stuck', { tries: 1, lastError: 'ENOSYS' }]);
  const dropped = await kill({ 100: { dies: { SIGKILL: 140 }, mrelease: ['ESRCH'] } }, { signal: 'SIGKILL' });
  assert.deepEqual([dropped.report.outcome, dropped.report.timings.releasedMs], ['released', 140]);
});

test('kill: EINVAL of process_mrelease brings a late sharer to light', async () => {
  const { sent, report } = await kill(
    {
      100: { dies: { SIGKILL: 500 }, mrelease: ['EINVAL'] },
      101: { shares: 'verified', late: 50, dies: { SIGKILL: 20 }, mrelease: ['EINVAL'] },
    },
    { signal: 'SIGKILL' },
  );
  assert.deepEqual(sent, ['0 SIGKILL 100', '100 SIGKILL 101']);
  assert.deepEqual([report.outcome, report.sharers.killed], ['released', [101]]);
});

test('kill: sharers get what the victim gets, and the memory is back when the last one exits', async () => {
  const { sent, report } = await kill({
    100: { dies: { SIGTERM: 10 } },
    101: { shares: 'verified', dies: { SIGTERM: 700 } },
  });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 101']);
  assert.deepEqual([report.outcome, report.timings.releasedMs, report.sharers.killed], ['released', 700, [101]]);
});

test('kill: a sharer started after SIGTERM is found before SIGKILL', async () => {
  const { sent } = await kill({
    100: { dies: { SIGKILL: 1 } },
    101: { shares: 'verified', late: 1000, dies: { SIGKILL: 1 } },
  });
  assert.deepEqual(sent, ['0 SIGTERM 100', '3000 SIGKILL 100', '3000 SIGKILL 101']);
});

test('kill: a sharer that has run execve since gets no further signal and is not waited for', async () => {
  const { sent, report } = await kill({
    100: { dies: { SIGKILL: 1 } },
    101: { shares: 'verified', execsAt: 1000 },
  });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 101', '3000 SIGKILL 100']);
  assert.deepEqual([report.outcome, report.timings.releasedMs], ['released', 3001]);
});

test('kill: a sharer that is ending already gets no further signal, and is waited for: it may be giving the memory back', async () => {
  const { sent, report } = await kill({
    100: { dies: { SIGKILL: 1 } },
    101: { shares: 'verified', execsAt: 1000, detaches: true, exitsAt: 3400 },
  });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 101', '3000 SIGKILL 100']);
  assert.deepEqual([report.outcome, report.timings.releasedMs], ['released', 3400]);
});

test('kill: a sharer that must not die keeps the memory, so nobody is killed', async () => {
  const system = new FakeKillSystem({ 100: {}, 101: { shares: 'verified' } }, { protect: { 101: 'ancestor' } });
  const report = await killTask({ pid: 100 }, { system });
  assert.deepEqual([report.outcome, report.reason, system.log], ['refused', 'sharer_protected', []]);
});

test('kill: a task that perhaps shares the memory is waited for, never signalled', async () => {
  const exits = await kill({ 100: { dies: { SIGTERM: 10 } }, 101: { shares: 'unverified', exitsAt: 400 } });
  assert.deepEqual(
    [exits.report.outcome, exits.report.timings.releasedMs, exits.sent],
    ['released', 400, ['0 SIGTERM 100']],
  );
  const stays = await kill({ 100: { dies: { SIGTERM: 10 } }, 101: { shares: 'unverified' } }, { unverifiedMs: 1000 });
  assert.deepEqual([stays.report.outcome, stays.report.reason], ['stuck', 'unverified_sharers']);
  assert.deepEqual([stays.report.timings.totalMs, stays.sent], [1010, ['0 SIGTERM 100']]);
});

test('kill: a victim that exits between two looks starts the wait for its sharers all the same', async () => {
  const { report } = await kill({ 100: { exitsUnseen: true }, 101: { shares: 'unverified' } }, { unverifiedMs: 1000 });
  assert.deepEqual([report.outcome, report.reason], ['stuck', 'unverified_sharers']);
  assert.equal(report.timings.totalMs, 1000);
});

test('kill: refuses pid 1, itself, its ancestors, kernel threads and thread ids by name', async () => {
  const system = new FakeKillSystem(
    { 1: {}, 50: {}, 60: {}, 70: { kernelThread: true }, 80: { tgid: 79 } },
    { protect: { 50: 'self', 60: 'ancestor' } },
  );
  const reasons: unknown[] = [];
  for (const pid of [1, 0, -1, 50, 60, 70, 80]) {
    const report = await killTask({ pid }, { system });
    reasons.push([report.outcome, report.reason]);
  }
  const names = ['init', 'init', 'init', 'self', 'ancestor', 'kernel_thread', 'not_a_leader'];
  assert.deepEqual(
    reasons,
    names.map((name) => ['refused', name]),
  );
  assert.deepEqual(system.log, []);
});

test('kill: an abort before the first signal refuses, after it the task counts as stuck', async () => {
  const early = await kill({ 100: {} }, { abort: AbortSignal.abort() });
  assert.deepEqual([early.report.outcome, early.report.reason, early.sent], ['refused', 'aborted', []]);
  const controller = new AbortController();
  const system = new FakeKillSystem({ 100: {} });
  system.onWait = () => controller.abort();
  const late = await killTask({ pid: 100 }, { system, abort: controller.signal });
  assert.deepEqual([late.outcome, late.reason, late.signals.length], ['stuck', 'aborted', 1]);
});

test('kill: the deadline bounds the whole', async () => {
  const { report } = await kill({ 100: {} }, { deadlineMs: 5000 });
  assert.deepEqual([report.outcome, report.reason, report.timings.totalMs], ['stuck', 'deadline', 5000]);
});

test('kill: EPERM for the priority is on record and stops nothing', async () => {
  const { report } = await kill({ 100: { dies: { SIGKILL: 5 }, priorityError: 'EACCES' } }, { signal: 'SIGKILL' });
  assert.deepEqual([report.outcome, report.threadsRaised], ['released', 0]);
  assert.deepEqual(report.errors, [{ call: 'setpriority', code: 'EACCES', tgid: 100 }]);
});

test('kill: a release that cannot be read is not a release', async () => {
  const system = new FakeKillSystem({ 100: {} });
  system.onWait = () => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  };
  const report = await killTask({ pid: 100 }, { system });
  assert.deepEqual([report.outcome, report.reason], ['stuck', 'EIO']);
});

test('kill: options of the wrong kind or value are errors of the caller', async () => {
  const system = new FakeKillSystem({ 100: {} });
  await assert.rejects(killTask({ pid: 1.5 }, { system }), TypeError);
  await assert.rejects(killTask({ pid: 100 }, { system, termMs: -1 }), RangeError);
  await assert.rejects(killTask({ pid: 100 }, { system, stuckMs: Number.NaN }), RangeError);
  assert.deepEqual(system.log, []);
});

test('kill: the JSON report has snake_case keys', async () => {
  const { report } = await kill({ 100: { dies: { SIGTERM: 1 } } });
  const json = JSON.parse(JSON.stringify(killReportToJson(report)));
  assert.equal(json.released_by, 'pidfd');
  assert.equal(json.timings.first_signal_ms, 0);
  assert.deepEqual(json.signals, [{ tgid: 100, signal: 'SIGTERM', at_ms: 0 }]);
  assert.ok(!/"[a-z_]*[A-Z][A-Za-z]*":/.test(JSON.stringify(json)));
});
