/** docs/simulation.md and docs/policy-tests.md: their command lines and their program print what they say. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as policy from '../../src/policy/index.js';
import * as simulate from '../../src/simulate/index.js';
import { badness } from './support/badness.js';
import { runExample } from './support/doc-example.js';

const simulation = readFileSync('docs/simulation.md', 'utf8');
const policyTests = readFileSync('docs/policy-tests.md', 'utf8');

const lines = [simulation, policyTests].flatMap((page) => [
  ...page.matchAll(/```console\n\$ badness (.*)\n([\s\S]*?)```/g),
]);

test('docs: there are command lines of both commands', () => {
  assert.equal(lines.length, 3);
});

for (const [, command, output] of lines) {
  test(`docs: badness ${command} prints what stands below it`, () => {
    assert.equal(badness(command!.split(' '), { env: { COLUMNS: '80' } }).stdout, output);
  });
}

test('docs: the program of simulation.md runs', async () => {
  const said: unknown[][] = [];
  const say = (...words: unknown[]) => said.push(words);
  await runExample(simulation, { 'badness/simulate': simulate, 'badness/policy': policy }, { say });
  assert.deepEqual(said, [
    ['leak by the guard', 0],
    [1, true],
  ]);
});
