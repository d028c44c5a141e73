// Clients that are many, slow, broken or half there: they are refused or dropped in time, memory does not grow, and others are answered.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { LIMITS } from '../../src/control/limits.js';
import { ask, get, RawClient, report, scene, within } from './support/control-scene.js';

function raw(t: TestContext, path: string, text = ''): RawClient {
  const client = new RawClient(path);
  t.after(() => client.socket.destroy());
  if (text) client.socket.write(text);
  return client;
}

/** Connects; the kernel's queue of those that wait to be let in may be full for a moment. */
async function connect(path: string): Promise<Socket> {
  for (;;) {
    const socket = createConnection(path);
    const connected = await new Promise<boolean>((done) => {
      socket.once('connect', () => done(true));
      socket.on('error', () => done(false));
    });
    if (connected) return socket;
    await new Promise(setImmediate);
  }
}

/** Ten at a time: a server lets one in each turn of its event loop. */
async function connectMany(t: TestContext, path: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 10 }, () => connect(path)))));
  }
  return sockets;
}

/** The longest that this thread was held up while something went on, in ms. */
async function longestStall(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = performance.now();
  let over = false;
  const end = work.finally(() => {
    over = true;
  });
  while (!over) {
    await new Promise(setImmediate);
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  }
  await end;
  return longest;
}

test('limits: a thousand idle connections keep nobody out; there are never more than there is room for', async (t) => {
  const { path, control } = await scene(t);
  await within(connectMany(t, path, 1000));
  // All of them are in, and all but the last have given way.
  while (control.state.connections < LIMITS.connections) await new Promise(setImmediate);
  for (let times = 0; times < 5; times++) {
    const { status } = await within(get(path, '/oom'));
    assert.equal(status, 200);
    assert.ok(control.state.connections <= LIMITS.connections, `${control.state.connections}`);
  }
});

test('limits: idle connections are dropped in time', async (t) => {
  const { path, control } = await scene(t, { limits: { headersMs: 300, idleMs: 300 } });
  const idle = raw(t, path);
  await within(idle.ended);
  while (control.state.connections > 0) await new Promise(setImmediate);
});

test('limits: headers and bodies that come drop by drop are not waited for', async (t) => {
  const { path } = await scene(t, { limits: { headersMs: 400, requestMs: 800 } });
  for (const head of [
    'GET /oom HTTP/1.1\r\nHost: b\r\nX: ',
    'PUT /oom HTTP/1.1\r\nHost: b\r\nContent-Length: 60000\r\n\r\n',
  ]) {
    const client = raw(t, path, head);
    const drops = setInterval(() => client.socket.writable && client.socket.write('1'), 50);
    await within(client.ended).finally(() => clearInterval(drops));
    assert.match(client.text, /^HTTP\/1\.1 408 .*X-Badness-Error: ETIMEDOUT\r\n.*\r\n\r\nETIMEDOUT: [^\n]+\n$/s);
  }
});

test('limits: a body that never comes changes nothing and is given up', async (t) => {
  const { path } = await scene(t, { limits: { requestMs: 500 } });
  await ask(path, 'PUT', '/oom', '77');
  const client = raw(t, path, 'PUT /oom HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n11');
  await within(client.ended);
  assert.equal((await get(path, '/oom')).body, '77\n');
});

test('limits: a client that goes in the middle of its body changes nothing', async (t) => {
  const { path, control } = await scene(t);
  await ask(path, 'PUT', '/oom', '77');
  const client = raw(t, path, 'PUT /oom HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n11 ');
  while (control.state.connections === 0) await new Promise(setImmediate);
  client.socket.destroy();
  while (control.state.connections > 0) await new Promise(setImmediate);
  assert.equal((await get(path, '/oom')).body, '77\n');
});

test('limits: one that has sent its request and shut its side down gets its answer', async (t) => {
  const { path } = await scene(t);
  const client = raw(t, path);
  client.socket.end('GET /oom HTTP/1.1\r\nHost: b\r\n\r\n');
  await within(client.ended);
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\n$/s);
});

test('limits: what is not HTTP is told so, and no more is read', async (t) => {
  const { path } = await scene(t);
  for (const text of [
    '\0\0\0\0',
    'setprotection 5 1\n',
    'GET /oom HTTP/1.1\r\n\r\n',
    'PUT /oom HTTP/1.1\r\nHost: b\r\nContent-Length: -1\r\n\r\n',
  ]) {
    const client = raw(t, path, text);
    await within(client.ended);
    assert.match(client.text, /^HTTP\/1\.1 400 /, JSON.stringify(text));
  }
  for (const target of ['*', 'http://elsewhere/oom', '//oom', 'oom']) {
    const client = raw(t, path, `GET ${target} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n`);
    await within(client.ended);
    assert.match(client.text, /^HTTP\/1\.1 40[04] /, target);
  }
});

test('limits: headers of more than 8 KiB are refused by name', async (t) => {
  const { path } = await scene(t);
  const client = raw(t, path, `GET /oom HTTP/1.1\r\nHost: b\r\nX: ${'x'.repeat(9000)}\r\n\r\n`);
  await within(client.ended);
  assert.match(client.text, /^HTTP\/1\.1 431 .*X-Badness-Error: EMSGSIZE/s);
});

