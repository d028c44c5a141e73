// A victim that does not go alone: who goes along, when, and who does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killTask } from '../../src/linux/kill.js';
import type { KillGroup } from '../../src/linux/kill-group.js';
import { FakeKillSystem, type FakeTask } from './fake-kill-system.js';

type System = ConstructorParameters<typeof FakeKillSystem>[1];
type Options = Omit<NonNullable<Parameters<typeof killTask>[1]>, 'system' | 'group'>;

interface Scene {
  readonly group?: Partial<KillGroup>;
  readonly options?: Options;
  readonly system?: System;
}

/** Task 100 is the victim, and all are in its group. */
async function kill(tasks: Record<number, FakeTask>, { group, options, system: how }: Scene = {}) {
  const system = new FakeKillSystem(tasks, how);
  const pids = () => [...system.tasks.keys()];
  const whole: KillGroup = { by: 'memory.oom.group', name: '/a', pids, spared: () => new Map(), ...group };
  const report = await killTask({ pid: 100 }, { ...options, group: whole, system });
  return { system, report, sent: report.signals.map((one) => `${one.atMs} ${one.signal} ${one.tgid}`) };
}

const dies = (): FakeTask => ({ dies: { SIGTERM: 10, SIGKILL: 10 } });

test('kill group: all members get what the victim gets, after it, and it is over when the last has exited', async () => {
  const { report, sent } = await kill({ 99: { dies: { SIGTERM: 700 } }, 100: dies(), 101: dies() });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 99', '0 SIGTERM 101']);
  assert.deepEqual(report.group, { by: 'memory.oom.group', name: '/a', killed: [99, 101], spared: [] });
  assert.deepEqual([report.outcome, report.timings.releasedMs, report.exited], ['released', 700, true]);
  assert.deepEqual(report.sharers.killed, []);
});

test('kill group: a member that ignores SIGTERM gets SIGKILL when its time has come, and raised priority', async () => {
  const { sent, system } = await kill({ 100: dies(), 101: { dies: { SIGKILL: 1 } } }, { options: { termMs: 3000 } });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 101', '3000 SIGKILL 101']);
  assert.ok(system.log.includes('3000 priority 101'));
});

test('kill group: who may not be chosen is left alone, is not waited for, and stands in the report with the reason', async () => {
  const spared = (pids: readonly number[]) =>
    new Map(pids.includes(101) ? ([[101, 'protected']] as const) : ([] as const));
  const scene: Scene = { group: { spared }, system: { protect: { 102: 'self' } } };
  const { report, sent } = await kill({ 1: {}, 100: dies(), 101: {}, 102: {} }, scene);
  assert.deepEqual(sent, ['0 SIGTERM 100']);
  assert.deepEqual(report.group?.spared, [
    { tgid: 1, reason: 'init' },
    { tgid: 101, reason: 'protected' },
    { tgid: 102, reason: 'self' },
  ]);
  assert.deepEqual([report.outcome, report.timings.releasedMs], ['released', 10]);
});

test('kill group: a member that may not be signalled lives on, and spares neither the victim nor the others', async () => {
  const { report, sent } = await kill({ 100: dies(), 101: { refuses: 'EPERM' }, 102: dies() });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 102']);
  assert.deepEqual([report.group?.killed, report.group?.spared], [[102], [{ tgid: 101, reason: 'EPERM' }]]);
  assert.equal(report.outcome, 'released');
});

test('kill group: whom a dying member has started gets the signal too, until a look finds nobody new', async () => {
  const system = new FakeKillSystem({ 100: dies(), 101: dies() });
  let forks = 0;
  system.onAct = (act, pid) => {
    if (act === 'SIGTERM' && pid > 100 && ++forks <= 3) system.tasks.set(pid + 1, dies());
  };
  const pids = () => [...system.tasks.keys()];
  const group: KillGroup = { by: 'process group', name: '100', pids, spared: () => new Map() };
  const report = await killTask({ pid: 100 }, { group, system });
  assert.deepEqual(report.group?.killed, [101, 102, 103, 104]);
  assert.ok(report.exited);
});

test('kill group: a group that never stops starting others does not hold the kill up for ever', async () => {
  const system = new FakeKillSystem({ 100: dies(), 101: dies() });
  system.onAct = (act, pid) => {
    if (act === 'SIGKILL') system.tasks.set(pid + 1, dies());
  };
  const pids = () => [...system.tasks.keys()];
  const group: KillGroup = { by: 'process group', name: '100', pids, spared: () => new Map() };
  const report = await killTask({ pid: 100 }, { group, system, signal: 'SIGKILL' });
  assert.equal(report.outcome, 'released');
  assert.ok(report.group!.killed.length < 50, `${report.group!.killed.length}`);
});

test('kill group: one that joins between SIGTERM and SIGKILL gets SIGKILL; whoever left in time gets nothing', async () => {
  const system = new FakeKillSystem({ 100: { dies: { SIGKILL: 1 } }, 101: dies(), 102: dies() });
  let looks = 0;
  const pids = () => {
    looks += 1;
    const members = system.sinceStart() < 3000 ? [100, 101] : [100, 103];
    // Listed once and then no more: it has left, or another task has its pid.
    return looks === 1 ? [...members, 102] : members;
  };
  system.onWait = () => system.tasks.has(103) || system.tasks.set(103, dies());
  const group: KillGroup = { by: 'memory.oom.group', name: '/a', pids, spared: () => new Map() };
  const report = await killTask({ pid: 100 }, { group, system });
  const sent = report.signals.map(({ signal, tgid }) => `${signal} ${tgid}`);
  assert.deepEqual(sent, ['SIGTERM 100', 'SIGTERM 101', 'SIGKILL 100', 'SIGKILL 103']);
});

test('kill group: nobody of it is signalled when the victim is gone or refused', async () => {
  const gone = await kill({ 101: dies() });
  assert.deepEqual([gone.report.outcome, gone.sent], ['gone', []]);
  const refused = await kill({ 100: { refuses: 'EPERM' }, 101: dies() });
  assert.deepEqual([refused.report.outcome, refused.sent], ['refused', []]);
});

test('kill group: memory that process_mrelease took is back, though a member cannot exit', async () => {
  const { report } = await kill({ 100: { mrelease: ['0'] }, 101: {} }, { options: { signal: 'SIGKILL' } });
  assert.deepEqual([report.outcome, report.releasedBy, report.exited], ['released', 'mrelease', false]);
});

test('kill group: a sharer of the victim is no member twice', async () => {
  const { report, sent } = await kill({ 100: dies(), 101: { shares: 'verified', ...dies() } });
  assert.deepEqual(sent, ['0 SIGTERM 100', '0 SIGTERM 101']);
  assert.deepEqual([report.sharers.killed, report.group?.killed], [[101], []]);
});
