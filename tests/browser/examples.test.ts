// The examples that want a browser: a pool of pages with rules, and a page that sheds its caches.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { chromium } from 'playwright-core';
import { chromiumOptions } from '../../scripts/chromium.mjs';
import { PATIENCE_MS, rowsIn, skip } from './support/browser.js';

/** Starts an example; it is ended after the test. Its first line, and all that it has said. */
async function start(t: TestContext, ...args: string[]) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: PATIENCE_MS });
  t.after(() => child.kill('SIGKILL'));
  const said: string[] = [];
  const lines = createInterface(child.stdout).on('line', (line) => said.push(line));
  await once(lines, 'line');
  return { child, said };
}

test('examples: in a browser pool the renderer that leaks goes, by its rule, and the browser stays', {
  skip,
}, async (t) => {
  const { executablePath } = chromiumOptions()!;
  const { child, said } = await start(t, 'examples/browser-pool/pool.mjs', '768MiB', executablePath!);
  assert.deepEqual(await once(child, 'close'), [0, null], said.join('\n'));
  const rounds = said.filter((line) => line.startsWith('released: '));
  assert.ok(rounds.length >= 1, said.join('\n'));
  for (const line of rounds) assert.match(line, /^released: \S+, by class first, \d+ MiB back$/);
  assert.deepEqual(
    said.filter((line) => !rounds.includes(line)),
    ['sums 4950,4950,4950', 'leak: its renderer has died', 'sums 4950,4950,4950, browser as before'],
  );
});

test('examples: a page under a budget sheds its worst cache, and keeps the others and what is protected', {
  skip,
}, async (t) => {
  const { said } = await start(t, 'examples/web-caches/serve.mjs');
  const browser = await chromium.launch({ ...chromiumOptions()!, timeout: PATIENCE_MS });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(said[0]!);
  await page.getByText('guarded', { exact: true }).waitFor();
  for (let edit = 0; edit < 4; ++edit) await page.click('#edit');
  for (let photo = 0; photo < 4; ++photo) await page.click('#photo');
  // 8 and 16 and 4 of 32 MiB: a tenth is left, and with one more nothing is.
  await page.click('#photo');
  await page.locator('#log li', { hasText: 'photos released' }).first().waitFor();
  const held = Object.fromEntries((await rowsIn(page, '#caches tr')) as [string, string][]);
  assert.ok(Number(held.photos) < 20, JSON.stringify(held));
  assert.deepEqual([held.thumbnails, held['undo history']], ['5', '8']);
  assert.deepEqual(complaints, []);
});
