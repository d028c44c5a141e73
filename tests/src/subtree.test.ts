// Who is a member of a subtree, from trees of processes as /proc shows them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plantCookie } from '../../src/linux/subtree-cookie.js';
import { COOKIE, ENVIRON, ROOT, Scene, UID } from './support/subtree-scene.js';

test('subtree: descendants are members, whatever the order of their pids; the root is not one to be chosen', (t) => {
  const scene = new Scene(t);
  // 90 is the child of 130, which is the child of 120.
  scene.put({ pid: 120, ppid: ROOT }, { pid: 130, ppid: 120, start: 1300 }, { pid: 90, ppid: 130, start: 1400 });
  scene.put({ pid: 60, ppid: 50, start: 1200 }, { pid: 1000, ppid: 90, start: 1400 });
  assert.deepEqual(scene.look(), ['1000', '120', '130', '90']);
  assert.equal(scene.members.everyone()[0]?.pid, ROOT);
  assert.equal(scene.members.everyone().length, 5);
  assert.equal(scene.members.has(ROOT), false);
  assert.equal(scene.members.has(90), true);
  assert.equal(scene.members.has(60), false);
});

test('subtree: the list stays the same object while nobody comes or goes', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 120, ppid: ROOT });
  const first = scene.look();
  assert.equal(scene.look(), first);
  scene.put({ pid: 121, ppid: ROOT });
  assert.deepEqual(scene.look(), ['120', '121']);
});

test('subtree: a member stays one when its parent is gone, and so do the children it has later', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 120, ppid: ROOT, sid: 40 }, { pid: 121, ppid: 120, sid: 40 });
  scene.look();
  scene.proc.end(120);
  scene.put({ pid: 121, ppid: 1, sid: 40 });
  assert.deepEqual(scene.look(), ['121']);
  scene.put({ pid: 122, ppid: 121, sid: 40 });
  assert.deepEqual(scene.look(), ['121', '122']);
});

test('subtree: nobody older than the root is a member', (t) => {
  const scene = new Scene(t, { cookie: COOKIE });
  scene.put({ pid: 120, ppid: ROOT, start: 999 }, { pid: 121, ppid: ROOT, start: 1000 });
  scene.put({ pid: 122, ppid: 1, start: 999, environ: ENVIRON });
  assert.deepEqual(scene.look(), ['121']);
});

test('subtree: the session of the terminal that the root was started in is not its own', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 60, ppid: 50, sid: 40, start: 1200 }, { pid: 61, ppid: 1, sid: 40, start: 1200 });
  assert.deepEqual(scene.look(), []);
});

test('subtree: a session that the root or a member made is', (t) => {
  const scene = new Scene(t, {}, { sid: ROOT });
  scene.put({ pid: 110, ppid: 1, sid: ROOT }, { pid: 120, ppid: ROOT }, { pid: 121, ppid: 1, sid: 120 });
  assert.deepEqual(scene.look(), ['110', '120', '121']);
});

test('subtree: a group that a member made is; that of the root is not, a shell puts strangers into it', (t) => {
  const scene = new Scene(t);
  const terminal = { sid: 40, start: 1200 };
  scene.put({ pid: 60, ppid: 50, pgrp: ROOT, ...terminal }, { pid: 120, ppid: ROOT, ...terminal });
  scene.put({ pid: 121, ppid: 1, pgrp: 120, ...terminal });
  assert.deepEqual(scene.look(), ['120', '121']);
});

test('subtree: a session outlives the member that made it, while a member is in it', (t) => {
  const scene = new Scene(t);
  scene.told(121, 200);
  scene.put({ pid: 120, ppid: ROOT }, { pid: 121, ppid: 120, sid: 120 });
  scene.look();
  scene.proc.end(120);
  scene.put({ pid: 121, ppid: 1, sid: 120 });
  scene.told(122, 201);
  scene.look();
  // Every pid is in doubt now: only 121 proves that the session is the one that 120 made.
  scene.told(122, 99_999);
  scene.put({ pid: 122, ppid: 1, sid: 120 });
  assert.deepEqual(scene.look(), ['121', '122']);
});

test('subtree: the session of a member that is gone counts while its pid was not handed out again', (t) => {
  for (const [last, forks, expected] of [
    [125, 205, ['124']],
    [119, 99_999, []],
  ] as const) {
    const scene = new Scene(t);
    scene.told(120, 200);
    scene.put({ pid: 120, ppid: ROOT });
    assert.deepEqual(scene.look(), ['120']);
    scene.proc.end(120);
    scene.put({ pid: 124, ppid: 1, sid: 120 });
    scene.told(last, forks);
    assert.deepEqual(scene.look(), expected, `last pid ${last}`);
  }
});

