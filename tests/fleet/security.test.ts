/** What somebody can and cannot do with a credential of a fleet that is not theirs: each sentence of SECURITY.md, on the server of docs/fleet.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { Fleet, NatsLink, newSigningKey } from '../../src/fleet/index.js';
import { connectServers, natsOf } from '../../src/fleet/live/connect.js';
import { eventually } from './support/eventually.js';
import { WITHOUT_SERVER } from './support/nats-server.js';
import { securedServer } from './support/secured.js';
import { simulate } from './support/simulated.js';

const skip = WITHOUT_SERVER;
const everybody = { kind: 'default' } as const;
const GOOD = 'version = 1\nthresholds.term.available = "11%"\n';
const VALUE = '$KV.badness-policy.default';

/** A fleet whose machine web-1 has a good policy, and what a thief needs. */
async function scene(t: import('node:test').TestContext) {
  const secured = await securedServer(t);
  const key = newSigningKey();
  const fleet = await Fleet.connect(secured.keeper);
  t.after(() => fleet.close());
  await fleet.setUp();
  const policies = await fleet.policies({ pem: key.pem });
  const link = await NatsLink.open(secured.machine);
  t.after(() => link.close());
  const machine = simulate('web-1', link, { trust: [key.trust], labels: ['ci'] });
  const first = await policies.change(everybody, { policy: GOOD });
  await eventually(() => machine.agent.policy?.revision === first.revision);
  const thief = async (of: typeof secured.machine | typeof secured.keeper): Promise<NatsConnection> => {
    const connection = natsOf(await connectServers(of));
    t.after(() => connection.close());
    return connection;
  };
  return { ...secured, ...machine, fleet, policies, key, first, thief };
}

/** The server has heard all of it. A permission that is missing is told some time before. */
async function said(connection: NatsConnection, run: () => void): Promise<void> {
  run();
  await connection.flush();
}

const codes = (states: readonly { refused: readonly { code: string }[] }[]) =>
  states.flatMap(({ refused }) => refused.map(({ code }) => code));

test('stolen: without a credential nobody comes in', { skip }, async (t) => {
  const { server } = await securedServer(t);
  await assert.rejects(Fleet.connect({ servers: [server.url] }), { code: 'EACCES' });
});

test('stolen: the credential of a machine changes no policy, reads no report and takes no stream away', {
  skip,
}, async (t) => {
  const { thief, machine, policies, first, agent } = await scene(t);
  const stolen = await thief(machine);
  await said(stolen, () => stolen.publish(VALUE, 'mine'));
  for (const subject of [
    '$JS.API.STREAM.DELETE.badness',
    '$JS.API.STREAM.PURGE.KV_badness-policy',
    '$JS.API.CONSUMER.CREATE.badness',
    '$JS.API.STREAM.MSG.GET.badness',
    '$JS.API.DIRECT.GET.badness.badness.web-2.state',
  ]) {
    await assert.rejects(stolen.request(subject, '{}', { timeout: 500 }), subject);
  }
  assert.equal((await policies.get(everybody))?.revision, first.revision);
  const heard: string[] = [];
  const hear = (error: Error | null, message: Msg) => {
    if (error === null) heard.push(message.subject);
  };
  stolen.subscribe('badness.>', { callback: hear });
  stolen.subscribe('_INBOX.>', { callback: hear });
  await stolen.flush();
  const before = (await policies.states())[0]!.wall_ms;
  await eventually(async () => {
    agent.tellState();
    return (await policies.states())[0]!.wall_ms > before;
  });
  await stolen.flush();
  assert.deepEqual(heard, []);
});

test('stolen: the credential of a machine reports lies, of that machine and of no other', { skip }, async (t) => {
  const { thief, machine, fleet } = await scene(t);
  const stolen = await thief(machine);
  const lie = (host: string, id: string) =>
    JSON.stringify({
      schema: 1,
      kind: 'decision',
      id,
      host,
      wall_ms: 1,
      policy: null,
      event: {},
      record: null,
      shadow: null,
    });
  await assert.rejects(stolen.request('badness.web-2.decision', lie('web-2', 'a'), { timeout: 500 }));
  // In the name of another, where it may say something.
  await stolen.request('badness.web-1.decision', lie('web-2', 'b'), { timeout: 5000 });
  await stolen.request('badness.web-1.decision', lie('web-1', 'c'), { timeout: 5000 });
  const ids: string[] = [];
  for await (const report of fleet.reports({ kind: 'decision' })) if (report.kind === 'decision') ids.push(report.id);
  assert.deepEqual(ids, ['c']);
});

test('stolen: the credential of the keeper, without the key, gets no policy taken: not a forged one, not an older one, not another key’s', {
  skip,
}, async (t) => {
  const { thief, keeper, policies, agent, guard, key, first } = await scene(t);
  const old = await (await thief(keeper)).request(
    '$JS.API.STREAM.MSG.GET.KV_badness-policy',
    JSON.stringify({ seq: first.revision }),
  );
  const oldText = atob(old.json<{ message: { data: string } }>().message.data);
  const second = await policies.change(everybody, { policy: `${GOOD}# two\n` });
  await eventually(() => agent.policy?.revision === second.revision);
  const stolen = await thief(keeper);
  const put = (subject: string, text: string) => stolen.request(subject, text, { timeout: 5000 });
  await put(VALUE, oldText);
  await eventually(async () => codes(await policies.states()).includes('EOLDER'));
  const forger = newSigningKey();
  const forged = await Fleet.connect(keeper);
  t.after(() => forged.close());
  await (await forged.policies({ pem: forger.pem, trust: [key.trust] })).change(everybody, {
    policy: 'version = 1\nnever = []\n',
  });
  await eventually(async () => codes(await policies.states()).includes('ESIGNATURE'));
  await put('$KV.badness-policy.host.web-1', oldText);
  await eventually(async () => codes(await policies.states()).includes('EKEY'));
  assert.equal(agent.policy?.sequence, second.statement.sequence);
  assert.deepEqual(
    guard.taken.map((policy) => policy?.sequence),
    [first.statement.sequence, second.statement.sequence],
  );
  // The owner of the key comes back over it all.
  const third = await policies.change(everybody, { policy: `${GOOD}# three\n` });
  await eventually(() => agent.policy?.revision === third.revision);
});

test('stolen: the credential of the keeper can take everything away, and machines go on by what they took', {
  skip,
}, async (t) => {
  const { thief, keeper, agent, first } = await scene(t);
  const stolen = await thief(keeper);
  for (const stream of ['KV_badness-policy', 'badness']) {
    await stolen.request(`$JS.API.STREAM.DELETE.${stream}`, '', { timeout: 5000 });
  }
  agent.decided({ wallMs: 1, event: {}, record: null });
  await agent.again();
  assert.equal(agent.policy?.sequence, first.statement.sequence);
  assert.equal(agent.state().spool.waiting, 1);
});

test('stolen: the key and the credential of the keeper together kill nobody and run nothing where a machine does not allow it', {
  skip,
}, async (t) => {
  const { policies, agent, guard } = await scene(t);
  const enforcing = await policies.change(everybody, { policy: `${GOOD}enforce = true\n` });
  await eventually(() => agent.policy?.revision === enforcing.revision);
  assert.equal(agent.state().enforce, false);
  assert.match(agent.state().notes.join(), /not taken over/);
  await policies.change(everybody, { policy: `${GOOD}notify = [{ on = "warn", command = ["id"] }]\n` });
  await eventually(async () => codes(await policies.states()).includes('EFORBIDDEN'));
  assert.equal(guard.taken.at(-1)?.revision, enforcing.revision);
});
