// The guard of an application with a scheme of its own (dist/linux.js): a thread of a thread. Dry: nobody is signalled.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EventOf } from '../../src/linux/start-guard.js';
import { within } from './support/control-scene.js';
import { moduleFile, points } from './support/plugin-modules.js';
import { SHORT, skip, startGuard } from './support/shipped-guard.js';

async function firstChoice(t: TestContext, body: string) {
  const scheme = { module: moduleFile(t, points(body)), export: 'points', deadlineMs: 1000 };
  const guard = await startGuard({ keepAlive: true, ...SHORT, scheme });
  t.after(() => guard.close());
  const errors: (string | null)[] = [];
  guard.on('plugin', ({ error }) => void errors.push(error));
  const round = new Promise<EventOf<'round'>>((found) => {
    guard.on('round', (event) => event.report.victim && found(event));
  });
  const { report } = await within(round);
  return { guard, report, errors };
}

test('startGuard: a plug-in decides in the thread of the guard', { skip }, async (t) => {
  const { guard, report } = await firstChoice(t, 'return task.tgid;');
  assert.deepEqual([report.plugin!.answered, report.victim!.points], [true, report.victim!.tgid]);
  assert.match(guard.facts.plugin!, /plugin\.mjs#points$/);
  await within(guard.close());
});

test('startGuard: one that fails is cut off there as well, and heard of', { skip }, async (t) => {
  const { report } = await firstChoice(t, 'throw new Error("no");');
  assert.deepEqual([report.plugin!.answered, report.victim !== null], [false, true]);
});

test('startGuard: a module that is none is refused when it is started', { skip }, async () => {
  const scheme = { module: 'file:///nowhere/own.mjs', export: 'points' };
  await assert.rejects(startGuard({ ...SHORT, scheme }), { code: 'EPLUGIN' });
  await assert.rejects(startGuard({ ...SHORT, scheme: (() => 1) as never }), TypeError);
});
