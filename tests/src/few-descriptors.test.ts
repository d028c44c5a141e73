// A program that has used up its descriptors is often the one that is short of memory: its guard must kill all the same.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const skip = process.platform !== 'linux' && 'needs Linux';

/** What a program without descriptors prints. Modules are opened all at once when it begins: for them there must be enough. */
function printed(worker: string) {
  const program = `ulimit -n 256 && exec "$0" build/unit/tests/src/support/${worker}.worker.js`;
  return JSON.parse(execFileSync('sh', ['-c', program, process.execPath], { encoding: 'utf8' }));
}

test('kill: without descriptors nobody is taken for dead, and those kept of tasks are given back for it', {
  skip,
  timeout: 60_000,
}, () => {
  const { dead, report } = printed('few-descriptors');
  assert.equal(dead, 'EMFILE', 'threads that cannot be listed are not gone');
  assert.deepEqual([report?.outcome, report?.reason, report?.errors], ['released', null, []]);
});

test('guard: without descriptors it goes on watching when memory becomes short', { skip, timeout: 60_000 }, () => {
  assert.deepEqual(printed('few-descriptors-guard'), { told: 8, ends: ['turned'] });
});
