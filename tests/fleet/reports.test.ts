/** What machines report, through a real server: each decision once, whatever happens to the server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../../src/fleet/index.js';
import { connectServers, natsOf } from '../../src/fleet/live/connect.js';
import { reportSubject } from '../../src/fleet/names.js';
import { eventually } from './support/eventually.js';
import { openLinkedScene } from './support/fleet-scene.js';
import { WITHOUT_SERVER } from './support/nats-server.js';
import { simulate } from './support/simulated.js';

const skip = WITHOUT_SERVER;
const decision = { wallMs: 1, event: { kind: 'round' }, record: new Uint8Array(640) };

async function idsOf(fleet: Fleet, ask: { host?: string; since?: number } = {}): Promise<string[]> {
  const ids: string[] = [];
  for await (const report of fleet.reports({ kind: 'decision', ...ask })) if ('id' in report) ids.push(report.id);
  return ids;
}

test('reports: those of one machine, or since a moment, or of all; whatever the machine is called', {
  skip,
}, async (t) => {
  const { fleet, link } = await openLinkedScene(t);
  assert.deepEqual(await idsOf(fleet), [], 'nothing is there, and nobody waits for it');
  const hostile = ['a.b', '*', '>', '$JS.API', 'ä ö'];
  for (const host of hostile) simulate(host, link, { run: host }).agent.decided(decision);
  await eventually(async () => (await idsOf(fleet)).length === hostile.length);
  for (const host of hostile) assert.deepEqual(await idsOf(fleet, { host }), [`${host}.1`]);
  assert.deepEqual(await idsOf(fleet, { since: Date.now() + 60_000 }), []);
  assert.equal((await idsOf(fleet, { since: Date.now() - 60_000 })).length, hostile.length);
});

test('reports: what was sent twice comes once, also when the server has forgotten that it knew it', {
  skip,
}, async (t) => {
  const { server, fleet } = await openLinkedScene(t);
  const connection = natsOf(await connectServers({ servers: [server.url] }));
  t.after(() => connection.close());
  const text = JSON.stringify({
    schema: 1,
    kind: 'decision',
    id: 'x.1',
    host: 'h',
    wall_ms: 1,
    policy: null,
    event: {},
  });
  for (let n = 0; n < 3; ++n) await connection.request(reportSubject('h', 'decision'), text);
  assert.deepEqual(await idsOf(fleet), ['x.1']);
});

test('reports: a server killed −9 in the middle loses no decision and counts none twice', { skip }, async (t) => {
  const { server, fleet, link } = await openLinkedScene(t);
  const machines = Array.from({ length: 10 }, (_, n) => simulate(`web-${n}`, link, { run: `r${n}` }));
  const tellAll = (times: number) => {
    for (let n = 0; n < times; ++n) for (const { agent } of machines) agent.decided(decision);
  };
  tellAll(20);
  // Some are on their way, some are stored, some wait.
  await server.kill();
  tellAll(20);
  await fleet.close();
  await server.restart();
  tellAll(10);
  await eventually(() => machines.every(({ spool }) => spool.waiting === 0), 'empty spools');
  await using later = await Fleet.connect({ servers: [server.url] });
  const ids = await idsOf(later);
  assert.equal(new Set(ids).size, ids.length);
  const told = machines.flatMap((_, n) => Array.from({ length: 50 }, (_, number) => `r${n}.${number + 1}`));
  assert.deepEqual(ids.sort(), told.sort());
});
