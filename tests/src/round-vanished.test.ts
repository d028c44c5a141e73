// A round whose domain is gone with its victim, as the cgroup of a unit is that systemd removes: what was done is told all the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDomain } from '../../src/domains.js';
import { openEngine } from '../../src/engine.js';
import { BadnessError } from '../../src/errors.js';
import { NotifierChain } from '../../src/guard/notifier-chain.js';
import { Panic } from '../../src/guard/panic.js';
import { Rounds } from '../../src/guard/rounds.js';
import { definePolicy } from '../../src/policy/index.js';
import { RegisteredWorld, TaskRegistry } from '../../src/registered/index.js';

const MIB = 2 ** 20;

class VanishingWorld extends RegisteredWorld {
  isGone = false;

  override measure() {
    if (this.isGone) throw new BadnessError('ENODEV', 'the cgroup was removed');
    return super.measure();
  }
}

test('round: a domain that is gone with its victim does not lose the report, nor those who are told of it', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  const policy = definePolicy({ domain: { registered: 'unit', budget: 100 * MIB }, enforce: true });
  const registry = new TaskRegistry();
  const world = new VanishingWorld(engine, policy, registry);
  const end = () => {
    task.unregister();
    world.isGone = true;
  };
  const task = registry.register({ name: 'last', memoryBytes: 99 * MIB, shed: end, kill: end });
  const chain = new NotifierChain({ limits: policy.limits });
  const told: string[] = [];
  chain.register({ name: 'log', afterKill: ({ outcome }) => void told.push(outcome) });
  const actions = { exit() {}, reboot() {}, run() {} };
  const panic = new Panic({ plan: policy.panic, actions });
  const domain = openDomain(engine, { kind: 'system' });
  const report = await new Rounds({ engine, world, policy, domain, chain, panic }).run({ signal: 'SIGKILL' });
  assert.deepEqual([report.outcome, report.victim?.comm, told], ['released', 'last', ['released']]);
  assert.deepEqual([report.after, report.freedBytes], [report.before, 0]);
});
