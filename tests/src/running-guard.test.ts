// What an application hears of the thread that guards it, from the messages of one that does not exist.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { openEngine } from '../../src/engine.js';
import type { GuardEvent } from '../../src/guard/guard-events.js';
import type { ReactionContext } from '../../src/guard/round-events.js';
import type { ToApplication, ToWorker } from '../../src/linux/guard-messages.js';
import { RunningGuard } from '../../src/linux/start-guard.js';
import { definePolicy } from '../../src/policy/policy.js';
import { MemorySubscription } from '../../src/pressure/subscription.js';
import { settle } from './support/manual-clock.js';

class NoThread extends EventEmitter {
  readonly heard: ToWorker[] = [];
  ref(): void {}
  postMessage(message: ToWorker): void {
    this.heard.push(message);
  }

  say(message: ToApplication): void {
    this.emit('message', message);
  }
}

async function scene() {
  const thread = new NoThread();
  const guard = new RunningGuard(thread as unknown as Worker, await openEngine(), definePolicy({}));
  const heard: GuardEvent[] = [];
  guard.on('failed', (event) => heard.push(event));
  const refused: ToApplication = { kind: 'refused', name: 'RangeError', code: null, message: 'no such thing' };
  return { thread, guard, heard, refused };
}

test('running guard: a loop that breaks after the start is heard, once', async () => {
  const { thread, guard, heard, refused } = await scene();
  const readings = new MemorySubscription().buffer;
  thread.say({ kind: 'started', facts: { domain: 'system' } as never, readings, domain: 0 });
  await guard.started;
  thread.say(refused);
  thread.emit('exit', 0);
  assert.deepEqual(
    heard.map((event) => event.kind === 'failed' && event.error),
    ['the guard has ended: RangeError: no such thing'],
  );
  await guard.close();
});

test('running guard: one that is refused at the start rejects, and nothing has failed', async () => {
  const { thread, guard, heard, refused } = await scene();
  thread.say(refused);
  thread.emit('exit', 0);
  await assert.rejects(guard.started, { name: 'RangeError', message: 'no such thing' });
  assert.deepEqual(heard, []);
});

test('running guard: a reaction that asks twice at a time gets both answers, and none is left waiting when the thread ends', async () => {
  const { thread, guard } = await scene();
  const answers: unknown[] = [];
  const react = async ({ kill, panic }: ReactionContext) => {
    answers.push(...(await Promise.all([kill(), kill()])));
    await panic().catch(({ code }) => answers.push(code));
  };
  guard.register({ name: 'twice', react });
  const event = { domain: 'system', round: 1, availableBytes: 1, totalBytes: 2, victim: null };
  thread.say({ kind: 'ask', id: 1, phase: 'react', event });
  await settle();
  const result = { outcome: 'released', freedBytes: 1 } as const;
  thread.say({ kind: 'acted', id: 1, act: 'kill', result, error: null });
  await settle();
  thread.emit('exit', 0);
  await settle();
  assert.deepEqual(answers, [result, result, 'ESTALE']);
  assert.equal(thread.heard.filter(({ kind }) => kind === 'act').length, 2, 'one kill, one panic');
});
