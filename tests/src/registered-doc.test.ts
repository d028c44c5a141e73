/** docs/registered.md: its caches are guarded, and the one that floods gives what is needed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as workers from '../../src/guard/worker-tasks.js';
import * as policy from '../../src/policy/index.js';
import * as registered from '../../src/registered/index.js';
import { runExample } from './support/doc-example.js';
import { PATIENCE_MS } from './support/patience.js';

const page = readFileSync('docs/registered.md', 'utf8');

test('docs: of the caches of registered.md the one that floods gives what is needed, and the other keeps its own', async () => {
  const entries = { 'badness/policy': policy, 'badness/registered': registered };
  const said: string[] = [];
  const left: number[] = [];
  let heard = () => {};
  const told = new Promise<void>((resolve, reject) => {
    // The guard does not keep the process alive; this does.
    const late = setTimeout(reject, PATIENCE_MS, new Error('nobody was shed'));
    heard = () => {
      clearTimeout(late);
      resolve();
    };
  });
  const say = (line: string) => {
    said.push(line);
    heard();
  };
  const ending = 'await told; await guard.close(); left.push(thumbnails.entries.size, pages.entries.size);';
  await runExample(page, entries, { say, told, left }, ending);
  assert.deepEqual([said, left], [['thumbnails: released'], [56, 1]]);
});

test('docs: what registered.md says of workers is exported', () => {
  for (const [, name] of page.matchAll(/import \{ (\w+) \} from 'badness\/workers'/g)) assert.ok(name! in workers);
  assert.ok('reportMemory' in workers);
});
