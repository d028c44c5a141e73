/** The page itself: for everybody, from nobody else, whatever names tasks give themselves, and for ten thousand of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MODES, serve, skip, type Visit, visit } from './support/browser.js';

const EVENING = readFileSync('examples/evening.ndjson', 'utf8');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const FIRST_LOAD_BYTES = 120 * 1024;

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe-core finds wrong in the page as it stands. */
async function violations({ page }: Visit): Promise<string[]> {
  // Through the debugger: the page itself runs no script that is not its own.
  const found = await page.evaluate(
    `${readFileSync(AXE, 'utf8')}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return (found as Violation[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  );
}

function crowd(count: number): string {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      tgid: index + 2,
      comm: `task ${index}`,
      rss_pages: (index * 7919) % 100_003,
      start_time_ticks: index,
    }),
  );
  return `{"schema":1,"page_size":4096,"hz":100,"uptime_s":1000000,"total_pages":4000000}\n${lines.join('\n')}`;
}

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</dd><script>alert(1)</script>',
  '\u202egnp.exe',
  '"><b>',
  '&lt;b&gt;',
];

describe('the page', { skip }, () => {
  let url = '';

  before(async () => {
    url = await serve();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [
      [1280, 900],
      [390, 844],
    ] as const) {
      test(`axe-core finds nothing wrong: ${colorScheme}, ${width} pixels wide`, async () => {
        const page = await visit(url, { colorScheme, viewport: { width, height } });
        await page.page.waitForSelector('#schemes:not([aria-busy]) tr');
        assert.deepEqual(await violations(page), [], 'a scenario');
        await page.page.fill('#policy', 'version = 2');
        await page.saysIn('#policy-state', 'line 1');
        await page.paste(readFileSync('tests/vectors/kmsg-6.18-memcg.txt', 'utf8'));
        await page.victimIs('hog )1 [2]');
        await page.page.waitForSelector('#schemes:not([aria-busy]) tr');
        assert.deepEqual(await violations(page), [], 'a kernel log, and a policy that is wrong');
        const overflow = await page.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(overflow, 0, 'nothing is wider than the screen');
        await page.end();
      });
    }
  }

  test('names of tasks are text, whatever is in them', async () => {
    const page = await visit(url);
    const lines = HOSTILE.map((comm, index) =>
      JSON.stringify({ tgid: index + 2, comm, rss_pages: 1000 * (index + 1) }),
    );
    await page.paste(lines.join('\n'));
    await page.saysIn('#ranking-note', `${HOSTILE.length} tasks`);
    assert.equal(await page.page.locator('#result img, #result script, .who b').count(), 0);
    const names = await page.page.locator('.body .who').allTextContents();
    assert.ok(names.includes(HOSTILE[0]!), 'shown as it is');
    assert.ok(names.includes('\\u{202e}gnp.exe'), 'nothing turns the direction of text');
    await page.end();
  });

  test('no script runs but those of the page', async () => {
    const page = await visit(url);
    const policy = await page.page.getAttribute('meta[http-equiv="Content-Security-Policy"]', 'content');
    assert.match(policy ?? '', /default-src 'none'/);
    assert.doesNotMatch(policy ?? '', /unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|\*/);
    const refusal = page.page.waitForEvent('console', (message) => /Content Security Policy/.test(message.text()));
    const ran = await page.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlineScriptRan = true';
      document.body.append(script);
      return 'inlineScriptRan' in globalThis;
    });
    assert.equal(ran, false);
    // Refusing it is told on the console, which is what was wanted here.
    const told = (await refusal).text();
    assert.deepEqual(page.complaints.splice(0), [told]);
    await page.end();
  });

  for (const { name, args } of MODES) {
    test(`first load, ${name}: all that is fetched until a scenario is on the screen is at most 120 KiB of gzip`, async (t) => {
      const page = await visit(await serve(args));
      await page.page.waitForSelector('#schemes:not([aria-busy]) tr');
      const bodies = page.requests.map((request) => new URL(request).pathname.slice(1) || 'index.html');
      const weights = bodies.map((file) => gzipSync(readFileSync(`dist/playground/${file}`), { level: 9 }).length);
      const bytes = weights.reduce((sum, weight) => sum + weight, 0);
      t.diagnostic(`${bytes} bytes of gzip in ${bodies.length} files`);
      assert.ok(bodies.length > 5 && bytes <= FIRST_LOAD_BYTES, `${bytes} bytes: ${bodies.join(', ')}`);
      await page.end();
    });

    test(`ten thousand tasks, ${name}: ranked, and only what is in sight is drawn`, async (t) => {
      const page = await visit(await serve(args));
      await page.drop('crowd.ndjson', crowd(10_000));
      await page.saysIn('#ranking-note', '10,000 tasks');
      t.diagnostic(await page.text('#ranking-note'));
      assert.ok((await page.page.locator('.body .cells').count()) < 60);
      await page.page.focus('.grid');
      await page.page.keyboard.press('End');
      await page.page.waitForSelector('#row-9999[aria-selected="true"]');
      assert.ok((await page.page.locator('.body .cells').count()) < 60);
      await page.slide('#discount', 10);
      t.diagnostic(await page.text('#ranking-note'));
      await page.end();
    });
  }

  test('the evening of the README fits a phone', async () => {
    const page = await visit(url, { viewport: { width: 360, height: 740 } });
    await page.paste(EVENING);
    await page.victimIs('leaky-tool');
    const [left, right] = await page.page.evaluate(() => {
      const box = document.querySelector('.body .cells')!.getBoundingClientRect();
      return [box.left, box.right];
    });
    assert.ok(left! >= 0 && right! <= 360, `${left} … ${right}`);
    await page.end();
  });
});
