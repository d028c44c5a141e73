// examples/tenants: the tenant that floods is shed, the others keep theirs, and the server goes on answering.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { PATIENCE_MS } from './support/patience.js';

const MIB = 2 ** 20;
const BUDGET_MIB = 64;
const FLOOD_MIB = 200;
const POLITE = ['alice', 'bob', 'carol'];
const KEYS = ['a', 'b', 'c', 'd'];

async function startServer(t: TestContext) {
  const args = ['examples/tenants/server.mjs', `${BUDGET_MIB}MiB`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const said: string[] = [];
  const lines = createInterface(child.stdout);
  const [first] = (await once(lines, 'line')) as [string];
  lines.on('line', (line) => said.push(line));
  const at = /^listening on (127\.0\.0\.1:\d+)$/.exec(first)?.[1];
  assert.ok(at, first);
  return { child, said, url: `http://${at}` };
}

test('examples: of the tenants the flooding one is shed, the others keep theirs, and the server answers', async (t) => {
  const { child, said, url } = await startServer(t);
  const body = (letter: string) => new Uint8Array(MIB).fill(letter.charCodeAt(0));
  let slowestMs = 0;
  const ask = async (path: string, init: RequestInit = {}) => {
    const began = performance.now();
    const response = await fetch(`${url}/${path}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
    const bytes = new Uint8Array(await response.arrayBuffer());
    slowestMs = Math.max(slowestMs, performance.now() - began);
    return { status: response.status, bytes };
  };
  const figures = async () => JSON.parse(new TextDecoder().decode((await ask('')).bytes)) as Record<string, number>;

  for (const name of POLITE) {
    for (const key of KEYS) assert.equal((await ask(`${name}/${key}`, { method: 'PUT', body: body(key) })).status, 204);
  }
  let most = 0;
  for (let count = 0; count < FLOOD_MIB; ++count) {
    assert.equal((await ask(`flood/${count}`, { method: 'PUT', body: body('x') })).status, 204);
    if (count % 10 === 0) most = Math.max(most, (await figures()).flood!);
  }
  const { flood, ...polite } = await figures();
  assert.deepEqual(polite, { alice: 4 * MIB, bob: 4 * MIB, carol: 4 * MIB });
  assert.ok(flood! < (FLOOD_MIB / 2) * MIB && most > 20 * MIB, `${flood! / MIB} MiB at the end, ${most / MIB} at most`);
  for (const name of POLITE) {
    for (const key of KEYS) {
      const { status, bytes } = await ask(`${name}/${key}`);
      assert.deepEqual([status, bytes.length, bytes[0]], [200, MIB, key.charCodeAt(0)]);
    }
  }
  assert.equal((await ask('flood/0')).status, 404, 'the oldest went first');
  t.diagnostic(`slowest answer ${slowestMs.toFixed(0)} ms, ${said.length} sheds`);
  assert.ok(said.length > 0);
  for (const line of said) assert.match(line, /^flood released: [\d.]+ MiB back$/);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
