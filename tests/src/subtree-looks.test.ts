// What a look at a subtree reads, and what it makes of processes that come, go, and leave their pid to others.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SubtreeMembers, type SubtreeOptions } from '../../src/linux/subtree.js';
import { Member } from '../../src/linux/subtree-member.js';
import { COOKIE, ENVIRON, ROOT, Scene } from './support/subtree-scene.js';

test('subtree: /proc is listed only when something was forked', (t) => {
  const scene = new Scene(t);
  scene.told(110, 200);
  scene.look();
  scene.put({ pid: 120, ppid: ROOT });
  assert.deepEqual(scene.look(), []);
  scene.told(120, 201);
  assert.deepEqual(scene.look(), ['120']);
});

test('subtree: a stranger is read once, and again when its pid may be another process', (t) => {
  const scene = new Scene(t);
  scene.told(130, 200);
  scene.put({ pid: 120, ppid: 1 }, { pid: 121, ppid: 1 });
  scene.look();
  // No process changes its parent so; but these files show whether they are read.
  scene.put({ pid: 120, ppid: ROOT, start: 5000 }, { pid: 121, ppid: ROOT });
  scene.told(131, 201);
  assert.deepEqual(scene.look(), [], 'not handed out');
  scene.told(125, 201 + 32_762);
  assert.deepEqual(scene.look(), ['120'], 'handed out, and only one has another start');
});

test('subtree: a stranger that is not listed once is forgotten', (t) => {
  const scene = new Scene(t);
  scene.told(130, 200);
  scene.put({ pid: 120, ppid: 1 });
  scene.look();
  scene.proc.end(120);
  scene.told(131, 201);
  scene.look();
  scene.put({ pid: 120, ppid: ROOT });
  scene.told(132, 202);
  assert.deepEqual(scene.look(), ['120']);
});

for (const maxDescriptors of [100, 0]) {
  test(`subtree: another process with the pid of a member is none (${maxDescriptors} descriptors)`, (t) => {
    const scene = new Scene(t, { maxDescriptors });
    scene.put({ pid: 120, ppid: ROOT }, { pid: 121, ppid: ROOT }, { pid: 122, ppid: ROOT });
    assert.deepEqual(scene.look(), ['120', '121', '122']);
    assert.equal(scene.members.kernelCost.descriptors, maxDescriptors === 0 ? 1 : 4);
    for (const pid of [120, 121, 122]) scene.proc.end(pid);
    scene.put({ pid: 120, ppid: 1, start: 5000 }, { pid: 121, ppid: ROOT, start: 5000 });
    assert.equal(scene.members.has(120), false);
    assert.deepEqual(scene.look(), ['121'], 'it is judged anew');
    assert.equal(scene.members.has(121), true);
    assert.equal(scene.members.has(122), false);
  });
}

test('subtree: a look that fails leaves nobody out of the next', (t) => {
  const scene = new Scene(t);
  scene.told(130, 200);
  scene.put({ pid: 120, ppid: 1 }, { pid: 121, ppid: ROOT }, { pid: 122, ppid: ROOT, sid: 121 });
  assert.deepEqual(scene.look(), ['121', '122']);
  // The pids go round: 120 is another by now, 121 may be. And then something cannot be read.
  scene.proc.end(120);
  scene.proc.end(121);
  scene.put({ pid: 120, ppid: ROOT, start: 5000 });
  mkdirSync(join(scene.proc.root, '119/stat'), { recursive: true });
  scene.told(125, 200 + 32_763);
  assert.throws(() => scene.look(), { code: 'EISDIR' });
  rmSync(join(scene.proc.root, '119'), { recursive: true });
  scene.put({ pid: 126, ppid: 1, sid: 121, start: 5000 });
  scene.proc.end(122);
  scene.told(126, 200 + 32_764);
  assert.deepEqual(scene.look(), ['120']);
});

test('subtree: processes that vanish while they are looked at are left out', (t) => {
  const scene = new Scene(t, { cookie: COOKIE });
  const files = ['stat', 'statm', 'environ', 'status'];
  for (const [index, file] of files.entries()) {
    scene.put({ pid: 120 + index, ppid: index % 2 ? ROOT : 1, environ: ENVIRON });
    scene.proc.drop(120 + index, file);
  }
  scene.put({ pid: 130, ppid: ROOT }, { pid: 131, ppid: ROOT });
  scene.proc.file('130/stat', 'nonsense');
  // 123 has lost a file that nobody reads here.
  assert.deepEqual(scene.look(), ['123', '131']);
});

test('subtree: a member found gone between looks is listed no more', (t) => {
  const scene = new Scene(t);
  scene.told(130, 200);
  scene.put({ pid: 120, ppid: ROOT }, { pid: 121, ppid: ROOT });
  scene.look();
  scene.proc.end(120);
  assert.deepEqual(scene.look(), ['120', '121'], 'nothing was forked, nobody asked');
  assert.equal(scene.members.has(120), false);
  assert.deepEqual(scene.look(), ['121']);
});

test('subtree: when the root is gone the subtree is, whoever is left', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 120, ppid: ROOT });
  assert.deepEqual([scene.look(), scene.members.state], [['120'], 'alive']);
  scene.proc.end(ROOT);
  assert.deepEqual([scene.look(), scene.members.state], [[], 'root_gone']);
  assert.deepEqual(scene.members.everyone(), []);
  assert.equal(scene.members.has(120), false);
  scene.put({ pid: ROOT, ppid: 1 });
  assert.deepEqual([scene.look(), scene.members.state], [[], 'root_gone'], 'another with its pid is not it');
});

test('subtree: a root that nobody waits for is gone, one whose threads go on is not', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 120, ppid: ROOT }, { pid: ROOT, ppid: 50, state: 'Z', threads: 3, mm: false, start: 1000 });
  assert.deepEqual([scene.look(), scene.members.state], [['120'], 'alive']);
  scene.put({ pid: ROOT, ppid: 50, state: 'Z', threads: 1, mm: false, start: 1000 });
  assert.deepEqual([scene.look(), scene.members.state], [[], 'root_gone']);
});

test('subtree: closed, it keeps no descriptor and has no member', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 120, ppid: ROOT });
  scene.look();
  assert.equal(scene.members.kernelCost.descriptors, 2);
  scene.members.close();
  scene.members.close();
  assert.equal(scene.members.kernelCost.descriptors, 0);
  assert.deepEqual([scene.look(), scene.members.state], [[], 'closed']);
});

test('subtree: what cannot be a root or a cookie is refused by name', (t) => {
  const { proc } = new Scene(t);
  const make = (options: SubtreeOptions) => () => new SubtreeMembers({ procRoot: proc.root, ...options });
  for (const root of [0, -1, 1.5, Number.NaN, 4_194_305]) assert.throws(make({ root }), RangeError);
  for (const cookie of ['', 'x', COOKIE.slice(1), `${COOKIE}0`]) {
    assert.throws(make({ root: ROOT, cookie }), /RangeError: cookie must be 32 hexadecimal digits/);
  }
  assert.throws(make({ root: 4000 }), { code: 'ESRCH', message: /there is no 4000/ });
});

test('subtree: a process that cannot be read keeps no descriptor', { skip: process.platform !== 'linux' }, (t) => {
  const { proc } = new Scene(t);
  proc.put({ pid: 140 });
  proc.drop(140, 'stat');
  // As with the last descriptor of this process: one file opens and the other does not.
  mkdirSync(join(proc.root, '140/stat'));
  const before = readdirSync('/proc/self/fd').length;
  assert.throws(() => Member.hold(proc.root, 140, 100, true), { code: 'EISDIR' });
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
