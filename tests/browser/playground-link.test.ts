/** The playground from a page of somebody else: a link shows what was put into it, in a window and in a frame. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { MODES, serve, skip, visit } from './support/browser.js';

const entry = pathToFileURL(resolve('dist/playground.js')).href;
const { playgroundLink } = (await import(entry)) as typeof import('../../src/playground/index.js');

for (const { name, args } of MODES) {
  test(`playground link (${name}): a text, a policy and a scenario are shown, in a frame too`, { skip }, async () => {
    const url = await serve(args);
    const text = readFileSync('examples/evening.ndjson', 'utf8');
    const page = await visit(await playgroundLink(url, { text, name: 'evening.ndjson' }));
    await page.victimIs('leaky-tool');
    await page.end();

    const policy = 'version = 1\n[[rule]]\ncomm = "leaky-tool"\nnever = true\n';
    const ruled = await visit(await playgroundLink(url, { text, policy }));
    await ruled.victimIs('postgres');
    // The playground itself lets no frame in; another page does.
    const other = await ruled.page.context().newPage();
    const scenario = await playgroundLink(url, { scenario: 'leaking-server' });
    await other.setContent(`<iframe src="${scenario.replaceAll('&', '&amp;')}"></iframe>`);
    const kill = other.frameLocator('iframe').locator('#kills li').first();
    await kill.waitFor().catch(() => assert.fail('the frame shows no kill'));
    await ruled.end();
  });
}
