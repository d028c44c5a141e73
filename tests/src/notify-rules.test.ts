// Whom a policy wants to be told: a web address on loopback, a program; in time, and without a shell.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ruleNotifier } from '../../src/linux/notify-rules.js';
import { FileTree } from './support/pressure-fixtures.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const never = new AbortController().signal;
const VICTIM = { tgid: 4711, comm: 'a"b;$(c)', uid: 1000, points: 5, expectedBytes: 7 };
const PRESSURE = { domain: 'system', round: 1, availableBytes: 1, totalBytes: 2 };
const END = { ...PRESSURE, victim: VICTIM, outcome: 'released', freedBytes: 9, reason: null } as const;

async function server(t: TestContext, status: number, headers: Record<string, string> = {}) {
  const bodies: string[] = [];
  const listening = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    if (status > 0) response.writeHead(status, headers).end();
  });
  await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
  t.after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return { bodies, url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/oom` };
}

test('notify: a web address gets the event as JSON', async (t) => {
  const { bodies, url } = await server(t, 204);
  const notifier = ruleNotifier({ on: 'after_kill', webhook: url, limitMs: 5000 }, 0);
  assert.deepEqual(Object.keys(notifier), ['name', 'afterKill']);
  await notifier.afterKill!(END, never);
  const { on, outcome, freed_bytes: freed, victim } = JSON.parse(bodies[0]!);
  assert.deepEqual([on, outcome, freed, victim.comm], ['after_kill', 'released', 9, VICTIM.comm]);
});

test('notify: an address that refuses or does not answer is an error of its notifier, in time', async (t) => {
  const refusing = ruleNotifier({ on: 'warn', webhook: (await server(t, 500)).url, limitMs: 5000 }, 0);
  await assert.rejects(async () => refusing.warn!({ ...PRESSURE, level: 'warn' }, never), /answered 500/);
  const silent = ruleNotifier({ on: 'warn', webhook: (await server(t, 0)).url, limitMs: 50 }, 1);
  await assert.rejects(async () => silent.warn!({ ...PRESSURE, level: 'warn' }, never), { name: 'TimeoutError' });
});

test('notify: a program gets its arguments as they are, and the victim in its environment', { skip }, async (t) => {
  const tree = new FileTree(t);
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const out = tree.at('out');
  tree.write('program', `#!/bin/sh\nprintf '%s|' "$1" "$EARLYOOM_NAME" "$BADNESS_ON" "$BADNESS_DOMAIN" > ${out}\n`);
  chmodSync(tree.at('program'), 0o755);
  const rule = { on: 'before_kill', command: [tree.at('program'), '$(x) *'], limitMs: 5000 } as const;
  await ruleNotifier(rule, 2).beforeKill!({ ...PRESSURE, victim: VICTIM }, never);
  assert.deepEqual(readFileSync(out, 'utf8').split('|').slice(0, 4), ['$(x) *', VICTIM.comm, 'before_kill', 'system']);
  const slow = ruleNotifier({ on: 'warn', command: ['sleep', '30'], limitMs: 50 }, 3);
  await assert.rejects(async () => slow.warn!({ ...PRESSURE, level: 'warn' }, never), { name: 'AbortError' });
});

test('notify: an address that sends on to another is not followed there', async (t) => {
  const other = await server(t, 204);
  for (const status of [301, 302, 307, 308]) {
    const { url } = await server(t, status, { location: other.url });
    const notifier = ruleNotifier({ on: 'after_kill', webhook: url, limitMs: 5000 }, 0);
    await assert.rejects(async () => notifier.afterKill!(END, never));
  }
  assert.deepEqual(other.bodies, []);
});

test('notify: a name is no option of the desktop program, no markup and no escape code', { skip }, async (t) => {
  const tree = new FileTree(t);
  const out = tree.at('out');
  tree.write('notify-send', `#!/bin/sh\nprintf '%s|' "$@" > ${out}\n`);
  chmodSync(tree.at('notify-send'), 0o755);
  const { PATH } = process.env;
  process.env.PATH = `${tree.root}:${PATH}`;
  t.after(() => {
    process.env.PATH = PATH;
  });
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const victim = { ...VICTIM, comm: '-u<b>\x1b[\u009b\u202e' };
  await ruleNotifier({ on: 'after_kill', desktop: true, limitMs: 5000 }, 0).afterKill!({ ...END, victim }, never);
  assert.deepEqual(readFileSync(out, 'utf8').split('|').slice(0, 4), [
    ...['--app-name=badness', '--', 'badness'],
    '-u?b??[?? (4711): released',
  ]);
});
