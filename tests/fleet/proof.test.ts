/** The proof of docs/fleet.md, reduced: fifty machines, a killed server, a partition. `npm run bench:fleet` is the whole one, with times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRig } from './proof/rig.js';
import { WITHOUT_SERVER } from './support/nats-server.js';

const skip = WITHOUT_SERVER;
const FIFTY = {
  program: new URL('./proof/hosts.worker.js', import.meta.url),
  hosts: 50,
  processes: 2,
  rounds: 12,
  everyMs: 500,
  downMs: 1000,
  cutMs: 4000,
  pingMs: 500,
};

test('fleet proof: a server killed −9 and a partition lose no decision and count none twice', { skip }, async (t) => {
  const result = await runRig(t, { ...FIFTY, spoolBytes: 1 << 20 });
  t.diagnostic(JSON.stringify(result));
  const { told, dropped, said_dropped: saidDropped, read, lost, twice } = result;
  assert.deepEqual(
    { told, dropped, saidDropped, read, lost, twice },
    { told: 600, dropped: 0, saidDropped: 0, read: 600, lost: 0, twice: 0 },
  );
});

test('fleet proof: what a spool has no room for is the only thing that is lost, and it says how much', {
  skip,
}, async (t) => {
  const result = await runRig(t, { ...FIFTY, hosts: 6, downMs: 3000, spoolBytes: 4 << 10 });
  t.diagnostic(JSON.stringify(result));
  const { dropped, said_dropped: saidDropped, lost, twice } = result;
  assert.ok(dropped > 0, 'the spool was too small');
  assert.deepEqual({ saidDropped, lost, twice }, { saidDropped: dropped, lost: 0, twice: 0 });
});
