/** Policies through a real server: signed, put, taken, acknowledged. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Fleet, newSigningKey } from '../../src/fleet/index.js';
import { eventually } from './support/eventually.js';
import { openLinkedScene } from './support/fleet-scene.js';
import { startServer, WITHOUT_SERVER } from './support/nats-server.js';
import { simulate } from './support/simulated.js';

const skip = WITHOUT_SERVER;
const everybody = { kind: 'default' } as const;

/** A fleet with a server, a key and a link that machines share. */
async function scene(t: TestContext) {
  const opened = await openLinkedScene(t);
  const key = newSigningKey();
  return { ...opened, key, policies: await opened.fleet.policies({ pem: key.pem }), trust: [key.trust] };
}

test('fleet: a policy reaches every machine, the most specific one counts, and each says which it has', {
  skip,
}, async (t) => {
  const { link, policies, trust } = await scene(t);
  const plain = simulate('web-1.example', link, { trust });
  const labelled = simulate('ci *>', link, { trust, labels: ['ci'] });
  const put = await policies.change(everybody, { policy: 'version = 1\nthresholds.term.available = "11%"\n' });
  await eventually(() => plain.agent.policy?.revision === put.revision);
  const other = await policies.change({ kind: 'label', name: 'ci' }, { policy: 'version = 1\n' });
  await eventually(() => labelled.agent.policy?.key === 'label.ci');
  assert.equal(plain.agent.policy?.key, 'default');
  const states = await eventually(async () => {
    const found = await policies.states();
    return found.every(({ policy }) => policy !== null) && found.length === 2 && found;
  });
  assert.deepEqual(states.map(({ host, policy }) => [host, policy?.revision]).sort(), [
    ['ci *>', other.revision],
    ['web-1.example', put.revision],
  ]);
  for (const { agent } of [plain, labelled]) await agent.close();
});

const text = (percent: number) => `version = 1\nthresholds.term.available = "${percent}%"\n`;

test('fleet: a rollout goes from step to step, and back to an earlier revision', { skip }, async (t) => {
  const { link, trust, policies } = await scene(t);
  const canary = simulate('canary', link, { trust, labels: ['canary'] });
  const hosts = Array.from({ length: 20 }, (_, n) => simulate(`web-${n}`, link, { trust }));
  const all = [canary, ...hosts];
  const reach = async (revision: number) => {
    await eventually(() => all.every(({ agent }) => agent.policy?.revision === revision));
    return all.filter(({ agent }) => agent.policy?.text === text(12)).map(({ agent }) => agent.state().host);
  };
  const first = await policies.change(everybody, { policy: text(11) });
  assert.deepEqual(await reach(first.revision), []);
  const second = await policies.rollout(everybody, { labels: ['canary'], percent: 0 }, text(12));
  assert.deepEqual(await reach(second.revision), ['canary']);
  const half = await reach((await policies.rollout(everybody, { labels: ['canary'], percent: 50 })).revision);
  assert.ok(half.length > 3 && half.length < 19 && half.includes('canary'), String(half.length));
  const most = await reach((await policies.rollout(everybody, { labels: [], percent: 90 })).revision);
  for (const host of half.filter((name) => name !== 'canary')) assert.ok(most.includes(host), host);
  assert.equal((await reach((await policies.complete(everybody)).revision)).length, 21);
  await assert.rejects(policies.complete(everybody), { code: 'ENOENT' });
  assert.deepEqual(await reach((await policies.rollback(everybody, first.revision)).revision), []);
  await assert.rejects(policies.rollback(everybody, 999), { code: 'ENODATA' });
});

test('fleet: a bad policy goes nowhere, an unsigned one neither, and two changes of one key at once are one', {
  skip,
}, async (t) => {
  const { policies, fleet } = await scene(t);
  await assert.rejects(policies.change(everybody, { policy: 'version = 1\nenforc = true' }), { code: 'EPOLICY' });
  await assert.rejects((await fleet.policies()).change(everybody, { policy: text(11) }), { code: 'ENOKEY' });
  assert.equal(await policies.get(everybody), null);
  const both = await Promise.allSettled(
    [11, 12].map((percent) => policies.change(everybody, { policy: text(percent) })),
  );
  const refused = both.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
  assert.deepEqual(refused, ['EBUSY']);
  assert.equal((await policies.all()).length, 1);
});

test('fleet: what somebody else has signed is not taken for nothing: only a whole policy goes over it', {
  skip,
}, async (t) => {
  const { policies, fleet } = await scene(t);
  const first = await policies.change(everybody, { policy: text(11) });
  const stranger = await fleet.policies({ pem: newSigningKey().pem });
  // Signed on top of nothing, each of these would withdraw the policy that counts.
  await assert.rejects(stranger.change(everybody, { shadow: text(12) }), { code: 'ESIGNATURE' });
  await assert.rejects(stranger.change(everybody, { next: null }), { code: 'ESIGNATURE' });
  await assert.rejects(stranger.rollout(everybody, { labels: [], percent: 10 }, text(12)), { code: 'ESIGNATURE' });
  assert.equal((await policies.get(everybody))?.revision, first.revision);
  const put = await stranger.change(everybody, { policy: text(13) });
  await assert.rejects(policies.get(everybody), { code: 'ESIGNATURE' });
  const again = await policies.change(everybody, { policy: text(14) });
  assert.ok(again.revision > put.revision && again.statement.sequence > first.statement.sequence);
});

test('fleet: without its bucket it says what makes one', { skip }, async (t) => {
  const { url } = await startServer(t);
  await using fleet = await Fleet.connect({ servers: [url] });
  await assert.rejects(fleet.policies(), { code: 'ENOFLEET' });
});

test('fleet: a server killed −9 takes no policy with it, and machines find it and what is new', { skip }, async (t) => {
  const { server, link, trust, policies, key, fleet } = await scene(t);
  const { agent, guard } = simulate('web-1', link, { trust });
  const first = await policies.change(everybody, { policy: text(11) });
  await eventually(() => agent.policy?.revision === first.revision);
  await server.kill();
  await eventually(() => !link.isUp);
  assert.equal(agent.policy?.revision, first.revision);
  await fleet.close();
  await server.restart();
  await using later = await Fleet.connect({ servers: [server.url] });
  const second = await (await later.policies({ pem: key.pem })).change(everybody, { policy: text(12) });
  await eventually(() => agent.policy?.revision === second.revision);
  assert.equal(guard.taken.length, 2);
});
