// The manual page: says of every command what its help says, and is such that its readers have nothing to complain of.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { COMMAND_NAMES, commandNamed, optionsOf } from '../../src/cli/commands.js';
import { EXITS } from '../../src/cli/exit.js';
import { manPage } from '../../src/cli/man.js';
import { optionNamed } from '../../src/cli/options.js';

const PAGE = manPage({ version: '1.2.3', date: '2026-01-31' });
const BUILT = 'dist/badness.1';

/** As roff reads it. */
function unescaped(text: string): string {
  const named: Record<string, string> = {
    '\\e': '\\',
    '\\-': '-',
    '\\(aq': "'",
    '\\(ha': '^',
    '\\(ti': '~',
    '\\(ga': '`',
  };
  return text.replace(/\\f[BRI]/g, '').replace(/\\\((?:aq|ha|ti|ga)|\\[e-]|\\&/g, (sequence) => named[sequence] ?? '');
}

/** The part of the page that is about one command, as it reads. */
function aboutCommand(name: string): string {
  const [, after] = unescaped(PAGE).split(`.SS "badness ${name}"\n`);
  return after!.split(/^\.S[SH] /m)[0]!;
}

const words = (text: string) => text.replace(/\s+/g, ' ');

describe('man page', () => {
  for (const name of COMMAND_NAMES) {
    test(`man page: has every option of ${name}, and no others`, () => {
      const tags = [...aboutCommand(name).matchAll(/^\.TP\n(?:-(\w), )?--([a-z-]+)(?: (.+))?$/gm)];
      assert.deepEqual(
        tags.map(([, short, long, value]) => [long, short, value]),
        optionsOf(name).map((option) => [option, optionNamed(option).short, optionNamed(option).value]),
      );
    });

    test(`man page: says of ${name} what its help says`, () => {
      const text = words(aboutCommand(name));
      const { usage, about, operands = [] } = commandNamed(name);
      const said = [...usage, ...about, ...operands.flat()];
      for (const sentence of said) assert.ok(text.includes(words(sentence)), sentence);
    });
  }

  test('man page: has every exit code', () => {
    const [, after] = unescaped(PAGE).split('.SH EXIT STATUS\n');
    const codes = [...after!.split('.SH ')[0]!.matchAll(/^\.TP\n(\d+)\n/gm)].map(([, code]) => Number(code));
    assert.deepEqual(
      codes,
      Object.values(EXITS).map(({ code }) => code),
    );
  });

  test('man page: the build has it, of this version, and npm installs it', () => {
    const { version, man, files } = JSON.parse(readFileSync('package.json', 'utf8'));
    const built = readFileSync(BUILT, 'utf8');
    const [, date] = /^\.TH BADNESS 1 (\d{4}-\d\d-\d\d) /.exec(built) ?? [];
    assert.equal(built, manPage({ version, date: date! }));
    assert.equal(man, `./${BUILT}`);
    assert.ok(files.includes('dist') && existsSync(man));
  });
});

const READERS: [program: string, ...args: string[]][] = [
  ['mandoc', '-Tlint', '-Wstyle'],
  ['groff', '-man', '-ww', '-z', '-Tutf8'],
];

describe('man page: its readers', () => {
  for (const [program, ...args] of READERS) {
    const skip = spawnSync(program, ['--version']).error ? `${program} is not installed` : false;
    test(`man page: ${program} has nothing to complain of`, { skip }, () => {
      const { stdout, stderr } = spawnSync(program, [...args, BUILT], { encoding: 'utf8' });
      assert.equal(stdout + stderr, '');
    });
  }
});
