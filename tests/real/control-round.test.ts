// A round by hand over the control socket, from the command line to the end of the victim; and protection, which holds there too.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { get, within } from '../src/support/control-scene.js';
import { ctl, start } from '../src/support/guard-run.js';
import { ownFolder } from '../src/support/own-folder.js';
import { isAlive } from '../src/support/process-state.js';

/** A process of the test with one child, which holds some memory; nobody else can be a victim of its domain. */
async function family(t: TestContext): Promise<{ root: number; child: number }> {
  const hold = "const held = Buffer.alloc(60 * 2 ** 20, 1); setInterval(() => held[0], 1000); console.log('holding')";
  const script = `
const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(hold)}]);
child.stdout.once('data', () => console.log(child.pid));
setInterval(() => {}, 1000);`;
  const root = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => root.kill('SIGKILL'));
  const [data] = (await once(root.stdout, 'data')) as [Buffer];
  const child = Number(data.toString());
  t.after(() => isAlive(child) && process.kill(child, 'SIGKILL'));
  return { root: root.pid!, child };
}

test('control: a round by hand kills where the guard enforces, and not whom it protects', async (t) => {
  const { root, child } = await family(t);
  const path = join(ownFolder(t), 'c.sock');
  const domain = `descendants:${root},64GiB`;
  const guard = start(t, ['guard', '--enforce', '-r', '0', '--domain', domain, '--control', path]);
  await guard.until(/control: /);
  const listener = start(t, ['ctl', 'events', '--json', '--control', path]);
  while (JSON.parse((await get(path, '/state')).body).control.readers === 0) await new Promise(setImmediate);

  assert.equal((await ctl(path, 'protect', String(child))).status, 0);
  assert.equal((await ctl(path, 'oom', String(child))).status, 0);
  const spared = await ctl(path, 'round', '--json');
  const refused = JSON.parse(spared.stdout);
  assert.deepEqual([spared.status, refused.outcome, refused.victim], [10, 'no-victim', null]);
  assert.deepEqual(refused.passed_over, [{ tgid: child, reason: 'protected' }]);
  assert.ok(isAlive(child));

  assert.equal((await ctl(path, 'unprotect', String(child))).status, 0);
  assert.equal((await ctl(path, 'oom', String(child))).status, 0);
  const killed = await within(ctl(path, 'round', '--json'));
  const report = JSON.parse(killed.stdout);
  assert.deepEqual(
    [killed.status, report.outcome, report.victim?.tgid, report.chosen_by],
    [0, 'released', child, 'queue'],
  );
  assert.equal(isAlive(child), false);
  assert.ok(isAlive(root));
  await listener.until(/"outcome":"released"/);
  const metrics = (await get(path, '/metrics')).body;
  assert.match(metrics, /^badness_rounds_released_total 1$/m);
  assert.equal(await guard.stop(), 0);
});
