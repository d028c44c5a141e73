// Serves dist/playground/ on 127.0.0.1: `npm run playground -- [--port N] [--no-isolation]`. Cross-origin isolation lets the
// page use a worker with shared memory; without it everything runs in the page's own thread, as on a host that sends no headers.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Starts a server of the files in dist/playground/ as they are now, which knows no others. Port 0 takes any.
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function servePlayground({ port = 0, isolation = true } = {}) {
  const root = fileURLToPath(new URL('../dist/playground/', import.meta.url));
  const files = new Map(readdirSync(root).map((name) => [`/${name}`, readFileSync(`${root}${name}`)]));
  files.set('/', files.get('/index.html'));
  const server = createServer(({ method, url }, response) => {
    const path = (url ?? '/').replace(/[?#].*$/, '');
    const body = files.get(path);
    const headers = {
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      ...(isolation ? ISOLATION : {}),
    };
    if (!body || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(body ? 405 : 404, headers).end();
      return;
    }
    const type = TYPES[extname(path === '/' ? '/index.html' : path)];
    response.writeHead(200, { ...headers, 'content-type': type, 'content-length': body.length });
    response.end(method === 'HEAD' ? undefined : body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '8025' }, 'no-isolation': { type: 'boolean', default: false } },
  });
  const { url } = await servePlayground({ port: Number(values.port), isolation: !values['no-isolation'] });
  console.log(`the playground is at ${url} (Ctrl-C ends it)`);
}
