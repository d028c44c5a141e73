/** Without the packages of NATS: everything works but a fleet, which says what to install. On a copy of what is shipped, where nothing is installed beside it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

const SHIPPED = /\.(js|wasm|json)$/;
const env = { ...process.env, NODE_TEST_CONTEXT: undefined, BADNESS_CONTROL: 'none' };

function shipped(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'badness-alone-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'dist'));
  cpSync('package.json', join(folder, 'package.json'));
  for (const name of readdirSync('dist'))
    if (SHIPPED.test(name)) cpSync(join('dist', name), join(folder, 'dist', name));
  return join(folder, 'dist/cli.js');
}

test('fleet packages: a command of the fleet says what to install, and has an exit code for it', (t) => {
  const cli = shipped(t);
  const run = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', env });
  const { status, stderr } = run('fleet', 'setup', '--fleet', 'nats://127.0.0.1:9');
  assert.equal(status, 23);
  assert.match(stderr, /^badness: .*npm install @nats-io\/transport-node .*\n$/);
  assert.equal(run('policy', 'show').status, 0);
});

test('fleet packages: a guard with a fleet notes it, and guards', async (t) => {
  const cli = shipped(t);
  const args = [cli, 'guard', '--json', '--domain', 'system', '--fleet', 'nats://127.0.0.1:9', '--native', 'none'];
  const child = spawn(process.execPath, args, { env: { ...env, STATE_DIRECTORY: join(cli, '../..') }, stdio: 'pipe' });
  t.after(() => child.kill('SIGKILL'));
  const kinds: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { kind, text = '' } = JSON.parse(line) as { kind: string; text?: string };
    kinds.push(kind);
    if (text.includes('npm install @nats-io/transport-node')) break;
  }
  assert.equal(kinds[0], 'start');
  assert.equal(child.exitCode, null);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
