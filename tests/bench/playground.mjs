// How long the playground takes to rank ten thousand tasks anew and to draw them, in both isolation modes:
// `npm run build && node tests/bench/playground.mjs`. A frame at 60 Hz has 16.7 ms.
import { chromium } from 'playwright-core';
import { chromiumOptions, NO_CHROMIUM } from '../../scripts/chromium.mjs';
import { servePlayground } from '../../scripts/playground.mjs';
import { median, percentile } from './support.mjs';

const TASKS = 10_000;
const MOVES = 60;
const WARM_UP = 10;

function records() {
  const lines = Array.from({ length: TASKS }, (_, index) =>
    JSON.stringify({
      ...{ tgid: index + 2, comm: `task ${index}`, rss_pages: (index * 7919) % 100_003, total_vm_pages: 200_000 },
      ...{ utime_jiffies: index * 10, start_time_ticks: index * 100, uid: 1000 },
    }),
  );
  return `{"schema":1,"page_size":4096,"hz":100,"uptime_s":1000000,"total_pages":4000000}\n${lines.join('\n')}`;
}

/** In the page: moves the slider and waits until what follows is drawn. Milliseconds of each move. */
async function moveSlider(moves) {
  const slider = document.querySelector('#discount');
  const note = document.querySelector('#ranking-note');
  const whole = [];
  const rank = [];
  for (let move = 0; move < moves; ++move) {
    note.textContent = '';
    const drawn = new Promise((resolve) => {
      const observer = new MutationObserver(() => {
        observer.disconnect();
        resolve();
      });
      setTimeout(() => observer.observe(note, { childList: true, characterData: true, subtree: true }));
    });
    await new Promise((resolve) => setTimeout(resolve, 1));
    slider.value = String(move % 11);
    const begun = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await drawn;
    whole.push(performance.now() - begun);
    rank.push(Number(/ranked in ([\d.]+)/.exec(note.textContent)[1]));
    // What follows (one task's terms, fifteen schemes) is not what is measured.
    await new Promise((resolve) => {
      const table = document.querySelector('#schemes');
      const wait = () => (table.hasAttribute('aria-busy') ? setTimeout(wait, 5) : resolve());
      wait();
    });
  }
  return { whole, rank };
}

function summary(values) {
  return `median ${median(values).toFixed(1)} ms, 95 % ${percentile(values, 95).toFixed(1)} ms`;
}

const options = chromiumOptions();
if (!options) throw new Error(NO_CHROMIUM);
const browser = await chromium.launch(options);
for (const isolation of [true, false]) {
  const server = await servePlayground({ isolation });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(server.url);
  await page.waitForSelector('#schemes:not([aria-busy]) tr');
  await page.evaluate((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], 'crowd.ndjson'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, records());
  await page.waitForSelector('#ranking-note:has-text("10,000 tasks")');
  await page.waitForSelector('#schemes:not([aria-busy]) tr');
  await page.evaluate(moveSlider, WARM_UP);
  const { whole, rank } = await page.evaluate(moveSlider, MOVES);
  console.log(`${isolation ? 'worker, shared memory' : 'one thread'}: ${TASKS} tasks`);
  console.log(`  rank                       ${summary(rank)}`);
  console.log(`  slider moved … all drawn   ${summary(whole)}`);
  await page.close();
  await server.close();
}
await browser.close();
