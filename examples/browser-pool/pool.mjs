// A pool of browser pages under one budget. When it runs out the worst renderer dies, and never the browser: the pool says which job it was,
// opens another page and goes on.
//
//     node examples/browser-pool/pool.mjs [budget, 768MiB] [browser, /usr/bin/chromium]
import { startGuard } from 'badness/linux';
import { chromium } from 'playwright-core';

const [budget = '768MiB', executablePath = '/usr/bin/chromium'] = process.argv.slice(2);
const MIB = 2 ** 20;
/** Chromium hands the switches that it knows on to its children. This one it does not know: only the main process has it. */
const MARK = '--main-process-of-the-pool';

const guard = await startGuard({
  domain: { descendantsOf: process.pid, budget },
  enforce: true,
  rules: [
    { cmdline: '*--type=renderer*', class: 'first' },
    { cmdline: `*${MARK}*`, never: true },
    // All renderers come from it.
    { cmdline: '*--type=zygote*', never: true },
  ],
});
guard.on('round', ({ report }) => {
  const freed = Math.round((report.freedBytes ?? 0) / MIB);
  console.log(`${report.outcome}: ${report.victim?.comm}, by ${report.victim?.rules?.[0]?.effect}, ${freed} MiB back`);
});
guard.on('failed', ({ error }) => console.error(error));

// As root its sandbox cannot be had; these pages are our own.
const args = process.getuid() === 0 ? [MARK, '--no-sandbox'] : [MARK];
const browser = await chromium.launch({ executablePath, args });
const idle = [];

/** Runs a function in a page of the pool. Rejects when its renderer has died. */
async function run(job) {
  const page = idle.pop() ?? (await browser.newPage());
  try {
    const answer = await Promise.race([page.evaluate(job), crashOf(page)]);
    idle.push(page);
    return answer;
  } catch (error) {
    await page.context().close();
    throw error;
  }
}

function crashOf(page) {
  return new Promise((_, reject) => page.once('crash', () => reject(new Error('its renderer has died'))));
}

const sum = () => Array.from({ length: 100 }, (_, index) => index).reduce((total, value) => total + value, 0);

/** 8 MiB every 20 ms, up to 800 MiB; it never answers. */
const leak = () =>
  new Promise(() => {
    const kept = [];
    const growing = setInterval(() => {
      kept.push(new Uint8Array(8 * 2 ** 20).fill(1));
      if (kept.length === 100) clearInterval(growing);
    }, 20);
  });

const sums = () => Promise.all([run(sum), run(sum), run(sum)]);

console.log(`sums ${await sums()}`);
await run(leak).catch(({ message }) => console.log(`leak: ${message}`));
console.log(`sums ${await sums()}, browser ${browser.isConnected() ? 'as before' : 'gone'}`);
await browser.close();
await guard.close();
