/** Stage: report. `badness completion`: what bash, zsh or fish offer, made from the commands and their options. */
import { firstWord, readArguments, usage } from './arguments.js';
import { bashLines } from './completion-bash.js';
import { fishLines } from './completion-fish.js';
import { zshLines } from './completion-zsh.js';
import { commandHelp } from './help.js';
import { writeLines } from './output.js';

const SHELLS = { bash: bashLines, zsh: zshLines, fish: fishLines } as const;
type Shell = keyof typeof SHELLS;

/** Runs the command. `argv` is what follows its name. */
export async function completion(argv: string[]): Promise<void> {
  const { values, positionals } = readArguments('completion', argv);
  if (values.help) return writeLines(commandHelp('completion'));
  const [word, extra] = positionals;
  const shell = firstWord('completion', word, Object.keys(SHELLS) as Shell[]);
  if (extra !== undefined) throw usage(`completion ${shell}: nothing may follow, got ${JSON.stringify(extra)}`);
  await writeLines(SHELLS[shell]());
}
