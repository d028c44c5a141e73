/** Stage: report. Completion for zsh: _arguments of the command that the first word is. */
import { optionOf, type Said } from './command.js';
import { COMMAND_NAMES, type CommandName, commandNamed, takesFile, wordsOf } from './commands.js';
import { optionWords } from './help.js';
import { type Offer, type OptionName, optionNamed } from './options.js';

const OFFERS: Record<Offer, string> = {
  file: '_files',
  folder: '_files -/',
  group: '_groups',
  program: '_command_names -e',
};

/** Between single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Inside a specification of _arguments, where colons and brackets part. */
function plain(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&');
}

function optionSpec(said: Said, again: readonly OptionName[]): string {
  const name = optionOf(said);
  const { short, value, multiple, choices, offer } = optionNamed(name);
  const offered = choices ? `(${choices.join(' ')})` : offer ? OFFERS[offer] : ' ';
  const argument = value ? `:${plain(value)}:${offered}` : '';
  const words = `[${plain(optionWords(said))}]${argument}`;
  if (short) return `'(-${short} --${name})'{-${short},--${name}}${quoted(words)}`;
  return quoted(`${multiple || again.includes(name) ? '*' : ''}--${name}${words}`);
}

function commandLines(command: CommandName): string[] {
  const { sections, again = [] } = commandNamed(command);
  const specs = sections.flatMap(({ options }) => options.map((said) => optionSpec(said, again)));
  const words = wordsOf(command);
  if (words.length > 0) specs.push(quoted(`1:word:(${words.join(' ')})`));
  if (takesFile(command)) specs.push(quoted('*:file:_files'));
  return [
    `    ${command})`,
    '      _arguments \\',
    ...specs.map((spec) => `        ${spec} \\`),
    '        && return 0',
    '      ;;',
  ];
}

/** The script. */
export function zshLines(): string[] {
  const described = COMMAND_NAMES.map((name) => `    ${quoted(`${name}:${commandNamed(name).summary}`)}`);
  return [
    '#compdef badness',
    '# Completion of badness for zsh; made by: badness completion zsh',
    '_badness() {',
    '  local curcontext=$curcontext state line',
    '  local -a commands=(',
    ...described,
    '  )',
    "  _arguments -C '(- *)'{-h,--help}'[all commands]' '(- *)'{-V,--version}'[the version]' '1:command:->command' '*::word:->words' && return 0",
    '  if [[ $state == command ]]; then',
    '    _describe command commands',
    '    return',
    '  fi',
    '  case $words[1] in',
    ...COMMAND_NAMES.flatMap(commandLines),
    '  esac',
    '}',
    'if [[ $funcstack[1] == _badness ]]; then _badness "$@"; else compdef _badness badness; fi',
  ];
}
