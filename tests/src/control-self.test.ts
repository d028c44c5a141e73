// Callers who ask for themselves: the kernel says who they are, and strangers may ask for nothing else.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadNative } from '../../src/linux/native.js';
import { ask, get, scene } from './support/control-scene.js';
import { ownFolder } from './support/own-folder.js';

const SELF = '/oom_kill_protection/self';
const { native, reason } = await loadNative();
const skip = native === null && `no native calls: ${reason}`;
const asRoot = skip || (process.getuid?.() !== 0 && 'only root can be somebody else');
const NOBODY = 65_534;

/** Answers each line `METHOD RESOURCE BODY` on its input with status and body of what the server says. */
const CALLER = `
const { request } = require('node:http');
const { createInterface } = require('node:readline');
createInterface({ input: process.stdin }).on('line', (line) => {
  const [method, path, body = ''] = line.split(' ');
  const options = { socketPath: process.argv[1], method, path, headers: { 'content-length': body.length } };
  const sent = request(options, (response) => {
    let text = '';
    response.on('data', (chunk) => { text += chunk; });
    response.on('end', () => console.log(JSON.stringify([response.statusCode, text])));
  });
  sent.on('error', ({ code }) => console.log(JSON.stringify([0, code])));
  sent.end(body);
});
console.log('ready');`;

interface Caller {
  readonly pid: number;
  readonly child: ChildProcess;
  say(line: string): Promise<[status: number, body: string]>;
}

async function caller(t: TestContext, path: string, ids: { uid?: number; gid?: number } = {}): Promise<Caller> {
  const child = spawn(process.execPath, ['-e', CALLER, path], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', ...ids });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return {
    pid: child.pid!,
    child,
    async say(line) {
      child.stdin.write(`${line}\n`);
      const [data] = (await once(child.stdout, 'data')) as [Buffer];
      return JSON.parse(data.toString()) as [number, string];
    },
  };
}

/** A socket in a folder that everybody can get to. */
function openPath(t: TestContext): string {
  const folder = ownFolder(t);
  chmodSync(folder, 0o755);
  return join(folder, 'c.sock');
}

test('self: a caller reads and sets its own protection, and nobody else is touched', { skip }, async (t) => {
  const { path, guard } = await scene(t, { self: true, path: openPath(t) });
  const [one, two] = [await caller(t, path), await caller(t, path)];
  assert.deepEqual(await one.say(`GET ${SELF}`), [200, '0\n']);
  assert.deepEqual(await one.say(`PUT ${SELF} 1`), [204, '']);
  assert.deepEqual(guard.asked, [[one.pid, true]]);
  assert.deepEqual(await one.say(`GET ${SELF}`), [200, '1\n']);
  assert.deepEqual(await two.say(`GET ${SELF}`), [200, '0\n']);
  assert.deepEqual(await one.say(`PUT ${SELF} 0`), [204, '']);
  assert.deepEqual(guard.asked.at(-1), [one.pid, false]);
});

test('self: anything but 0 and 1 is EINVAL, and nothing is changed', { skip }, async (t) => {
  const { path, guard } = await scene(t, { self: true });
  for (const body of ['', '2', '01', 'yes', '1 1', '-1', '1\0', '1\n\n', '1'.padEnd(5000)]) {
    const { status, headers } = await ask(path, 'PUT', SELF, body);
    assert.deepEqual([status, headers['x-badness-error']], [400, 'EINVAL'], JSON.stringify(body));
  }
  assert.deepEqual(guard.asked, []);
  assert.equal((await ask(path, 'PUT', SELF, ' 1\n')).status, 204);
});

test('self: where it was not allowed it is EPERM, also for root', async (t) => {
  const { path, guard } = await scene(t);
  for (const method of ['GET', 'PUT']) {
    const { status, body } = await ask(path, method, SELF, '1');
    assert.equal(status, 403);
    assert.match(body, /^EPERM: /);
  }
  assert.deepEqual(guard.asked, []);
});

test('self: without native calls it is ENOSYS and says why, and the socket lets no strangers in', async (t) => {
  const { path, control } = await scene(t, { self: true, native: 'none' });
  const { status, body } = await ask(path, 'PUT', SELF, '1');
  assert.deepEqual([status, body], [501, 'ENOSYS: the kernel cannot be asked who connected: switched off\n']);
  assert.equal(control.mode, 0o600);
  assert.match(control.notes[0]!, /switched off.*0600/);
});

