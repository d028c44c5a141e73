/** A thread ends where ports can be closed, and where they can only be let go of (Deno). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endThread } from '../../src/linux/end-thread.js';

test('end of a thread: a port that can be closed is closed, one that cannot is let go of', () => {
  const calls: string[] = [];
  const unref = () => void calls.push('unref');
  endThread({ unref, close: () => void calls.push('close') });
  endThread({ unref });
  assert.deepEqual(calls, ['close', 'unref']);
});
