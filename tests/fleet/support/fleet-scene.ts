/** A fleet on a server of its own, ready to be used; cleared away after the test. */
import type { TestContext } from 'node:test';
import { Fleet, NatsLink } from '../../../src/fleet/index.js';
import { startServer } from './nats-server.js';

/** With the streams and buckets of a fleet; `redeliverMs` as for Fleet.setUp. */
export async function openScene(t: TestContext, redeliverMs?: number) {
  const server = await startServer(t);
  const fleet = await Fleet.connect({ servers: [server.url] });
  t.after(() => fleet.close());
  await fleet.setUp(redeliverMs === undefined ? {} : { redeliverMs });
  return { server, fleet };
}

/** The same, and a link that machines share. */
export async function openLinkedScene(t: TestContext) {
  const { server, fleet } = await openScene(t);
  const link = await NatsLink.open({ servers: [server.url] });
  t.after(() => link.close());
  return { server, fleet, link };
}
