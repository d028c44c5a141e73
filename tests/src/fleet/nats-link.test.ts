/** The link over NATS where there is no server: it looks for one as long as it is open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NatsLink } from '../../../src/fleet/live/nats-link.js';
import { ManualClock, settle } from '../support/manual-clock.js';

/** Nobody listens there. */
const NOBODY = ['nats://127.0.0.1:9'];

test('fleet link: one that was closed while it looked for a server looks no more', async () => {
  const clock = new ManualClock();
  const closed = await NatsLink.open({ servers: NOBODY, clock });
  await closed.close();
  // Begun later, and so refused later.
  const other = new ManualClock();
  let refused = () => {};
  const said = new Promise<void>((resolve) => (refused = resolve));
  const open = await NatsLink.open({ servers: NOBODY, clock: other, note: () => refused() });
  await said;
  for (let turn = 0; turn < 50; ++turn) await settle();
  assert.equal(clock.pending, 0);
  assert.equal(other.pending, 1);
  await open.close();
  assert.equal(other.pending, 0);
});