test('self: a stranger may ask for its own protection, and for nothing else', { skip: asRoot }, async (t) => {
  const { path, guard, control } = await scene(t, { self: true, path: openPath(t) });
  assert.equal(control.mode, 0o666);
  const stranger = await caller(t, path, { uid: NOBODY, gid: NOBODY });
  assert.deepEqual(await stranger.say(`PUT ${SELF} 1`), [204, '']);
  assert.deepEqual(guard.asked, [[stranger.pid, true]]);
  guard.asked.length = 0;
  for (const line of [
    ...[
      'GET /oom',
      'PUT /oom 11',
      'GET /state',
      'GET /rank',
      'GET /events',
      'GET /metrics',
      'POST /round',
      'GET /1/oom',
    ],
    ...[
      'GET /oom_kill_protection/status',
      'POST /oom_kill_protection/ctl setprotection',
      'GET /decisions',
      'GET /explain/40',
    ],
  ]) {
    const [status, body] = await stranger.say(line);
    assert.equal(status, 403, line);
    assert.match(body, /EPERM/, line);
  }
  assert.deepEqual([guard.asked, guard.rounds, guard.queue.count, control.state.readers], [[], 0, 0, 0]);
  assert.equal((await stranger.say('GET /'))[0], 200);
  assert.equal((await get(path, '/oom')).status, 200, 'root may');
});

test('self: members of the group may ask for all, by their own group or by one more', { skip: asRoot }, async (t) => {
  const { path } = await scene(t, { self: true, group: 54_321, path: openPath(t) });
  assert.equal((await (await caller(t, path, { uid: NOBODY, gid: 54_321 })).say('GET /oom'))[0], 200);
  assert.equal((await (await caller(t, path, { uid: NOBODY, gid: 54_322 })).say('GET /oom'))[0], 403);
  const groups = process.getgroups!();
  process.setgroups!([...groups, 54_321]);
  t.after(() => process.setgroups!(groups));
  // Started as root with one group more; only then somebody else. Its groups stay.
  const script = `process.setgid(54322); process.setuid(${NOBODY});${CALLER}`;
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.stdin.write('GET /oom\n');
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  assert.deepEqual(JSON.parse(data.toString()), [200, '\n']);
});

test('self: strangers take at most half of the places, however many they are', { skip: asRoot }, async (t) => {
  const { path, control } = await scene(t, { self: true, path: openPath(t), limits: { connections: 20 } });
  const script = `
const { createConnection } = require('node:net');
const open = () => createConnection(process.argv[1]).on('error', () => {});
for (let count = 0; count < 40; count++) open();
setInterval(() => {}, 1000);
console.log('ready');`;
  const child = spawn(process.execPath, ['-e', script, path], {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], cwd: '/', uid: NOBODY, gid: NOBODY },
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  while (control.state.connections < 10) await new Promise(setImmediate);
  for (let times = 0; times < 50; times++) {
    assert.ok(control.state.connections <= 10, `${control.state.connections}`);
    await new Promise(setImmediate);
  }
  assert.equal((await get(path, '/oom')).status, 200);
});

test('self: a process that has ended is not the one that gets its pid: it is held by a descriptor', {
  skip,
}, async (t) => {
  const { path, guard } = await scene(t, { self: true, path: openPath(t) });
  // The shell connects and hands its connection down to a child; then the shell is gone, and the child asks in its name.
  const script = `
const { createConnection } = require('node:net');
const { spawn } = require('node:child_process');
const socket = createConnection(process.argv[1], () => {
  const code = "const s = new (require('node:net').Socket)({ fd: 3 });" +
    "const ask = () => s.write('PUT ${SELF} HTTP/1.1\\\\r\\\\nHost: b\\\\r\\\\nContent-Length: 1\\\\r\\\\n\\\\r\\\\n1');" +
    "const look = setInterval(() => { if (process.ppid === " + process.pid + ") return; clearInterval(look); setTimeout(ask, 100); }, 10);" +
    "s.on('data', (d) => process.stdout.write(d)); s.on('end', () => process.exit())";
  spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'inherit', 'inherit', socket], detached: true });
  setTimeout(() => process.exit(), 150);
});`;
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await once(child.stdout, 'end');
  assert.match(text, /^HTTP\/1\.1 404 .*X-Badness-Error: ESRCH/s);
  assert.deepEqual(guard.asked, []);
});
