// docs/control.md says what there is: resources, errors, limits; and its program runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { test } from 'node:test';
import { LIMITS } from '../../src/control/limits.js';
import { loadNative } from '../../src/linux/native.js';
import { get, scene, within } from './support/control-scene.js';
import { runExample } from './support/doc-example.js';

const page = readFileSync('docs/control.md', 'utf8');
const { native } = await loadNative();

test('control.md: its table of resources is what GET / lists', async (t) => {
  const { path } = await scene(t);
  const listed = (await get(path, '/')).body
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ +(?=\/)/));
  const told = Array.from(page.matchAll(/^\| `(\/\S*)` \| ([A-Z, ]+) \|/gm), ([, name, methods]) => [methods!, name!]);
  assert.deepEqual(told, listed);
});

test('control.md: its limits are those of the server', () => {
  const { connections, readers, headerBytes, headersMs, bodyBytes, requestMs, idleMs, backlogBytes } = LIMITS;
  for (const words of [
    ...[`| connections | ${connections};`, `| readers of events among them | ${readers} |`],
    ...[`| headers | ${headerBytes / 1024} KiB, within ${headersMs / 1000} s |`, `${readers} listen to events already`],
    ...[`| a body | ${bodyBytes / 1024} KiB, within ${requestMs / 1000} s`, `is dropped after ${idleMs / 1000} s`],
    `Who is ${backlogBytes / 1024} KiB behind`,
  ]) {
    assert.ok(page.includes(words), words);
  }
});

test('control.md: its program protects whoever runs it', { skip: native === null && 'no native calls' }, async (t) => {
  const { path, guard } = await scene(t, { self: true });
  const status = new Promise((answered) => {
    void runExample(page, { 'node:http': { request } }, { socketPath: path, answered });
  });
  assert.equal(await within(status), 204);
  assert.deepEqual(guard.asked, [[process.pid, true]]);
});
