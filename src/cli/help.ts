/** Stage: report. The help texts, made from the commands and their options. What they promise is what tests/src/cli.test.ts checks. */
import { readFileSync } from 'node:fs';
import { SCHEMES } from '../index.js';
import { COLUMN_NAMES } from './columns.js';
import { optionOf, type Said, type Section } from './command.js';
import { COMMAND_NAMES, type CommandName, commandNamed } from './commands.js';
import { EXITS, type ExitName } from './exit.js';
import { optionNamed } from './options.js';
import { wrapped } from './table.js';

const WIDTH = 80;
const INDENT = ' '.repeat(4);
/** Where the words of an option begin. */
const WORDS_AT = 22;

/** The names that a command can be asked for, by the title of their list. */
export const LISTS: Readonly<Record<'Schemes' | 'Columns', readonly string[]>> = {
  Schemes: SCHEMES,
  Columns: COLUMN_NAMES,
};

/** `-n, --count N` */
function optionLabel(said: Said): string {
  const name = optionOf(said);
  const { short, value } = optionNamed(name);
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;
}

/** What an option does, in the words of the command where it has its own. */
export function optionWords(said: Said): string {
  return typeof said === 'string' ? optionNamed(said).words : said[1];
}

/** A label and its words: beside it, or below where it is too long. */
function entry(label: string, words: string): string[] {
  const head = `  ${label}`;
  const indent = ' '.repeat(WORDS_AT);
  if (head.length <= WORDS_AT - 2) return wrapped(head.padEnd(WORDS_AT) + words, WIDTH, indent);
  return [head, ...wrapped(indent + words, WIDTH, indent)];
}

function sectionLines({ title, options }: Section): string[] {
  const lines = options.flatMap((said) => entry(optionLabel(said), optionWords(said)));
  return ['', ...(title ? [`${title}:`] : []), ...lines];
}

function exitLines(names: readonly ExitName[]): string[] {
  const lines = names.map((name) => `${String(EXITS[name].code).padStart(3)}  ${EXITS[name].words}`);
  return ['', 'Exit codes:', ...lines];
}

/** The help of one command, in lines. */
export function commandHelp(name: CommandName): string[] {
  const { usage, about, operands = [], sections, lists = [], exits } = commandNamed(name);
  const listed = lists.flatMap((title) => [`${title}:`, ...wrapped(INDENT + LISTS[title].join(', '), WIDTH, INDENT)]);
  return [
    ...usage.map((way, index) => `${index === 0 ? 'Usage:' : '      '} badness ${way}`),
    ...about.flatMap((paragraph) => ['', ...wrapped(paragraph, WIDTH, '')]),
    ...(operands.length > 0 ? [''] : []),
    ...operands.flatMap(([label, words]) => entry(label, words)),
    ...sections.flatMap(sectionLines),
    ...(listed.length > 0 ? ['', ...listed] : []),
    ...exitLines(exits),
  ];
}

/** `badness --help`, in lines. */
export function generalHelp(): string[] {
  const commands = COMMAND_NAMES.flatMap((name) => {
    const { operand, summary } = commandNamed(name);
    return entry(operand ? `${name} ${operand}` : name, summary);
  });
  return [
    'Usage: badness COMMAND [options]',
    '',
    'Who would be sacrificed if this machine ran out of memory, and why.',
    '',
    ...commands,
    '',
    ...entry('-h, --help', 'this text; badness COMMAND --help says more'),
    ...entry('-V, --version', 'the version'),
    ...exitLines(Object.keys(EXITS) as ExitName[]),
  ];
}

/** Who makes a file, or answers: this program, and which. */
export function madeBy(): string {
  return `badness ${version()}`;
}

/** The version of the package that this file was built into. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
