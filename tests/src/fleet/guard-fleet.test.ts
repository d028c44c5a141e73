/** A guard and the thread of its agent: what is in force when either of them changes its mind, or ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FleetOfGuard, GuardFleet } from '../../../src/cli/guard-fleet.js';
import type { StartFleetOptions } from '../../../src/fleet/index.js';
import type { LinuxGuard } from '../../../src/linux/index.js';
import { definePolicy, type Policy } from '../../../src/policy/index.js';
import { ManualClock, settle } from '../support/manual-clock.js';

const [OWN, NEWER] = [definePolicy({ scheme: 'badness' }), definePolicy({ scheme: 'family' })];
const input = { scheme: 'resident' } as const;

/** A guard that takes every policy, one after the other. */
class FakeGuard {
  policy: Policy = OWN;
  readonly facts = { notes: [] };
  readonly subscription = { buffer: new SharedArrayBuffer(8) };
  #last: Promise<unknown> = Promise.resolve();

  reload(read: () => Policy | Promise<Policy>): Promise<boolean> {
    const taken = this.#last.then(async () => {
      this.policy = await read();
      return true;
    });
    this.#last = taken;
    return taken;
  }
}

/** An agent that does what the test has it do. */
class FakeAgent {
  isInForce = false;
  isClosed = false;
  end = () => {};
  readonly ended = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  ownChanged(): void {}

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

async function scene() {
  const guard = new FakeGuard();
  const clock = new ManualClock();
  const started: { options: StartFleetOptions; agent: FakeAgent }[] = [];
  const asked = { settings: {}, input: {} };
  const of = {
    values: {},
    request: { policy: OWN, fleet: asked },
    note() {},
    guard: guard as unknown as LinuxGuard,
    clock,
  };
  const start = async (options: StartFleetOptions) => {
    const agent = new FakeAgent();
    started.push({ options, agent });
    return agent;
  };
  const fleet = new GuardFleet({ ...of, start } as unknown as FleetOfGuard, asked as never);
  await fleet.start();
  const changed = { policy: NEWER, fleet: asked } as unknown as Parameters<GuardFleet['ownChanged']>[0];
  return { guard, clock, started, fleet, changed };
}

test('guard and fleet: a policy that is withdrawn while the file is read again leaves what the file says now', async () => {
  const { guard, fleet, started, changed } = await scene();
  const { agent, options } = started[0]!;
  await options.take(input);
  agent.isInForce = true;
  const reloading = guard.reload(() => fleet.ownChanged(changed) ?? NEWER);
  await Promise.all([options.take(null), reloading]);
  assert.equal(guard.policy, NEWER);
});

test('guard and fleet: without its agent the file counts when it is read again', async () => {
  const { guard, fleet, started, changed } = await scene();
  const { agent, options } = started[0]!;
  await options.take(input);
  agent.isInForce = true;
  assert.equal(fleet.ownChanged(changed), guard.policy);
  agent.end();
  await settle();
  assert.equal(fleet.ownChanged(changed), null);
});

test('guard and fleet: an agent that broke is there again after a minute, and the machine begins with its own policy', async () => {
  const { guard, clock, started, fleet } = await scene();
  await started[0]!.options.take(input);
  started[0]!.agent.end();
  await clock.advance(59_000);
  assert.deepEqual([started.length, guard.policy.scheme], [1, 'resident']);
  await clock.advance(1000);
  assert.deepEqual([started.length, guard.policy], [2, OWN]);
  await fleet.close();
  assert.deepEqual([started[1]!.agent.isClosed, clock.pending], [true, 0]);
});

test('guard and fleet: an agent whose guard ended meanwhile ends, and a broken one does not come back', async () => {
  const { clock, started, fleet } = await scene();
  started[0]!.agent.end();
  await settle();
  await fleet.close();
  assert.equal(clock.pending, 0);
  await fleet.start();
  assert.equal(started[1]!.agent.isClosed, true);
});
