/** Policies through a real server: signed, put, taken, acknowledged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet, NatsLink, newSigningKey } from '../../src/fleet/index.js';
import { eventually } from './support/eventually.js';
import { startServer, WITHOUT_SERVER } from './support/nats-server.js';
import { simulate } from './support/simulated.js';

const skip = WITHOUT_SERVER;
const everybody = { kind: 'default' } as const;

test('fleet: a policy reaches every machine, the most specific one counts, and each says which it has', {
  skip,
}, async (t) => {
  const { url } = await startServer(t);
  const key = newSigningKey();
  await using fleet = await Fleet.connect({ servers: [url] });
  await fleet.setUp();
  const policies = await fleet.policies({ pem: key.pem });
  const link = await NatsLink.open({ servers: [url] });
  t.after(() => link.close());
  const trust = [key.trust];
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
