/** Stage: report. Completion for bash: one function, which knows what stands before the word that is completed. */
import { COMMAND_NAMES, type CommandName, optionsOf, takesFile, wordsOf } from './commands.js';
import { type Offer, OPTIONS, type OptionName, optionNamed } from './options.js';

const OFFERS: Record<Offer, string> = {
  file: 'compgen -f',
  folder: 'compgen -d',
  group: 'compgen -g',
  program: 'compgen -c',
};

function names(option: OptionName): string[] {
  const { short } = optionNamed(option);
  return short ? [`-${short}`, `--${option}`] : [`--${option}`];
}

/** What is offered after an option that takes a value; nothing where nobody can guess it. */
function valueLines(option: OptionName): string[] {
  const { value, choices, offer } = optionNamed(option);
  if (value === undefined) return [];
  const made = choices ? `compgen -W '${choices.join(' ')}'` : offer ? OFFERS[offer] : null;
  const answer = made ? `mapfile -t COMPREPLY < <(${made} -- "$current"); ` : '';
  return [`    ${names(option).join(' | ')}) ${answer}return ;;`];
}

function commandLines(command: CommandName): string[] {
  const options = optionsOf(command).flatMap(names).join(' ');
  const words = wordsOf(command).join(' ');
  return [`    ${command}) options='${options}' words='${words}' files=${takesFile(command) ? 'yes' : ''} ;;`];
}

/** The script. */
export function bashLines(): string[] {
  return [
    '# Completion of badness for bash; made by: badness completion bash',
    '_badness() {',
    `  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}`,
    '  local options words files',
    '  COMPREPLY=()',
    '  if ((COMP_CWORD == 1)); then',
    `    mapfile -t COMPREPLY < <(compgen -W '${COMMAND_NAMES.join(' ')} --help --version' -- "$current")`,
    '    return',
    '  fi',
    '  case $previous in',
    ...(Object.keys(OPTIONS) as OptionName[]).flatMap(valueLines),
    '  esac',
    `  case \${COMP_WORDS[1]} in`,
    ...COMMAND_NAMES.flatMap(commandLines),
    '  esac',
    '  if [[ $current == -* ]]; then',
    '    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")',
    '  elif ((COMP_CWORD == 2)) && [[ -n $words ]]; then',
    '    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
    '  elif [[ -n $files ]]; then',
    '    mapfile -t COMPREPLY < <(compgen -f -- "$current")',
    '  fi',
    '}',
    'complete -o filenames -F _badness badness',
  ];
}
