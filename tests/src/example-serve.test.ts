/** The little server of examples/web-caches: whoever asks for something odd is refused, and the next one is served. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { test } from 'node:test';

function statusOf(port: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, (response) => resolve(response.resume().statusCode!)).on('error', reject);
  });
}

test('example web-caches: a request that is none of a file ends nothing', async (t) => {
  const child = spawn(process.execPath, ['examples/web-caches/serve.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const port = new URL(String(line).trim()).port;
  for (const path of ['/x%2fy', '//', '/http:', '/../package.json']) {
    assert.ok((await statusOf(port, path)) >= 400, path);
  }
  assert.equal(await statusOf(port, '/'), 200);
});
