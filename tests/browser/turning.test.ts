/** What a reader may turn on the playground, and what follows from it at once: sliders, oom_score_adj, a policy, a link. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { MODES, serve, skip, type Visit, visit } from './support/browser.js';

const EVENING = readFileSync('examples/evening.ndjson', 'utf8');

for (const { name, args } of MODES) {
  describe(`turning, ${name}`, { skip }, () => {
    let url = '';
    let page: Visit;

    before(async () => {
      url = await serve(args);
      page = await visit(url);
      await page.paste(EVENING);
      await page.victimIs('leaky-tool');
    });

    after(() => page?.end());

    test('the ranking: rows as the command line prints them, and behind them who may not be chosen, with the reason', async () => {
      assert.deepEqual(await page.rows('.body .cells'), [
        ['1', 'leaky-tool', '4231', '861,708', '3.29 GiB', '0'],
        ['2', 'postgres', '812', '228,049', '3.48 GiB', '0'],
        ['3', 'tsc', '4240', '210,000', '820 MiB', '0'],
        ['4', 'agent', '4200', '22,500', '352 MiB', '0'],
        ['–', 'systemd', '1', 'init', '11.7 MiB', '0'],
        ['–', 'kthreadd', '2', 'kthread', '0 B', '0'],
        ['–', 'gnome-shell', '3100', 'adj -1000', '430 MiB', '−1000'],
      ]);
    });

    test('the slider of age: without any the largest goes, whatever it has done', async () => {
      await page.slide('#discount', 0);
      await page.victimIs('postgres');
      await page.slide('#discount', 2);
      await page.victimIs('leaky-tool');
      assert.equal(await page.text('#discount-now'), '4');
    });

    test('oom_score_adj of a task: never takes it out, and another goes', async () => {
      await page.slide('#task-adj', -1000);
      await page.victimIs('postgres');
      await page.saysIn('#task-steps', 'none: not eligible (adj -1000)');
      assert.equal(await page.text('#task-name'), 'leaky-tool 4231', 'the task that is turned stays in sight');
      await page.page.click('#reset-adj');
      await page.victimIs('leaky-tool');
    });

    test('every term of the points of the task that is chosen', async () => {
      await page.page.click('.body .cells >> text=postgres');
      await page.saysIn('#task-steps', '912,197 ÷ 4 = 228,049');
      const labels = await page.page.locator('#task-steps dt').allTextContents();
      assert.deepEqual(labels, ['base', 'CPU time', 'run time', 'discount', '= points']);
    });

    test('a row that is pressed is chosen, though the ranking is made anew before it is let go', async () => {
      await page.page.locator('.body .cells >> text=systemd').hover();
      await page.page.mouse.down();
      // Not as a hand would: the page stays where it is, and the mouse on its row.
      await page.page.evaluate(() => {
        const slider = document.querySelector<HTMLInputElement>('#discount')!;
        slider.value = '3';
        slider.dispatchEvent(new Event('input'));
      });
      await page.saysIn('#task-steps', '912,197 ÷ 8 = 114,024');
      await page.page.mouse.up();
      await page.saysIn('#task-name', 'systemd 1');
      await page.slide('#discount', 2);
      await page.saysIn('#discount-now', '4');
    });

    test('schemes side by side: what the command line compares, and a click takes one over', async () => {
      await page.page.waitForSelector('#schemes:not([aria-busy]) tr');
      const takes = (await page.rows('#schemes tr')).map((cells) => cells.join(' '));
      assert.equal(takes.length, 15);
      assert.match(takes[0]!, /^badness\s+leaky-tool 4231\s+3\.29 GiB/);
      assert.match(takes.find((row) => row.startsWith('linux-2.6.10')) ?? '', /tsc 4240/);
      await page.page.click('[data-scheme="linux-5.9"]');
      await page.victimIs('postgres');
      await page.page.selectOption('#scheme', 'badness');
      await page.victimIs('leaky-tool');
    });

    test('policy: what is wrong is said by line, what is good counts at once', async () => {
      await page.page.fill('#policy', 'version = 1\n[thresholds]\nterm.availble = "8%"\n');
      await page.saysIn('#policy-state', 'line 3');
      assert.match(await page.text('#policy-state'), /availble .*available/);
      await page.victimIs('leaky-tool');
      await page.page.fill('#policy', 'version = 1\n[[rule]]\ncomm = "leaky*"\nnever = true\n');
      await page.saysIn('#policy-state', 'In force');
      await page.victimIs('postgres');
      await page.page.fill('#policy', 'version = 1\n[[rule]]\ncomm = "/^ts/"\ntimes = "9/1"\n');
      await page.victimIs('tsc');
      await page.page.click('.body .cells >> text=tsc');
      await page.saysIn('#task-steps', 'times 9/1 = 1,890,000');
      await page.page.fill('#policy', '');
      await page.victimIs('leaky-tool');
    });

    test('keyboard: the ranking, the tabs and the sliders', async () => {
      await page.page.focus('.grid');
      await page.page.keyboard.press('Home');
      await page.page.keyboard.press('ArrowDown');
      await page.saysIn('#task-name', 'postgres 812');
      await page.page.keyboard.press('End');
      await page.saysIn('#task-name', 'gnome-shell 3100');
      await page.page.focus('#tab-log');
      await page.page.keyboard.press('ArrowRight');
      assert.equal(await page.page.getAttribute('#tab-recording', 'aria-selected'), 'true');
      await page.page.focus('#discount');
      for (const _ of [0, 1]) await page.page.keyboard.press('ArrowLeft');
      await page.victimIs('postgres');
      for (const _ of [0, 1]) await page.page.keyboard.press('ArrowRight');
      await page.victimIs('leaky-tool');
    });

    test('link: it brings all of it back, in a page that has seen nothing', async () => {
      await page.page.fill('#policy', 'version = 1\n[[rule]]\ncomm = "postgres"\nnever = true\n');
      await page.saysIn('#verdict-facts', '3 of 7 tasks');
      await page.page.selectOption('#scheme', 'resident');
      // Rows must be where they stay before one of them is pressed.
      await page.saysIn('#verdict-facts', 'points by resident');
      await page.page.click('.body .cells >> text=leaky-tool');
      await page.slide('#task-adj', -1000);
      await page.victimIs('tsc');
      await page.page.waitForFunction(() => /adj=4231/.test(location.hash));
      const link = await page.page.evaluate(() => location.href);
      assert.ok(!link.includes('leaky'), 'names are packed');
      const other = await visit(link);
      await other.victimIs('tsc');
      assert.equal(await other.page.inputValue('#scheme'), 'resident');
      await other.saysIn('#task-name', 'leaky-tool 4231');
      assert.match(await other.page.inputValue('#policy'), /comm = "postgres"/);
      await other.end();
    });

    test('link: what does not fit is said', async () => {
      const noise = Array.from({ length: 3000 }, (_, index) => ((index * 2654435761) % 4294967296).toString(36));
      const lines = noise.map((comm, index) => JSON.stringify({ tgid: index + 2, comm, rss_pages: 1000 + index }));
      await page.drop('crowd.ndjson', lines.join('\n'));
      await page.saysIn('#ranking-note', '3,000 tasks');
      await page.page.click('#copy-link');
      await page.saysIn('#link-note', 'It is without crowd.ndjson: more than 32 KiB compressed');
    });

    test('link: one that is damaged is refused with a reason', async () => {
      const other = await visit(`${url}#v=1&name=x&data=AAAA`);
      assert.match(await other.text('#problem'), /the link is damaged/);
      await other.end();
    });
  });
}
