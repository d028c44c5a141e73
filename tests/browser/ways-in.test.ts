/** The three ways into the playground, with memory shared and without: what is brought in is ranked by the real engine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { KMSG_FILE, SAMPLES } from '../src/support/oom-log.js';
import { MODES, serve, skip, type Visit, visit } from './support/browser.js';
import { recordingText } from './support/recording.js';

for (const { name, args, thread } of MODES) {
  describe(`playground, ${name}`, { skip }, () => {
    let url = '';
    let page: Visit;

    before(async () => {
      url = await serve(args);
      page = await visit(url);
    });

    after(() => page?.end());

    test('the engine runs where it may', async () => {
      assert.ok((await page.text('#engine')).includes(thread));
      assert.equal(await page.page.evaluate(() => crossOriginIsolated), name === 'isolated');
    });

    for (const [index, { kernel, lines, expect }] of SAMPLES.entries()) {
      test(`kernel log, sample ${index + 1} (${kernel}): the kernel's victim is named`, async () => {
        await page.paste(lines.join('\n'));
        const { comm, pid } = expect as { comm?: string; pid?: number };
        const [place, words] = comm === undefined ? ['#facts', 'killed'] : ['#kernel-says', `${comm} ${pid}`];
        await page.saysIn(place, words);
        assert.equal(await page.text('#problem'), '');
      });
    }

    test('kernel log of a real machine: the scheme of that kernel names its victim', async () => {
      await page.drop('kmsg.txt', readFileSync(KMSG_FILE));
      await page.victimIs('hog )1 [2]');
      assert.match(await page.text('#kernel-says'), /^As the kernel did/);
      assert.equal(await page.page.inputValue('#scheme'), 'linux-5.9');
    });

    test('kernel log whose table speaks for another: it is said, and why', async () => {
      const { lines } = SAMPLES.find(({ kernel }) => kernel === '2.6.32')!;
      await page.paste(lines.join('\n'));
      await page.victimIs('a b) [c');
      assert.equal(await page.text('#kernel-says'), 'The kernel chose java 501; linux-2.6.32 would not.');
      await page.saysIn('#facts', 'doubt');
    });

    test('kernel log without an event: it is said what was in it', async () => {
      await page.paste('[ 1.0] usb 1-1: new device\n[ 2.0] eth0: link up');
      await page.page.waitForSelector('#problem:not([hidden])');
      assert.match(
        await page.text('#problem'),
        /^No event of the OOM killer in what was pasted: 0 OOM events in 2 lines/,
      );
    });

    test('what cannot be read leaves what was there, in the page and in its link', async () => {
      await page.drop('kmsg.txt', readFileSync(KMSG_FILE));
      await page.victimIs('hog )1 [2]');
      await page.slide('#task-adj', -1000);
      await page.victimIs('idle (x) y');
      await page.paste('badness-recording 1\nnonsense');
      await page.saysIn('#problem', 'line 2');
      await page.paste('badness-recording 99');
      await page.saysIn('#problem', 'expected badness-recording 1, got 99');
      await page.page.selectOption('#scheme', 'resident');
      await page.victimIs('idle (x) y');
      await page.page.waitForFunction(() => /name=kmsg.txt&.*scheme=resident.*adj=22179/.test(location.hash));
    });

    test('task records: they are ranked as the command line ranks them', async () => {
      await page.paste(readFileSync('examples/evening.ndjson', 'utf8'));
      await page.victimIs('leaky-tool');
      assert.match(await page.text('#verdict-facts'), /^861,708 points by .*4 of 7 tasks could be chosen/);
    });

    test('recording: every snapshot is a moment, and the last is shown first', async () => {
      await page.drop('evening.proc', recordingText());
      await page.victimIs('hog');
      assert.equal(await page.text('#time-now'), '10.0 s');
      await page.slide('#time', 0);
      await page.victimIs('server');
      assert.equal(await page.text('#time-now'), '0.0 s');
    });

    test('recording: rules know its files and users, and its policy comes along', async () => {
      await page.drop(
        'evening.proc',
        recordingText('version = 1\n[[rule]]\nexe = "/usr/bin/h*"\nuser = "build"\nnever = true\n'),
      );
      await page.victimIs('server');
      await page.saysIn('#policy-state', '1 rule');
      await page.page.fill('#policy', 'version = 1\n[[rule]]\nexe = "/usr/bin/x*"\nuser = "build"\nnever = true\n');
      await page.victimIs('hog');
      await page.page.fill('#policy', '');
      await page.saysIn('#policy-state', 'No policy');
    });

    test('scenario: rules know what it says of its tasks', async () => {
      await page.page.click('#tab-scenario');
      await page.page.selectOption('#scenario', 'leaking-server');
      await page.page.click('#run-scenario');
      await page.victimIs('api-server');
      await page.page.fill('#policy', 'version = 1\n[[rule]]\nexe = "/usr/lib/postgresql/*"\ntimes = "9/1"\n');
      await page.victimIs('postgres');
      // It is played again: now the guard takes the database as well.
      await page.saysIn('#kills', 'the guard killed postgres');
      await page.page.fill('#policy', '');
      await page.saysIn('#kills', 'the guard killed api-server');
    });

    test('scenario: the guard goes by the scheme that is chosen', async () => {
      await page.page.selectOption('#scheme', 'resident');
      await page.saysIn('#kills', 'the guard killed postgres');
      await page.page.selectOption('#scheme', 'badness');
      await page.saysIn('#kills', 'the guard killed api-server');
    });

    test('scenario: time moves, memory fills, and another becomes the victim', async () => {
      await page.page.click('#tab-scenario');
      await page.page.selectOption('#scenario', 'leaking-server');
      await page.slide('#time', 0);
      await page.saysIn('#time-now', '0.0 s');
      await page.page.click('#run-scenario');
      // It is there once its own first moment is shown.
      await page.page.locator('#time-now', { hasNotText: /^0\.0 s$/ }).waitFor();
      await page.page.selectOption('#scheme', 'resident');
      await page.slide('#time', 0);
      await page.victimIs('postgres');
      assert.match(
        (await page.page.getAttribute('#plot', 'aria-label')) ?? '',
        /^Memory in use over 300 seconds: at most/,
      );
      assert.equal(await page.page.locator('#plot canvas').count(), 1);
    });
  });
}
