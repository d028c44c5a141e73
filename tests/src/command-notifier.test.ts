// The programs of -P and -N: the victim in their environment, whatever its name, and never a shell.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { VictimFacts } from '../../src/guard/round-events.js';
import { commandNotifier, endInheritance } from '../../src/linux/command-notifier.js';
import { FileTree } from './support/pressure-fixtures.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const HOSTILE = '$(touch pwned) `id` \' " ; \n*';
const VICTIM: VictimFacts = { tgid: process.pid, comm: HOSTILE, uid: 1000, points: 5, expectedBytes: 7 };
const PRESSURE = { domain: 'system', round: 1, availableBytes: 1, totalBytes: 2 };
const never = new AbortController().signal;

function script(t: TestContext) {
  const tree = new FileTree(t);
  // A guard waits for its memory meanwhile; here nothing else keeps the process.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const out = tree.at('out');
  tree.write(
    'program',
    `#!/bin/sh\nprintf '%s|' "$EARLYOOM_PID" "$EARLYOOM_UID" "$EARLYOOM_NAME" "$EARLYOOM_CMDLINE" > '${out}'\n`,
  );
  chmodSync(tree.at('program'), 0o755);
  return { tree, program: tree.at('program'), out };
}

test('commands: before a kill the program sees who it is, with the command line', { skip }, async (t) => {
  const { tree, program, out } = script(t);
  await commandNotifier({ phase: 'beforeKill', command: [program] }).beforeKill!(
    { ...PRESSURE, victim: VICTIM },
    never,
  );
  const [pid, uid, name, cmdline] = readFileSync(out, 'utf8').split('|');
  assert.deepEqual([pid, uid, name], [String(process.pid), '1000', HOSTILE]);
  assert.match(cmdline!, /node/);
  assert.equal(existsSync(tree.at('pwned')), false);
});

test('commands: after a kill the command line is the one from before; nobody killed, nothing run', {
  skip,
}, async (t) => {
  const { program, out } = script(t);
  const notifier = commandNotifier({ phase: 'afterKill', command: [program] });
  const end = { ...PRESSURE, outcome: 'released', freedBytes: 1 } as const;
  await notifier.afterKill!({ ...end, victim: null }, never);
  assert.equal(existsSync(out), false);
  await notifier.beforeKill!({ ...PRESSURE, victim: VICTIM }, never);
  await notifier.afterKill!({ ...end, victim: VICTIM }, never);
  assert.match(readFileSync(out, 'utf8').split('|')[3]!, /node/);
  await notifier.afterKill!({ ...end, victim: { ...VICTIM, tgid: 4711 } }, never);
  assert.equal(readFileSync(out, 'utf8').split('|')[3], '', "not another's");
});

test('commands: a program that cannot be started is an error of its notifier; none at all is refused', {
  skip,
}, async () => {
  const notifier = commandNotifier({ phase: 'beforeKill', command: ['/nonexistent/program'] });
  await assert.rejects(async () => notifier.beforeKill!({ ...PRESSURE, victim: VICTIM }, never), { code: 'ENOENT' });
  assert.throws(() => commandNotifier({ phase: 'beforeKill', command: [] }), TypeError);
});

test('commands: a program is no last one to go because its guard is', (t) => {
  const tree = new FileTree(t);
  const adj = () => readFileSync(tree.at('7/oom_score_adj'), 'utf8').trim();
  for (const [own, given, left] of [
    ['-1000', '-1000', '0'],
    ['0', '300', '300'],
    ['100', '100', '100'],
  ] as const) {
    tree.write('self/oom_score_adj', `${own}\n`);
    tree.write('7/oom_score_adj', `${given}\n`);
    endInheritance(7, tree.root);
    assert.equal(adj(), left);
  }
  endInheritance(8, tree.root);
});
