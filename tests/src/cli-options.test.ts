// The command line is written down once: what the parser takes is what help says, and nothing else.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from '../../src/cli/arguments.js';
import { COMMAND_NAMES, type CommandName, commandNamed, optionsOf } from '../../src/cli/commands.js';
import { EXIT, EXITS } from '../../src/cli/exit.js';
import { commandHelp, generalHelp } from '../../src/cli/help.js';
import { OPTIONS, type OptionName, optionNamed } from '../../src/cli/options.js';

const ALL = Object.keys(OPTIONS) as OptionName[];

/** The options that a command's help has, by the beginning of its lines. */
function helped(command: CommandName): { long: string; short: string | undefined; takesValue: boolean }[] {
  return commandHelp(command).flatMap((line) => {
    const [, short, long, rest] = /^ {2}(?:-(\w), )?--([a-z-]+)( [^ ]+)?/.exec(line) ?? [];
    return long ? [{ long, short, takesValue: rest !== undefined }] : [];
  });
}

/** Whether the parser of a command knows an option, by what it says of it. */
function accepts(command: CommandName, name: OptionName): boolean {
  const { value } = optionNamed(name);
  try {
    readArguments(command, value === undefined ? [`--${name}`] : [`--${name}`, 'x']);
    return true;
  } catch (error) {
    assert.match((error as Error).message, /^Unknown option/);
    return false;
  }
}

describe('options: one table', () => {
  for (const command of COMMAND_NAMES) {
    test(`options: what badness ${command} takes is in its help, and the other way round`, () => {
      const taken = ALL.filter((name) => accepts(command, name)).sort();
      const shown = helped(command);
      assert.deepEqual(shown.map(({ long }) => long).sort(), taken);
      assert.ok(taken.includes('help'), 'every command has a help');
      for (const { long, short, takesValue } of shown) {
        const option = optionNamed(long as OptionName);
        assert.equal(short, option.short, long);
        assert.equal(takesValue, option.value !== undefined, long);
      }
    });
  }

  test('options: each is of some command, and no letter means two things in one', () => {
    for (const name of ALL)
      assert.ok(
        COMMAND_NAMES.some((command) => optionsOf(command).includes(name)),
        name,
      );
    for (const command of COMMAND_NAMES) {
      const names = optionsOf(command);
      assert.deepEqual([...new Set(names)], names, command);
      const letters = names.map((name) => optionNamed(name).short).filter((letter) => letter !== undefined);
      assert.equal(new Set(letters).size, letters.length, command);
    }
  });
});

describe('help: general', () => {
  test('help: names every command, and every exit code in order', () => {
    const lines = generalHelp();
    for (const name of COMMAND_NAMES)
      assert.ok(
        lines.some((line) => line.startsWith(`  ${name} `)),
        name,
      );
    const codes = lines.map((line) => /^ *(\d+) {2}\S/.exec(line)?.[1]).filter((code) => code !== undefined);
    assert.deepEqual(codes.map(Number), [...Object.values(EXIT)]);
    assert.deepEqual([...Object.values(EXIT)], [...Object.keys(EXITS).keys()]);
  });

  test('help: no line is wider than a terminal, in any command', () => {
    const lines = [generalHelp(), ...COMMAND_NAMES.map(commandHelp)].flat();
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    );
  });

  test('help: the exit codes of a command are in order, and among them the usual three', () => {
    for (const name of COMMAND_NAMES) {
      const codes = commandNamed(name).exits.map((exit) => EXITS[exit].code as number);
      assert.deepEqual(
        codes,
        codes.toSorted((a, b) => a - b),
        name,
      );
      assert.deepEqual(codes.slice(0, 3), [0, 1, 2], name);
    }
  });
});
