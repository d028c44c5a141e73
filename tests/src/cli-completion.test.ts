// What shells offer: every option that a command takes and no other, asked of the shells themselves where they are installed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { COMMAND_NAMES, type CommandName, optionsOf, wordsOf } from '../../src/cli/commands.js';
import { bashLines } from '../../src/cli/completion-bash.js';
import { fishLines } from '../../src/cli/completion-fish.js';
import { zshLines } from '../../src/cli/completion-zsh.js';
import { optionNamed } from '../../src/cli/options.js';
import { badness } from './support/badness.js';
import { ownFiles } from './support/own-folder.js';

const { folder, write } = ownFiles();

function written(name: string, lines: string[]): string {
  return write(name, `${lines.join('\n')}\n`);
}

const BASH = written('badness.bash', bashLines());
const FISH = written('badness.fish', fishLines());
const ZSH = written('_badness', zshLines());

/** Why a shell cannot be asked. */
function without(shell: string): string | false {
  return spawnSync(shell, ['-c', ':']).error ? `${shell} is not installed` : false;
}

/** What bash offers for the last of these words. */
function bashOffers(...words: string[]): string[] {
  const script = `source ${BASH}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _badness; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'badness', ...words], {
    encoding: 'utf8',
    cwd: folder,
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

/** The same of fish, without the descriptions. */
function fishOffers(line: string): string[] {
  const ran = spawnSync('fish', ['--no-config', '-c', `source ${FISH}; complete -C ${JSON.stringify(line)}`], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, HOME: folder },
  });
  assert.equal(ran.stderr, '');
  return ran.stdout.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0]!]));
}

const longNames = (command: CommandName) => optionsOf(command).map((name) => `--${name}`);
const shortNames = (command: CommandName) =>
  optionsOf(command).flatMap((name) => {
    const { short } = optionNamed(name);
    return short ? [`-${short}`] : [];
  });
const sorted = (words: readonly string[]) => [...words].sort();

describe('completion: bash', { skip: without('bash') }, () => {
  for (const command of COMMAND_NAMES) {
    test(`completion: bash offers the options of ${command}, and no others`, () => {
      assert.deepEqual(sorted(bashOffers(command, '-')), sorted([...longNames(command), ...shortNames(command)]));
    });
  }

  test('completion: bash offers commands, their words, the words of a value, and files where files go', () => {
    assert.deepEqual(bashOffers('com'), ['compare', 'completion']);
    assert.deepEqual(sorted(bashOffers('ctl', '')), sorted(wordsOf('ctl')));
    assert.deepEqual(bashOffers('ctl', 'un'), ['unprotect']);
    assert.deepEqual(bashOffers('rank', '--age', 'spare'), ['spare-old', 'spare-young']);
    assert.deepEqual(bashOffers('rank', '--tasks', '_bad'), ['_badness']);
    for (const words of [['policy', 'check'], ['report'], ['simulate'], ['test'], ['whatif']]) {
      assert.deepEqual(bashOffers(...words, 'badness.f'), ['badness.fish'], words[0]);
    }
    assert.deepEqual(bashOffers('rank', '--rounds', ''), []);
    assert.deepEqual(bashOffers('rank', ''), []);
  });
});

describe('completion: fish', { skip: without('fish') }, () => {
  test('completion: fish offers the options of every command, and no others', () => {
    for (const command of COMMAND_NAMES) {
      assert.deepEqual(sorted(fishOffers(`badness ${command} --`)), sorted(longNames(command)), command);
    }
  });

  test('completion: fish offers commands, their words, the words of a value, and files where files go', () => {
    assert.deepEqual(sorted(fishOffers('badness com')), ['compare', 'completion']);
    assert.deepEqual(sorted(fishOffers('badness ctl ')), sorted(wordsOf('ctl')));
    assert.deepEqual(sorted(fishOffers('badness rank --age spare')), ['spare-old', 'spare-young']);
    assert.deepEqual(fishOffers('badness rank --tasks _bad'), ['_badness']);
    assert.deepEqual(fishOffers('badness policy check badness.f'), ['badness.fish']);
    assert.deepEqual(fishOffers('badness rank '), []);
  });
});

describe('completion: zsh', () => {
  test('completion: zsh is told every option of every command, and no others', () => {
    const blocks = zshLines()
      .join('\n')
      .split(/^ {4}(\w+)\)$/m);
    for (const command of COMMAND_NAMES) {
      const block = blocks[blocks.indexOf(command) + 1]!;
      const names = [...block.matchAll(/^ +'\*?--([a-z-]+)\[|^ +'\(-\w --([a-z-]+)\)'/gm)].map(([, a, b]) => a ?? b!);
      assert.deepEqual(names, optionsOf(command), command);
    }
  });

  test('completion: zsh offers an option again where each counts, and only there', () => {
    const again: Partial<Record<CommandName, string[]>> = {};
    let command: CommandName | undefined;
    for (const line of zshLines()) {
      command = COMMAND_NAMES.find((name) => line === `    ${name})`) ?? command;
      const [, name] = /^ +'\*--([a-z-]+)\[/.exec(line) ?? [];
      if (name) again[command!] = [...(again[command!] ?? []), name];
    }
    assert.deepEqual(again, {
      ...{ explain: ['scheme'], report: ['policy'], simulate: ['policy', 'scheme'] },
      ...{ guard: ['fleet'], fleet: ['fleet', 'label', 'host'] },
    });
  });

  test('completion: zsh can read it', { skip: without('zsh') }, () => {
    const { status, stderr } = spawnSync('zsh', ['-n', ZSH], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });
});

describe('completion: command lines', () => {
  test('completion: prints the script of the shell that is named', () => {
    for (const [shell, lines] of [
      ['bash', bashLines()] as const,
      ['zsh', zshLines()] as const,
      ['fish', fishLines()] as const,
    ]) {
      const { status, stdout, stderr } = badness(['completion', shell]);
      assert.equal(stderr, '');
      assert.deepEqual([status, stdout], [0, `${lines.join('\n')}\n`], shell);
    }
  });

  test('completion: another shell, none, or more than one is a wrong command line', () => {
    for (const words of [['tcsh'], [], ['bash', 'zsh']]) {
      const { status, stdout, stderr } = badness(['completion', ...words]);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(
        stderr,
        /^badness: (expected one of bash, zsh, fish; see|completion must be one of bash, zsh, fish, got|completion bash: nothing may follow, got)/,
      );
    }
  });
});