test('subtree: a session number is forgotten with the last member in it', (t) => {
  const scene = new Scene(t);
  scene.told(121, 200);
  scene.put({ pid: 120, ppid: ROOT }, { pid: 121, ppid: ROOT, sid: 120 });
  scene.look();
  scene.proc.end(120);
  scene.told(122, 201);
  assert.deepEqual(scene.look(), ['121']);
  // It leaves for a session of its own: nobody we know is in 120 any more.
  scene.put({ pid: 121, ppid: ROOT, sid: 121 });
  scene.told(123, 202);
  scene.look();
  scene.told(120, 990);
  scene.look();
  scene.told(124, 994);
  scene.put({ pid: 124, ppid: 1, sid: 120 });
  assert.deepEqual(scene.look(), ['121']);
});

test('subtree: the cookie finds a process whose parents were never seen', (t) => {
  const scene = new Scene(t, { cookie: COOKIE });
  const other = COOKIE.replace('0', 'f');
  scene.put({ pid: 120, ppid: 1, environ: ENVIRON });
  scene.put({ pid: 121, ppid: 1, environ: `BADNESS_SUBTREE=${other}:${COOKIE}\0` });
  scene.put({ pid: 122, ppid: 1, environ: `BADNESS_SUBTREE=${other}\0` });
  scene.put({ pid: 123, ppid: 1, environ: `MADNESS_SUBTREE=${COOKIE}\0NOTE=${COOKIE}\0` });
  scene.put({ pid: 124, ppid: 1, environ: `BADNESS_SUBTREE=${COOKIE}0\0` });
  assert.deepEqual(scene.look(), ['120', '121']);
});

test('subtree: without a cookie such a process escapes, with or without one in its environment', (t) => {
  const scene = new Scene(t);
  scene.put({ pid: 120, ppid: 1, environ: ENVIRON });
  assert.deepEqual(scene.look(), []);
});

test('subtree: who cleared its environment is found by the parent that has the cookie', (t) => {
  const scene = new Scene(t, { cookie: COOKIE });
  scene.put({ pid: 120, ppid: 121, start: 1900, environ: 'A=1\0' }, { pid: 121, ppid: 1, environ: ENVIRON });
  assert.deepEqual(scene.look(), ['120', '121']);
});

test('subtree: only environments of the user of the root are read', (t) => {
  const scene = new Scene(t, { cookie: COOKIE }, { uid: UID + 1 });
  scene.put({ pid: 120, ppid: 1, environ: ENVIRON });
  assert.deepEqual(scene.look(), []);
});

test('subtree: an environment that is empty in the middle of an execve is read again, and who came from there is found', (t) => {
  const scene = new Scene(t, { cookie: COOKIE });
  scene.told(121, 200);
  scene.put({ pid: 120, ppid: 1, environ: '' }, { pid: 121, ppid: 120, start: 1900, environ: 'A=1\0' });
  assert.deepEqual(scene.look(), []);
  scene.proc.file('120/environ', ENVIRON);
  scene.look();
  assert.deepEqual(scene.look(), ['120', '121']);
});

test('subtree: an environment that stays empty is not read for ever, nor one that is not', (t) => {
  const scene = new Scene(t, { cookie: COOKIE });
  scene.told(121, 200);
  scene.put({ pid: 120, ppid: 1, environ: '' }, { pid: 121, ppid: 1, environ: 'A=1\0' });
  scene.look();
  scene.proc.file('121/environ', ENVIRON);
  for (let looks = 0; looks < 8; ++looks) scene.look();
  scene.proc.file('120/environ', ENVIRON);
  assert.deepEqual(scene.look(), []);
});

test('cookie: planted once in an environment, beside that of a subtree around it', () => {
  const environment: NodeJS.ProcessEnv = {};
  const cookie = plantCookie(environment);
  assert.match(cookie, /^[0-9a-f]{32}$/);
  assert.equal(environment.BADNESS_SUBTREE, cookie);
  assert.equal(plantCookie(environment), cookie);
  assert.equal(environment.BADNESS_SUBTREE, cookie);
  const inherited = { ...environment };
  const inner = plantCookie(inherited);
  assert.notEqual(inner, cookie);
  assert.equal(inherited.BADNESS_SUBTREE, `${cookie}:${inner}`);
  environment.BADNESS_SUBTREE = '';
  assert.equal(plantCookie(environment), cookie);
  assert.equal(environment.BADNESS_SUBTREE, cookie, 'put back where somebody removed it');
});
