// Where the socket lies: who may use it, what is in the way, and that of two guards one is refused by name.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openControl } from '../../src/control/control.js';
import { groupNamed } from '../../src/control/groups.js';
import { defaultControlPath, findLiveGuard, listenAt } from '../../src/control/place.js';
import { get, scene } from './support/control-scene.js';
import { ownFolder } from './support/own-folder.js';

const modeOf = (path: string) => lstatSync(path).mode & 0o7777;

/** What a guard leaves that was killed: a socket that nobody listens to. */
async function leaveSocket(t: TestContext, path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('on'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(lstatSync(path).isSocket());
}

test('place: the directory is made with 0755 and the socket with 0600, whatever the umask; at the end it is gone', async (t) => {
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  const folder = join(ownFolder(t), 'badness');
  const { control, path } = await scene(t, { path: join(folder, 'c.sock') });
  assert.deepEqual([modeOf(folder), modeOf(path), control.mode], [0o755, 0o600, 0o600]);
  assert.equal(process.umask(), 0o077, 'the umask is as it was');
  await control.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('place: members of a group are let in by 0660, by name or number; a mode may say otherwise', async (t) => {
  const gid = process.getgid!();
  const { path } = await scene(t, { group: gid });
  assert.deepEqual([modeOf(path), statSync(path).gid], [0o660, gid]);
  assert.equal(modeOf((await scene(t, { mode: 0o620, group: gid })).path), 0o620);
  const file = join(ownFolder(t), 'group');
  writeFileSync(file, 'root:x:0:\nwheel:x:17:a,b\nwheels:x:18:\n');
  assert.deepEqual([groupNamed('wheel', file), groupNamed('5', file), groupNamed(6, file)], [17, 5, 6]);
  assert.throws(() => groupNamed('nobody-here', file), RangeError);
  await assert.rejects(scene(t, { mode: 0o1600 }), RangeError);
});

test('place: two guards at one place: the second is refused, and told of the first', async (t) => {
  const { path, guard } = await scene(t);
  await assert.rejects(openControl({ guard, path }), {
    code: 'EADDRINUSE',
    message: `the guard of system, pid ${process.pid}, listens at ${path} already`,
  });
  assert.deepEqual(await findLiveGuard(path), { pid: process.pid, domain: 'system' });
  assert.equal((await get(path, '/oom')).status, 200, 'the first goes on');
});

test('place: one who listens and does not say who it is is not replaced', async (t) => {
  const path = join(ownFolder(t), 'c.sock');
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((listening) => server.listen(path, listening));
  t.after(() => server.close());
  const { guard } = await scene(t);
  await assert.rejects(openControl({ guard, path }), { code: 'EADDRINUSE', message: /^somebody who does not say/ });
});

test('place: a socket that nobody listens to any more is replaced', async (t) => {
  const path = join(ownFolder(t), 'c.sock');
  await leaveSocket(t, path);
  assert.equal(await findLiveGuard(path), null);
  await scene(t, { path });
  assert.equal((await get(path, '/oom')).status, 200);
  assert.deepEqual(readdirSync(join(path, '..')), ['c.sock']);
});

test('place: of many guards that find a stale socket at the same time one gets the place', async (t) => {
  const path = join(ownFolder(t), 'c.sock');
  for (let times = 0; times < 5; times++) {
    await leaveSocket(t, path);
    const { guard } = await scene(t);
    const opened = await Promise.allSettled(Array.from({ length: 8 }, () => openControl({ guard, path })));
    const controls = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(controls.length, 1);
    for (const one of opened) if (one.status === 'rejected') assert.equal(one.reason.code, 'EADDRINUSE');
    assert.equal((await get(path, '/oom')).status, 200);
    await controls[0]!.close();
  }
});

test('place: a link, a file or a directory in the place of the socket is left alone and refused', async (t) => {
  const folder = ownFolder(t);
  const { guard, path: elsewhere } = await scene(t);
  const path = join(folder, 'c.sock');
  for (const plant of [
    () => symlinkSync(elsewhere, path),
    () => symlinkSync(join(folder, 'nowhere'), path),
    () => writeFileSync(path, 'mine'),
    () => mkdirSync(path),
  ]) {
    plant();
    const before = lstatSync(path);
    await assert.rejects(openControl({ guard, path }), { code: 'EEXIST' });
    assert.equal(lstatSync(path).ino, before.ino);
    assert.equal(existsSync(join(folder, 'nowhere')), false, 'nothing was made behind the link');
    renameSync(path, join(folder, `was-${before.ino}`));
  }
});

test('place: a directory that others may write to, or that is a link, is refused; one like /tmp is not', async (t) => {
  const folder = ownFolder(t);
  const { guard } = await scene(t);
  const real = join(folder, 'real');
  mkdirSync(real);
  symlinkSync(real, join(folder, 'link'));
  await assert.rejects(openControl({ guard, path: join(folder, 'link', 'c.sock') }), { code: 'EPERM' });
  chmodSync(real, 0o777);
  await assert.rejects(openControl({ guard, path: join(real, 'c.sock') }), { code: 'EPERM', message: /777$/ });
  assert.deepEqual(readdirSync(real), []);
  chmodSync(real, 0o1777);
  await scene(t, { path: join(real, 'c.sock') });
});

test('place: where the permissions cannot be had nobody listens, and nothing is left', async (t) => {
  const path = join(ownFolder(t), 'c.sock');
  const server = createServer();
  t.after(() => server.close());
  await assert.rejects(listenAt(server, path, -1, null), RangeError);
  assert.deepEqual([server.listening, existsSync(path)], [false, false]);
});

test('place: a path that a socket cannot have is refused, not cut off', async (t) => {
  const folder = ownFolder(t);
  const { guard } = await scene(t);
  const longest = join(folder, 'x'.repeat(107 - folder.length - 1));
  await scene(t, { path: longest });
  await assert.rejects(openControl({ guard, path: `${longest}x` }), { code: 'ENAMETOOLONG' });
});

test('place: root has one for the machine, a user one in its runtime directory, or none', () => {
  assert.equal(defaultControlPath(0, { XDG_RUNTIME_DIR: '/x' }), '/run/badness/control.sock');
  assert.equal(defaultControlPath(1000, { XDG_RUNTIME_DIR: '/run/user/1000' }), '/run/user/1000/badness/control.sock');
  assert.equal(defaultControlPath(1000, {}), null);
  assert.equal(defaultControlPath(1000, { XDG_RUNTIME_DIR: 'relative' }), null);
});
