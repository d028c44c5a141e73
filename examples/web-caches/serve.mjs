// Serves the page and the built package on the loopback: `node examples/web-caches/serve.mjs [port, any]`.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };
const here = new URL('.', import.meta.url);
const dist = new URL('.', import.meta.resolve('badness'));

/** Nothing but files of these two folders, by their bare names. */
function fileOf(path) {
  const name = basename(path);
  if (path === '/') return new URL('index.html', here);
  return new URL(name, path === `/badness/${name}` ? dist : here);
}

async function serve(request, response) {
  const file = fileOf(new URL(request.url, 'http://page').pathname);
  const type = TYPES[extname(fileURLToPath(file))];
  const body = type && (await readFile(file));
  if (!body) throw new Error('no such file');
  response.writeHead(200, { 'content-type': type }).end(body);
}

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.writeHead(404).end());
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
