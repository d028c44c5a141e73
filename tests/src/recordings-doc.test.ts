/** docs/recordings.md: its program runs, its example is a recording, and its words are those of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as badness from '../../src/index.js';
import * as policy from '../../src/policy/index.js';
import * as recording from '../../src/recording/index.js';
import { runExample } from './support/doc-example.js';

const page = readFileSync('docs/recordings.md', 'utf8');

test('docs: the program of recordings.md runs', async () => {
  const said: string[] = [];
  const text = readFileSync('tests/fixtures/limited-group.proc', 'utf8');
  const entries = { badness, 'badness/policy': policy, 'badness/recording': recording };
  await runExample(page, entries, { text, say: (line: string) => said.push(line) });
  assert.equal(said.length, 5);
  for (const line of said) assert.match(line, /^\d: victim task\d [0-9a-f]{16}$/);
});

test('docs: the example of recordings.md is a recording', () => {
  const [, block] = /## The form\n\n((?: {4}.*\n|\n)+)/.exec(page)!;
  const read = recording.parseRecording(block!.replace(/^ {4}/gm, ''));
  assert.equal(read.isComplete, true);
  assert.equal(read.snapshots.length, 2);
  assert.deepEqual(read.snapshots[1]!.gone, ['/proc/812']);
});

test('docs: recordings.md explains every mark', () => {
  for (const mark of Object.keys(recording.MARKS)) assert.ok(page.includes(`\`${mark}\``), mark);
});
