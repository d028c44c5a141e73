/** docs/whatif.md: its program runs, and its table of exit codes is that of the command. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandNamed } from '../../src/cli/commands.js';
import { EXIT } from '../../src/cli/exit.js';
import * as policy from '../../src/policy/index.js';
import * as recording from '../../src/recording/index.js';
import { runExample } from './support/doc-example.js';
import { recordingText } from './support/recordings.js';

const page = readFileSync('docs/whatif.md', 'utf8');

test('docs: the program of whatif.md runs', async () => {
  const said: string[] = [];
  const text = recordingText([
    { monotonicMs: 0, percent: 40, tasks: { postgres: 9000, other: 8000 } },
    { monotonicMs: 1000, percent: 4, tasks: { postgres: 9000, other: 8000 } },
  ]);
  const entries = { 'badness/policy': policy, 'badness/recording': recording };
  await runExample(page, entries, { text, say: (line: string) => said.push(line) });
  assert.deepEqual(said, ['2: postgres → other', '1 of 1']);
});

test('docs: whatif.md has the exit codes of the command', () => {
  const told = [...page.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes]) => codes!.split(', ').map(Number));
  const own = commandNamed('whatif').exits.map((exit) => EXIT[exit]);
  assert.deepEqual(
    told.sort((a, b) => a - b),
    // Every command has these two.
    own.filter((code) => code !== EXIT.unexpected && code !== EXIT.usage),
  );
});
