// A kill that takes the victim's process group along: its members, but nobody else of its session, and not whom the policy never chooses.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { openIdentity } from '../../src/linux/identity.js';
import { systemDomain } from '../../src/linux/linux-domain.js';
import { LinuxWorld } from '../../src/linux/linux-world.js';
import { peekStat, pidNumbers } from '../../src/linux/thread-group.js';
import { definePolicy } from '../../src/policy/index.js';

const options = { skip: process.platform !== 'linux' && 'needs Linux', timeout: 60_000 };
const MEMBERS = 3;

/** A shell and what it starts; in a process group of its own when it is detached. */
async function job(t: TestContext, detached: boolean): Promise<ChildProcess & { pid: number }> {
  const script = `tail -f /dev/null & ${'sleep 300 & '.repeat(MEMBERS)} echo; wait`;
  const shell = spawn('sh', ['-c', script], { detached, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => {
    for (const pid of childrenOf(shell.pid!)) process.kill(pid, 'SIGKILL');
    shell.kill('SIGKILL');
  });
  await once(shell.stdout!, 'data');
  return shell as ChildProcess & { pid: number };
}

const childrenOf = (pid: number) => pidNumbers().filter((one) => peekStat(one)?.ppid === pid);
const isAlive = (pid: number) => existsSync(`/proc/${pid}`) && peekStat(pid)?.state !== 'Z';

async function groupGoes(t: TestContext, scheme: 'family' | 'badness'): Promise<void> {
  const engine = await openEngine({ maxTasks: pidNumbers().length + 2048 });
  const policy = definePolicy({ scheme, never: ['tail'] });
  const world = new LinuxWorld(engine, policy, systemDomain(), { processGroup: true });
  t.after(() => world.close());
  const [victim, other] = [await job(t, true), await job(t, false)];
  const children = childrenOf(victim.pid);
  const spared = children.find((pid) => peekStat(pid)?.comm === 'tail');
  const members = children.filter((pid) => pid !== spared);
  t.after(() => process.kill(spared!, 'SIGKILL'));
  world.choose();
  const ask = { signal: 'SIGKILL', ...policy.escalation, abort: new AbortController().signal, hurry: null } as const;
  const held = openIdentity(victim.pid);
  t.after(() => held.close());
  const spares = [{ tgid: spared, reason: 'rule' }];
  const group = { by: 'process group', name: String(victim.pid), killed: members, spared: spares };
  assert.deepEqual(world.along(held), group, 'said before, in a dry round');
  const report = await world.kill(held, ask);
  assert.equal(report.outcome, 'released');
  assert.deepEqual(report.group, group);
  assert.deepEqual(members.filter(isAlive), []);
  assert.deepEqual(
    [spared!, other.pid, ...childrenOf(other.pid)].filter((pid) => !isAlive(pid)),
    [],
  );
}

// One reads everybody in full for a choice; of the other the rows of members are only bounds.
for (const scheme of ['family', 'badness'] as const) {
  test(`kill group: a process group goes whole, but whom the policy never chooses (${scheme})`, options, async (t) => {
    await groupGoes(t, scheme);
  });
}

test('kill group: of a process group only members of the domain go', options, async (t) => {
  const engine = await openEngine({ maxTasks: pidNumbers().length + 2048 });
  const policy = definePolicy({});
  const victim = await job(t, true);
  const [member, ...others] = childrenOf(victim.pid);
  const members = () => [victim.pid, member!].map(String).sort();
  const world = new LinuxWorld(engine, policy, { ...systemDomain(), members }, { processGroup: true });
  t.after(() => world.close());
  t.after(() => others.filter(isAlive).map((pid) => process.kill(pid, 'SIGKILL')));
  world.choose();
  const ask = { signal: 'SIGKILL', ...policy.escalation, abort: new AbortController().signal, hurry: null } as const;
  const held = openIdentity(victim.pid);
  t.after(() => held.close());
  const report = await world.kill(held, ask);
  assert.deepEqual([report.group?.killed, report.group?.spared], [[member], []]);
  assert.deepEqual(others.filter(isAlive), others);
});

test('kill group: without being asked for, the victim goes alone', options, async (t) => {
  const engine = await openEngine({ maxTasks: pidNumbers().length + 2048 });
  const policy = definePolicy({});
  const world = new LinuxWorld(engine, policy, systemDomain());
  t.after(() => world.close());
  const victim = await job(t, true);
  const members = childrenOf(victim.pid);
  t.after(() => members.filter(isAlive).map((pid) => process.kill(pid, 'SIGKILL')));
  world.choose();
  const ask = { signal: 'SIGKILL', ...policy.escalation, abort: new AbortController().signal, hurry: null } as const;
  const held = openIdentity(victim.pid);
  t.after(() => held.close());
  assert.equal(world.along(held), null);
  const report = await world.kill(held, ask);
  assert.deepEqual([report.outcome, report.group], ['released', undefined]);
  assert.deepEqual(members.filter(isAlive), members);
});
