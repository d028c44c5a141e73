/** Stage: report. The manual page, made from the commands and their options: man(7) macros, which groff and mandoc both read. */
import { optionOf, type Said, type Section } from './command.js';
import { COMMAND_NAMES, type CommandName, commandNamed } from './commands.js';
import { EXITS } from './exit.js';
import { LISTS, optionWords } from './help.js';
import { optionNamed } from './options.js';
import { ENVIRONMENT, FILES } from './surroundings.js';
import { wrapped } from './table.js';

const SOURCE_WIDTH = 78;

const ESCAPES: Record<string, string> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '^': '\\(ha',
  '~': '\\(ti',
  '`': '\\(ga',
};

/** Text as roff would print it. A dot is only special at the beginning of a line, where no word of ours puts one. */
function escaped(text: string): string {
  return text.replace(/[\\\-'^~`]/g, (character) => ESCAPES[character]!);
}

/** Prose in lines of its source. */
function prose(text: string): string[] {
  return wrapped(text, SOURCE_WIDTH, '').map((line) => escaped(line).replace(/^\./, '\\&.'));
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** A word of the command line in bold, what stands for something else in italics. */
function spelled(label: string): string {
  return label.replace(/[A-Z]+|[^A-Z]+/g, (part) => (/[A-Z]/.test(part) ? italic(part) : bold(part)));
}

function tagged(tag: string, words: string): string[] {
  return ['.TP', tag, ...prose(words)];
}

function optionTag(said: Said): string {
  const name = optionOf(said);
  const { short, value } = optionNamed(name);
  const names = short ? `${bold(`-${short}`)}, ${bold(`--${name}`)}` : bold(`--${name}`);
  return value ? `${names} ${italic(value)}` : names;
}

function section({ title, options }: Section): string[] {
  const lines = options.flatMap((said) => tagged(optionTag(said), optionWords(said)));
  return title ? ['.PP', `${title}:`, ...lines] : lines;
}

function command(name: CommandName): string[] {
  const { usage, about, operands = [], sections, lists = [], exits } = commandNamed(name);
  const codes = exits.map((exit) => EXITS[exit].code).join(', ');
  return [
    `.SS "${bold(`badness ${name}`)}"`,
    ...usage.flatMap((way, index) => [...(index > 0 ? ['.br'] : []), spelled(`badness ${way}`)]),
    ...about.flatMap((paragraph) => ['.PP', ...prose(paragraph)]),
    ...operands.flatMap(([label, words]) => tagged(spelled(label), words)),
    ...sections.flatMap(section),
    ...lists.flatMap((title) => ['.PP', ...prose(`${title}: ${LISTS[title].join(', ')}.`)]),
    '.PP',
    ...prose(`Exit codes: ${codes}.`),
  ];
}

/** The page, whole. `date` as 2006-01-31. */
export function manPage({ version, date }: { version: string; date: string }): string {
  const lines = [
    `.TH BADNESS 1 ${date} "badness ${version}" "User Commands"`,
    '.SH NAME',
    'badness \\- who would be sacrificed if this machine ran out of memory, and why',
    '.SH SYNOPSIS',
    `${bold('badness')} ${italic('COMMAND')} [options]`,
    '.SH DESCRIPTION',
    ...prose(
      'Ranks tasks as the out-of-memory killer of Linux would, in any of its schemes from 2.4 to today or in one of its own, explains every point of them, and guards memory by the same rules. Nobody is signalled without --enforce, or enforce = true in a policy file.',
    ),
    ...tagged(`${bold('-h')}, ${bold('--help')}`, 'after badness: all commands; after a command: its options.'),
    ...tagged(`${bold('-V')}, ${bold('--version')}`, 'the version.'),
    '.SH COMMANDS',
    ...COMMAND_NAMES.flatMap(command),
    '.SH EXIT STATUS',
    ...Object.values(EXITS).flatMap(({ code, words }) => tagged(bold(String(code)), words)),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, words]) => tagged(bold(name), words)),
    '.SH FILES',
    ...FILES.flatMap(([path, words]) => tagged(italic(path), words)),
    '.SH SEE ALSO',
    '.BR proc (5),',
    '.BR capabilities (7),',
    '.BR systemd.service (5)',
  ];
  return `${lines.join('\n')}\n`;
}
