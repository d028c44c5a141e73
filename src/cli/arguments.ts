/** Stage: report. The command line: what may be said, and what it means; whatever is wrong with it is a usage error. */
import { parseArgs } from 'node:util';
import { nearestWord, SCHEMES, type SchemeName, type ScoreOptions } from '../index.js';
import { CommandError, EXIT } from './exit.js';

const OPTIONS = {
  scheme: { type: 'string', multiple: true },
  count: { type: 'string', short: 'n' },
  json: { type: 'boolean' },
  html: { type: 'boolean' },
  all: { type: 'boolean' },
  columns: { type: 'string' },
  rounds: { type: 'string' },
  stats: { type: 'boolean' },
  tasks: { type: 'string' },
  proc: { type: 'string' },
  uptime: { type: 'string' },
  hz: { type: 'string' },
  'total-pages': { type: 'string' },
  'page-size': { type: 'string' },
  'max-discount': { type: 'string' },
  age: { type: 'string' },
  adj: { type: 'string' },
  'no-color': { type: 'boolean' },
  enforce: { type: 'boolean' },
  domain: { type: 'string' },
  signal: { type: 'string' },
  queue: { type: 'string' },
  native: { type: 'string' },
  memory: { type: 'string', short: 'm' },
  swap: { type: 'string', short: 's' },
  'memory-kib': { type: 'string', short: 'M' },
  'swap-kib': { type: 'string', short: 'S' },
  report: { type: 'string', short: 'r' },
  before: { type: 'string', short: 'P' },
  ignore: { type: 'string' },
  avoid: { type: 'string' },
  prefer: { type: 'string' },
  after: { type: 'string', short: 'N' },
  effective: { type: 'boolean' },
  policy: { type: 'string' },
  control: { type: 'string' },
  'control-group': { type: 'string' },
  'control-self': { type: 'boolean' },
  clear: { type: 'boolean' },
  feed: { type: 'boolean' },
  every: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export type OptionName = keyof typeof OPTIONS;

/** What was said; numbers are still text. */
export interface Values {
  scheme?: string[];
  count?: string;
  json?: boolean;
  html?: boolean;
  all?: boolean;
  columns?: string;
  rounds?: string;
  stats?: boolean;
  tasks?: string;
  proc?: string;
  uptime?: string;
  hz?: string;
  'total-pages'?: string;
  'page-size'?: string;
  'max-discount'?: string;
  age?: string;
  adj?: string;
  'no-color'?: boolean;
  enforce?: boolean;
  domain?: string;
  signal?: string;
  queue?: string;
  native?: string;
  memory?: string;
  swap?: string;
  'memory-kib'?: string;
  'swap-kib'?: string;
  report?: string;
  before?: string;
  ignore?: string;
  avoid?: string;
  prefer?: string;
  after?: string;
  effective?: boolean;
  policy?: string;
  control?: string;
  'control-group'?: string;
  'control-self'?: boolean;
  clear?: boolean;
  feed?: boolean;
  every?: string;
  help?: boolean;
}

/** Options that every command that looks at tasks has. */
export const SHARED_OPTIONS: readonly OptionName[] = [
  ...(['json', 'tasks', 'proc', 'uptime', 'hz', 'total-pages', 'page-size'] as const),
  ...(['max-discount', 'age', 'adj', 'no-color', 'help'] as const),
];

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

/** Reads the words after the command. Throws a usage error for options that the command does not have. */
export function readArguments(
  command: string,
  argv: string[],
  names: readonly OptionName[],
  shared: readonly OptionName[] = SHARED_OPTIONS,
): { values: Values; positionals: string[] } {
  const options = Object.fromEntries([...shared, ...names].map((name) => [name, OPTIONS[name]]));
  try {
    const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true, strict: true });
    return { values: values as Values, positionals };
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw usage(`${sentence!.replace(/\.$/, '')}; see badness ${command} --help`);
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

/** One of some words. Throws a usage error that names them. */
export function choice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const chosen = choices.find((candidate) => candidate === text);
  if (chosen) return chosen;
  throw usage(`${option} must be one of ${choices.join(', ')}, got ${JSON.stringify(text)}`);
}

/** A scheme by its name. Throws with exit code 4 when there is none such. */
export function schemeNamed(name: string): SchemeName {
  const scheme = SCHEMES.find((candidate) => candidate === name);
  if (scheme) return scheme;
  const nearest = nearestWord(name, SCHEMES);
  throw new CommandError(
    EXIT.unknownScheme,
    `unknown scheme ${JSON.stringify(name)}, the nearest is ${nearest}; there are ${SCHEMES.join(', ')}`,
  );
}

/** What the options say about scoring, as far as they say anything. */
export function scoreOptions(values: Values): ScoreOptions {
  const options: ScoreOptions = {};
  const discount = values['max-discount'];
  if (discount !== undefined) options.maxDiscount = integer('--max-discount', discount, 1, 2 ** 31);
  if (values.age !== undefined) options.age = choice('--age', values.age, ['spare-old', 'spare-young', 'ignore']);
  if (values.adj !== undefined) options.adj = choice('--adj', values.adj, ['never-only', 'kernel']);
  return options;
}

const COUNT_MAX = 1_048_576;

/** How many rows -n asks for, or undefined. */
export function rowCount(values: Values): number | undefined {
  return values.count === undefined ? undefined : integer('-n', values.count, 0, COUNT_MAX);
}
