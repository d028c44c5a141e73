/** The desk behind a worker, as the page asks it: what a worker that has failed comes to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scoring } from '../../src/cli/words.js';
import { openDesk } from '../../src/playground/desk-client.js';
import { within } from './support/control-scene.js';

const SCORING: Scoring = { scheme: 'badness', maxDiscount: 4, age: 'spare-old', adj: 'never-only' };

/** A worker that answers nothing. */
class SilentWorker extends EventTarget {
  static last: SilentWorker;

  constructor() {
    super();
    SilentWorker.last = this;
  }

  postMessage(): void {}
}

test('desk client: a worker that failed is an error for who waits, and for who asks later', async (t) => {
  const page = { Worker: SilentWorker, crossOriginIsolated: true };
  for (const [name, value] of Object.entries(page)) {
    assert.ok(!(name in globalThis), 'Node has none');
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => Reflect.deleteProperty(globalThis, name));
  }
  const desk = await openDesk();
  assert.equal(desk.thread, 'worker');
  const waiting = desk.rank(SCORING);
  SilentWorker.last.dispatchEvent(Object.assign(new Event('error'), { message: 'out of memory' }));
  const failed = { message: 'the worker failed: out of memory' };
  await assert.rejects(within(waiting), failed);
  await assert.rejects(within(desk.rank(SCORING), 5000), failed);
});
