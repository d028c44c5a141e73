/** docs/subtree.md: its example runs, on this very process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as linux from '../../src/linux/index.js';
import { runExample } from './support/doc-example.js';

const skip = existsSync('/proc/self/stat') ? false : 'there is no /proc here';

test('docs: the example of subtree.md sees the children of this process and what is left of the budget', {
  skip,
}, async (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  await runExample(readFileSync('docs/subtree.md', 'utf8'), { 'badness/linux': linux }, { say });
  const [, count, left] = /^(\d+) members, (\d+) KiB left$/.exec(said[0]!)!;
  // This process may have other children: esbuild's, or those of the runner.
  assert.ok(Number(count) >= 1, said[0]);
  assert.ok(Number(left) > 2 ** 20 && Number(left) < 4 * 2 ** 20, said[0]);
});
