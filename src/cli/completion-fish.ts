/** Stage: report. Completion for fish: a line for every command, word and option. */
import { optionOf, type Said } from './command.js';
import { COMMAND_NAMES, type CommandName, commandNamed, takesFile, wordsOf } from './commands.js';
import { optionWords } from './help.js';
import { type Offer, optionNamed } from './options.js';

const OFFERS: Record<Offer, string> = {
  file: '-r -F',
  folder: "-x -a '(__fish_complete_directories)'",
  group: "-x -a '(__fish_complete_groups)'",
  program: "-x -a '(__fish_complete_command)'",
};

/** Between single quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function optionLine(command: CommandName, said: Said): string {
  const name = optionOf(said);
  const { short, value, choices, offer } = optionNamed(name);
  const offered = choices ? `-x -a ${quoted(choices.join(' '))}` : offer ? OFFERS[offer] : '-x';
  const parts = [`-n '__fish_seen_subcommand_from ${command}'`, ...(short ? [`-s ${short}`] : []), `-l ${name}`];
  return ['complete -c badness', ...parts, ...(value ? [offered] : []), `-d ${quoted(optionWords(said))}`].join(' ');
}

function commandLines(command: CommandName): string[] {
  const { summary, sections } = commandNamed(command);
  const seen = `-n '__fish_seen_subcommand_from ${command}'`;
  const words = wordsOf(command);
  const first = `${seen.slice(0, -1)}; and not __fish_seen_subcommand_from ${words.join(' ')}'`;
  return [
    `complete -c badness -n __fish_use_subcommand -a ${command} -d ${quoted(summary)}`,
    ...(words.length > 0 ? [`complete -c badness ${first} -a ${quoted(words.join(' '))}`] : []),
    ...(takesFile(command) ? [`complete -c badness ${seen} -F`] : []),
    ...sections.flatMap(({ options }) => options.map((said) => optionLine(command, said))),
  ];
}

/** The script. */
export function fishLines(): string[] {
  return [
    '# Completion of badness for fish; made by: badness completion fish',
    'complete -c badness -f',
    "complete -c badness -n __fish_use_subcommand -s h -l help -d 'all commands'",
    "complete -c badness -n __fish_use_subcommand -s V -l version -d 'the version'",
    ...COMMAND_NAMES.flatMap(commandLines),
  ];
}
