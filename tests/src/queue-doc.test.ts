/** docs/queue.md: its ranker fills the queue, and its round takes from it and signals nobody. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as badness from '../../src/index.js';
import * as policy from '../../src/policy/index.js';
import { runExample } from './support/doc-example.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const linux = await import(pathToFileURL(resolve('dist/linux.js')).href);

test('docs: the ranker of queue.md fills the queue, and the round goes by it', { skip }, async () => {
  const said: string[] = [];
  const entries = { badness, 'badness/linux': linux, 'badness/policy': policy };
  await runExample(readFileSync('docs/queue.md', 'utf8'), entries, { say: (line: string) => said.push(line) });
  assert.equal(said.length, 2);
  assert.match(said[0]!, /^candidates: \d+( \d+){0,9}\n$/);
  assert.match(said[1]!, /^.+, chosen by the queue$/s);
});
