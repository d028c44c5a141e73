// A real browser on the playground: the system's Chromium, its own server, and everything that must not happen noted.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumOptions, NO_CHROMIUM } from '../../../scripts/chromium.mjs';

const options = chromiumOptions();
/** How long anything may take to come: much, for it bounds only what never comes. */
export const PATIENCE_MS = 120_000;

/** Why nothing here can run; false when it can. */
export const skip = options === null && NO_CHROMIUM;

/** Both ways to serve the page, and the thread that the engine runs in for it. */
export const MODES = [
  { name: 'isolated', args: [], thread: 'thread of its own' },
  { name: 'not isolated', args: ['--no-isolation'], thread: 'thread of this page' },
] as const;

let browser: Promise<Browser> | null = null;
const servers: ChildProcess[] = [];

after(async () => {
  await (await browser)?.close();
  for (const server of servers) server.kill();
});

function launch(): Promise<Browser> {
  browser ??= chromium.launch({ ...options!, timeout: PATIENCE_MS });
  return browser;
}

/** Starts the server of the playground. Resolves to its address. */
export function serve(args: readonly string[] = []): Promise<string> {
  const server = spawn(process.execPath, ['scripts/playground.mjs', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface(server.stdout).on('line', (line) => {
      const [url] = /http:\S+/.exec(line) ?? [];
      if (url) resolve(url);
    });
  });
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`);
}

/** What the cells of every row say, read in one step: a row that is drawn anew between two would be out of the page. */
export function rowsIn(page: Page, selector: string): Promise<string[][]> {
  return page.evaluate((rows) => {
    const found = [...document.querySelectorAll(rows)];
    return found.map((row) => [...row.children].map((cell) => cell.textContent ?? ''));
  }, selector);
}

/** A page, and what happened in it that must not. */
export class Visit {
  readonly complaints: string[] = [];
  /** Every address that it asked for. */
  readonly requests: string[] = [];

  constructor(
    readonly page: Page,
    readonly url: string,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('requestfailed', (request) => this.complaints.push(`failed: ${request.url()}`));
  }

  /** Resolves when the verdict names this task. */
  async victimIs(name: string): Promise<void> {
    const found = this.page.locator('#victim', { hasText: exactly(name) });
    await found.waitFor().catch(async () => {
      assert.fail(`the victim must be ${name}, is ${await this.text('#victim')} ${await this.text('#problem')}`);
    });
  }

  /** Resolves when these words stand somewhere in an element. */
  async saysIn(selector: string, words: string): Promise<void> {
    const found = this.page.locator(selector, { hasText: words });
    await found.waitFor().catch(async () => {
      assert.fail(`${selector} must say ${words}, says ${await this.text(selector)} ${await this.text('#problem')}`);
    });
  }

  async text(selector: string): Promise<string> {
    return ((await this.page.textContent(selector)) ?? '').replace(/\s+/g, ' ').trim();
  }

  rows(selector: string): Promise<string[][]> {
    return rowsIn(this.page, selector);
  }

  /** Pastes a text as the kernel log. */
  async paste(text: string): Promise<void> {
    await this.page.click('#tab-log');
    await this.page.fill('#log', text);
    await this.page.click('#read-log');
  }

  /** Drops a file onto the page. */
  async drop(name: string, content: string | Buffer): Promise<void> {
    const latin1 = Buffer.from(content).toString('latin1');
    await this.page.evaluate(
      ([file, text]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(text, (character) => character.charCodeAt(0))], file));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
      },
      [name, latin1] as const,
    );
  }

  /** Moves a slider as a hand would. */
  async slide(selector: string, value: number): Promise<void> {
    await this.page.fill(selector, String(value));
  }

  /** Nothing was said on the console, and nothing was asked of anybody else. */
  async end(): Promise<void> {
    // What the closing itself breaks off is no complaint.
    const complaints = [...this.complaints];
    await this.page.context().close();
    assert.deepEqual(complaints, []);
    const { origin } = new URL(this.url);
    assert.deepEqual(
      this.requests.filter((url) => new URL(url).origin !== origin && !url.startsWith('data:')),
      [],
    );
  }
}

/** Opens the page at `url` and waits until the first scenario is on the screen, or what the fragment says. */
export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await (await launch()).newContext({
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const visited = new Visit(await context.newPage(), url);
  await visited.page.goto(url);
  await visited.page.waitForSelector('#result:not([hidden]) .body .cells, #problem:not([hidden])');
  return visited;
}
