// A process and all that come from it as a domain: what a reading costs, and what it says when the process has ended.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { SubtreeMembers } from '../../src/linux/subtree.js';
import { subtreeDomain } from '../../src/linux/subtree-domain.js';

const skip = process.platform !== 'linux' && 'needs Linux';

test('subtree domain: a reading looks for the members once', { skip }, (t) => {
  const domain = subtreeDomain({ root: process.pid, budgetBytes: 2 ** 40, native: null });
  t.after(() => domain.close());
  const { mock } = t.mock.method(SubtreeMembers.prototype, 'refresh');
  assert.ok(domain.reader.read().availableKib > 0);
  assert.equal(mock.callCount(), 1);
});

test('subtree domain: when the process at the top has ended there is no memory to be read', { skip }, async (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const domain = subtreeDomain({ root: child.pid!, budgetBytes: 2 ** 40, native: null });
  t.after(() => domain.close());
  assert.ok(domain.reader.read().availableKib > 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const message = `process ${child.pid} has ended, and with it its subtree`;
  assert.throws(() => domain.reader.read(), { code: 'ENODEV', message });
});
