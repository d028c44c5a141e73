/**
 * Stage: report. Every command of the command line, once. The parser, the help texts, the man page and the completion of shells are all
 * made from this.
 */
import { completion, ctl, guard, kill, policy } from './acting-commands.js';
import { type Command, optionOf } from './command.js';
import { fleet } from './fleet-commands.js';
import { compare, doctor, explain, preview, rank, record, report, top } from './looking-commands.js';
import type { OptionName } from './options.js';
import { simulate, test, whatif } from './playing-commands.js';

/** In the order of the help. */
export const COMMANDS = {
  ...{ rank, explain, compare, preview, top, guard, ctl, kill, report, record, doctor, policy },
  ...{ simulate, test, whatif, fleet, completion },
} as const;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** A command, for those who do not know which. */
export function commandNamed(name: CommandName): Command {
  return COMMANDS[name];
}

/** Every option that a command takes, in the order of its help. */
export function optionsOf(name: CommandName): OptionName[] {
  return commandNamed(name).sections.flatMap(({ options }) => options.map(optionOf));
}

/** The words that may follow a command, where there are such: `oom`, `protect`, ... */
export function wordsOf(name: CommandName): string[] {
  const labels = (commandNamed(name).operands ?? []).map(([label]) => label.split(' ')[0]!);
  return [...new Set(labels)].filter((label) => /^[a-z]/.test(label));
}

/** Whether the name of a file may follow: `FILE` stands for one, in what an operand is called or in what it is. */
export function takesFile(name: CommandName): boolean {
  return (commandNamed(name).operands ?? []).some((entry) => entry.some((text) => /\bFILE\b/.test(text)));
}