/** Sends a body without saying how long it is. The status, or the errno when it was cut off. */
function sendChunks(path: string, chunks: number): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request({ socketPath: path, path: '/oom', method: 'PUT' }, (response) => {
      response.resume();
      resolve(response.statusCode!);
      sent.destroy();
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code!));
    let left = chunks;
    const more = () => {
      if (sent.destroyed) return;
      if (left-- === 0) sent.end();
      else sent.write(' '.repeat(16_384), () => setImmediate(more));
    };
    more();
  });
}

test('limits: a body without a length is counted as it comes, and refused above 64 KiB', async (t) => {
  const { path } = await scene(t);
  await ask(path, 'PUT', '/oom', '77');
  assert.equal(await within(sendChunks(path, 5)), 413);
  assert.equal(await within(sendChunks(path, 60)), 413);
  assert.match(String(await within(sendChunks(path, Number.POSITIVE_INFINITY))), /^(413|EPIPE|ECONNRESET)$/);
  assert.equal((await get(path, '/oom')).body, '77\n');
  assert.equal(await within(sendChunks(path, 4)), 200);
});

test('limits: of requests sent ahead only the first is answered, and the thread is not held up by the rest', async (t) => {
  const { path, guard } = await scene(t);
  const one = 'GET /rank?limit=0 HTTP/1.1\r\nHost: b\r\n\r\n';
  const client = raw(t, path, one.repeat(20_000));
  const stall = await longestStall(within(client.ended));
  assert.equal(client.text.match(/HTTP\/1\.1 200/g)?.length, 1);
  assert.equal(guard.rankings, 1);
  assert.ok(stall < 10_000, `${stall} ms`);
});

test('limits: a request that is sent ahead is not carried out, however long the first takes', async (t) => {
  const { path, guard } = await scene(t);
  let ranked = () => {};
  guard.onRank = () =>
    new Promise((resolve) => {
      ranked = resolve;
    });
  const second = 'PUT /oom HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n55';
  const client = raw(t, path, `GET /rank HTTP/1.1\r\nHost: b\r\n\r\n${second}`);
  while (guard.rankings === 0) await new Promise(setImmediate);
  assert.equal((await get(path, '/oom')).body, '\n');
  ranked();
  await within(client.ended);
  assert.equal((await get(path, '/oom')).body, '\n');
  assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1);
});

test('limits: clients that do not take their answers share them, and are dropped', async (t) => {
  const { path, control } = await scene(t, { limits: { idleMs: 500 } });
  const passedOver = Array.from({ length: 4096 }, (_, tgid) => ({ tgid, reason: 'not there' as const }));
  for (let atMs = 1; atMs <= 6; atMs++) {
    control.hear({ kind: 'round', atMs, level: 'kill', report: report({ passedOver }), repeated: 0 });
  }
  const before = process.memoryUsage().rss;
  const clients = await connectMany(t, path, 100);
  for (const socket of clients) {
    socket.pause();
    socket.write('GET /decisions HTTP/1.1\r\nHost: b\r\n\r\n');
  }
  while (control.state.requests < 100) await new Promise(setImmediate);
  assert.ok(control.state.connections >= 100, 'they hang on: what they asked for is more than a socket holds');
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 60, `${grown} MiB for a hundred answers of a mebibyte`);
  assert.equal((await within(get(path, '/oom'))).status, 200);
  const gone = (async () => {
    while (control.state.connections > 0) await new Promise((later) => setTimeout(later, 20));
  })();
  await within(gone);
});

test('limits: a request that takes long holds up no other, and is not taken for idle', async (t) => {
  const { path, guard, control } = await scene(t, { limits: { idleMs: 200, connections: 4 } });
  let ranked = () => {};
  guard.onRank = () =>
    new Promise((resolve) => {
      ranked = resolve;
    });
  const long = get(path, '/rank');
  while (guard.rankings === 0) await new Promise(setImmediate);
  await connectMany(t, path, 20);
  assert.equal((await within(get(path, '/oom'))).status, 200);
  await new Promise((later) => setTimeout(later, 600));
  assert.ok(control.state.connections >= 1);
  ranked();
  assert.equal((await within(long)).status, 200);
});

test('limits: memory does not grow with the number of clients that came and went', async (t) => {
  const { path, control } = await scene(t);
  const burst = async () => {
    const sockets = await connectMany(t, path, 300);
    for (const socket of sockets) socket.write('PUT /oom HTTP/1.1\r\nHost: b\r\nContent-Length: 65536\r\n\r\n1 1 1');
    await get(path, '/oom');
    for (const socket of sockets) socket.destroy();
    while (control.state.connections > 0) await new Promise(setImmediate);
  };
  await burst();
  const before = process.memoryUsage().rss;
  for (let times = 0; times < 10; times++) await burst();
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  // 3,000 connections; the client's side of them is in the same process.
  assert.ok(grown < 100, `${grown} MiB`);
});
