/** Stage: report. What is written down of a command of the command line, and what several of them share. */
import type { ExitName } from './exit.js';
import type { OptionName } from './options.js';

/** An option, with the words of this command where it has its own. */
export type Said = OptionName | readonly [option: OptionName, words: string];

/** Options below one heading. */
export interface Section {
  readonly title?: string;
  readonly options: readonly Said[];
}

export interface Command {
  /** What may follow `badness`, one way a line. */
  readonly usage: readonly string[];
  /** What stands for the words after its name in the list of all commands. */
  readonly operand?: string;
  /** For that list. */
  readonly summary: string;
  /** Paragraphs. */
  readonly about: readonly string[];
  /** What the words after its name may be, and mean; the first in lower case are words of the command line. */
  readonly operands?: readonly (readonly [label: string, words: string])[];
  readonly sections: readonly Section[];
  /** Options that can be given again, each of which counts. */
  readonly again?: readonly OptionName[];
  /** What names there are. */
  readonly lists?: readonly ('Schemes' | 'Columns')[];
  readonly exits: readonly ExitName[];
}

export function optionOf(said: Said): OptionName {
  return typeof said === 'string' ? said : said[0];
}

export const SOURCES: Section = {
  title: 'Whose tasks',
  options: ['tasks', 'uptime', 'hz', 'total-pages', 'page-size', 'proc', 'replay', 'at'],
};
export const SCORING: Section = { title: 'How they are scored', options: ['max-discount', 'age', 'adj'] };
export const OUTPUT: Section = { title: 'How it is shown', options: ['json', 'no-color', 'help'] };

export const ANY: readonly ExitName[] = ['ok', 'unexpected', 'usage'];
export const LOOKING: readonly ExitName[] = [...ANY, 'noSuchPid', 'unknownScheme', 'notLinux', 'badTask', 'unreadable'];
export const KILLING: readonly ExitName[] = ['refused', 'stuck', 'noVictim', 'gone', 'busy'];
