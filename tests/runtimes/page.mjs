// Runs the suite in a web page: serves the folder on the loopback, opens it in a browser without a window, and takes what the page posts.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';

const PAGE_MS = 600_000;
const KINDS = { js: 'text/javascript', json: 'application/json', wasm: 'application/wasm' };
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** The package under its own names, as an application would map them. */
function page() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const entries = Object.entries(exports).filter(([, target]) => target.default);
  const imports = Object.fromEntries(
    entries.map(([name, target]) => [name.replace(/^\./, 'badness'), `/node_modules/badness/${target.default}`]),
  );
  return `<!doctype html><title>badness</title><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  const post = (text) => fetch('/result', { method: 'POST', body: text });
  try {
    const names = await (await fetch('/files.json')).json();
    const bytes = async (name) => [name, new Uint8Array(await (await fetch('/files/' + name)).arrayBuffer())];
    globalThis.badnessFiles = Object.fromEntries(await Promise.all(names.map(bytes)));
    const { runSuite } = await import('/suite.js');
    const run = await runSuite(await (await fetch('/asks.json')).json());
    await post(JSON.stringify({ ...run, isolated: crossOriginIsolated, agent: navigator.userAgent }));
  } catch (error) {
    await post(JSON.stringify({ failed: String(error?.stack ?? error) }));
  }
</script>`;
}

function answer(folder, headers, request, response) {
  const path = normalize(new URL(request.url, 'http://page').pathname);
  if (path === '/') return response.writeHead(200, { 'Content-Type': 'text/html', ...headers }).end(page());
  const file = join(folder, path);
  if (!existsSync(file)) return response.writeHead(404).end();
  const kind = KINDS[file.split('.').at(-1)] ?? 'text/plain';
  response.writeHead(200, { 'Content-Type': kind, ...headers }).end(readFileSync(file));
}

/** What the page posted. */
function bodyOf(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => resolve(Buffer.concat(parts).toString()));
    request.on('error', reject);
  });
}

/** Starts the browser on `url`; the function that ends it and all that it started. */
function openBrowser(browser, url) {
  const profile = mkdtempSync(join(tmpdir(), 'badness-profile-'));
  const quiet = ['--no-first-run', '--disable-gpu', '--disable-extensions', '--disable-background-networking'];
  // Its sandbox wants rights that root in a container does not have; the page is our own.
  const args = [
    '--headless=new',
    '--no-sandbox',
    '--disable-dev-shm-usage',
    ...quiet,
    `--user-data-dir=${profile}`,
    url,
  ];
  const child = spawn(browser, args, { stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** Runs the suite of `folder` in `browser`, in a page that is isolated from other origins or not. */
export async function runInPage(browser, folder, isolated) {
  const headers = isolated ? ISOLATED : {};
  let posted = () => {};
  const result = new Promise((resolve) => {
    posted = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') return answer(folder, headers, request, response);
    posted(await bodyOf(request));
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = openBrowser(browser, `http://127.0.0.1:${server.address().port}/`);
  const late = new Promise((_, reject) => {
    setTimeout(reject, PAGE_MS, new Error(`the page posted nothing in ${PAGE_MS / 1000} s`)).unref();
  });
  try {
    const run = JSON.parse(await Promise.race([result, late]));
    if (run.failed) throw new Error(`the page failed: ${run.failed}`);
    if (run.isolated !== isolated)
      throw new Error(`the page should have been isolated: ${isolated}, is ${run.isolated}`);
    return run;
  } finally {
    await close();
    server.closeAllConnections();
    server.close();
  }
}
