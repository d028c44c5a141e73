// Takes the pictures of the playground that docs/ shows: `npm run build && node scripts/shots.mjs`. Wants Chromium, and looks
// best with the fonts Inter and P052 (fonts-inter and fonts-urw-base35 on Debian).
import { chromium } from 'playwright-core';
import { chromiumOptions, NO_CHROMIUM } from './chromium.mjs';
import { servePlayground } from './playground.mjs';

const SHOTS = [
  { file: 'playground-scenario', colorScheme: 'light', width: 1280, height: 1180 },
  { file: 'playground-log', colorScheme: 'dark', width: 1280, height: 1180, log: true },
  { file: 'playground-phone', colorScheme: 'light', width: 390, height: 1180 },
];

async function take(browser, url, { file, colorScheme, width, height, log }) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(url);
  await page.waitForSelector('#schemes:not([aria-busy]) tr');
  if (log) {
    await page.click('#tab-log');
    await page.click('#example-log');
    await page.waitForSelector('#kernel-says:not(:empty)');
    await page.waitForSelector('#schemes:not([aria-busy]) tr');
  }
  // The pointer and the focus are not what is to be seen.
  await page.evaluate(() => document.activeElement?.blur());
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `docs/${file}.png` });
  await page.close();
}

const options = chromiumOptions();
if (!options) throw new Error(NO_CHROMIUM);
const server = await servePlayground();
const browser = await chromium.launch(options);
for (const shot of SHOTS) await take(browser, server.url, shot);
await browser.close();
await server.close();
