/** What the README shows is what happens: its programs and command lines are run, and their output is compared. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text!,
}));

function run(args: string[]): string {
  const env = { ...process.env, COLUMNS: '80', NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  return stdout;
}

const programs = blocks.filter(({ language }) => language === 'js');

test('readme: it shows programs and command lines', () => {
  assert.equal(programs.length, 3);
  assert.equal(blocks.filter(({ language }) => language === 'console').length, 2);
});

for (const [index, { text }] of programs.entries()) {
  const output = blocks[blocks.findIndex((block) => block.text === text) + 1];
  test(`readme: program ${index + 1} prints what stands below it`, (t) => {
    assert.equal(output?.language, 'text');
    if (text.includes('badness/linux') && process.platform !== 'linux') return t.skip('reads a Linux /proc');
    // In the root of the package, where its own name can be imported.
    const file = `readme-${process.pid}-${index}.tmp.mjs`;
    writeFileSync(file, text);
    try {
      assert.equal(run([file]), output?.text);
    } finally {
      rmSync(file);
    }
  });
}

for (const { language, text } of blocks) {
  if (language !== 'console') continue;
  const [command, ...output] = text.split('\n');
  test(`readme: ${command}`, () => {
    assert.match(command!, /^\$ badness /);
    const args = command!.slice('$ badness '.length).split(' ');
    assert.equal(run(['dist/cli.js', ...args]), output.join('\n'));
  });
}
