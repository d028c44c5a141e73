/** Stage: report. The command line: what may be said, and what it means; whatever is wrong with it is a usage error. */
import { parseArgs } from 'node:util';
import { nearestWord, SCHEMES, type SchemeName, type ScoreOptions } from '../index.js';
import { type CommandName, commandNamed, optionsOf } from './commands.js';
import { CommandError, EXIT } from './exit.js';
import { OPTIONS, type OptionName, optionNamed, type Values } from './options.js';

export function usage(message: string): CommandError {
  return new CommandError(EXIT.usage, message);
}

/** For commands that only have options. `hint` says what to do instead of naming `operand`. */
export function refuseOperands(
  command: string,
  [operand]: readonly string[],
  hint = `see badness ${command} --help`,
): void {
  if (operand !== undefined) throw usage(`${command} takes no operand, got ${JSON.stringify(operand)}; ${hint}`);
}

/** How node:util wants to be told of an option. */
function parsed(name: OptionName) {
  const { short, value } = optionNamed(name);
  const type = value === undefined ? ('boolean' as const) : ('string' as const);
  return { type, ...(short ? { short } : {}), multiple: true };
}

export interface Arguments {
  values: Values;
  positionals: string[];
  /** What was said of options that can be given again, each time. */
  repeated: { readonly [name in OptionName]?: readonly string[] };
}

/** Reads the words after the command. Throws a usage error for options that the command does not have. */
export function readArguments(command: CommandName, argv: string[]): Arguments {
  const options = Object.fromEntries(optionsOf(command).map((name) => [name, parsed(name)]));
  try {
    const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true, strict: true });
    const given = Object.entries(values) as [OptionName, (string | boolean)[]][];
    const { again = [] } = commandNamed(command);
    return {
      values: Object.fromEntries(given.map(([name, all]) => [name, optionNamed(name).multiple ? all : all.at(-1)])),
      positionals,
      repeated: Object.fromEntries(given.filter(([name]) => again.includes(name))) as Arguments['repeated'],
    };
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\. |\n/);
    const words = sentence!
      .replace(/\.$/, '')
      .replace('argument is ambiguous', 'wants a value, and what follows it begins with -');
    throw usage(`${words}; see badness ${command} --help`);
  }
}

/** A whole number that was said as text. Throws a usage error when it is not one or out of range. */
export function integer(option: string, text: string, low: number, high: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw usage(`${option} must be an integer ${low}..${high}, got ${JSON.stringify(text)}`);
}

/** Seconds that were said as text, to 1/100. */
export function seconds(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 2 ** 46) return value;
  throw usage(`${option} must be seconds, 0 or more, got ${JSON.stringify(text)}`);
}

const SPAN = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|min|h)$/;
const SPAN_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** A span of time such as `60s` or `500ms`, in ms. */
export function span(option: string, text: string, leastMs: number, mostMs: number): number {
  const [, number, unit] = SPAN.exec(text) ?? [];
  const ms = unit === undefined ? Number.NaN : Math.round(Number(number) * SPAN_MS[unit]!);
  if (ms >= leastMs && ms <= mostMs) return ms;
  throw usage(
    `${option} must be a span such as 60s or 500ms, ${leastMs}ms..${mostMs / 1000}s, got ${JSON.stringify(text)}`,
  );
}

/** One of some words. Throws a usage error that names them. */
export function choice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const chosen = choices.find((candidate) => candidate === text);
  if (chosen) return chosen;
  throw usage(`${option} must be one of ${choices.join(', ')}, got ${JSON.stringify(text)}`);
}

/** The word that a command begins with. Throws a usage error that names those there are. */
export function firstWord<T extends string>(command: CommandName, word: string | undefined, words: readonly T[]): T {
  if (word === undefined) throw usage(`expected one of ${words.join(', ')}; see badness ${command} --help`);
  return choice(command, word, words);
}

/** A scheme by its name. Throws with exit code 4 when there is none such. */
export function schemeNamed(name: string): SchemeName {
  const scheme = SCHEMES.find((candidate) => candidate === name);
  if (scheme) return scheme;
  const isPlugin = /\.(wasm|m?js)(#|$)/.test(name);
  const hint = isPlugin ? 'no plug-in is taken here' : `the nearest is ${nearestWord(name, SCHEMES)}`;
  throw new CommandError(
    EXIT.unknownScheme,
    `unknown scheme ${JSON.stringify(name)}, ${hint}; there are ${SCHEMES.join(', ')}`,
  );
}

/** What the options say about scoring, as far as they say anything. */
export function scoreOptions(values: Values): ScoreOptions {
  const options: ScoreOptions = {};
  const discount = values['max-discount'];
  if (discount !== undefined) options.maxDiscount = integer('--max-discount', discount, 1, 2 ** 31);
  if (values.age !== undefined) options.age = choice('--age', values.age, OPTIONS.age.choices);
  if (values.adj !== undefined) options.adj = choice('--adj', values.adj, OPTIONS.adj.choices);
  return options;
}

/** What --native says; undefined leaves it to BADNESS_NATIVE. */
export function nativeOf({ native }: Values): 'auto' | 'none' | undefined {
  return native === undefined ? undefined : choice('--native', native, OPTIONS.native.choices);
}

const COUNT_MAX = 1_048_576;

/** How many rows -n asks for, or undefined. */
export function rowCount(values: Values): number | undefined {
  return values.count === undefined ? undefined : integer('-n', values.count, 0, COUNT_MAX);
}
