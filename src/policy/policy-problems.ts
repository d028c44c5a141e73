/** Stage: none (files). What is wrong with a policy file, or another of its kind: collected by line, and thrown together. */
import { BadnessError } from '../errors.js';
import { refusalOf } from './checks.js';
import { keyLines } from './key-lines.js';
import { filePath, wordsBelow } from './spelling.js';

/** One thing that is wrong in a policy file. */
export interface PolicyProblem {
  /** From 1. */
  readonly line: number;
  /** The key, what was expected, and what came. */
  readonly text: string;
}

/** A text that is not the file it should be. The message has one line for each problem, with the name of the file and the line. */
export class TextFileError extends BadnessError {
  readonly problems: readonly PolicyProblem[];

  constructor(code: string, name: string, problems: readonly PolicyProblem[]) {
    super(code, problems.map(({ line, text }) => `${name}:${line}: ${text.replaceAll('\n', '\\n')}`).join('\n'));
    this.problems = Object.freeze([...problems]);
  }
}

/** `EPOLICY`: the text is no policy file. */
export class PolicyFileError extends TextFileError {
  constructor(name: string, problems: readonly PolicyProblem[]) {
    super('EPOLICY', name, problems);
    this.name = 'PolicyFileError';
  }
}

/** How a kind of file says what checks say, and what it is not. */
export interface FileKind {
  /** The path of a key, as a check has it, in the spelling of the file. */
  path(path: string): string;
  /** A sentence about keys. */
  words(words: string): string;
  error(name: string, problems: readonly PolicyProblem[]): TextFileError;
}

export const POLICY_KIND: FileKind = {
  path: filePath,
  words: (words) => wordsBelow('policy', words),
  error: (name, problems) => new PolicyFileError(name, problems),
};

/** Keys of tables in a sentence: `escalation.term_ms`. */
const KEYS = /[a-z_]+(?:\.[a-z_]+)+/g;

/** `a.b[0].c` → `a.b[0]` → `a.b` → `a` → nothing */
function around(path: string): string {
  const shorter = path.replace(/(\.[^.[]*|\[\d+\])$/, '');
  return shorter === path ? '' : shorter;
}

export class Problems {
  readonly #found: PolicyProblem[] = [];
  readonly #said = new Set<string>();
  readonly #lines: ReadonlyMap<string, number>;
  readonly #kind: FileKind;

  constructor(text: string, kind: FileKind = POLICY_KIND) {
    this.#lines = keyLines(text);
    this.#kind = kind;
  }

  get count(): number {
    return this.#found.length;
  }

  /** Something about a key, by its path in the file. `within`: the domain's table that may say it before the file does. */
  add(path: string, words: string, within = ''): void {
    const { line, prefix } = this.#place(path, words, within);
    const text = `${prefix}${path} ${words}`;
    // What stands above several domains is checked with each of them.
    const said = `${line} ${text}`;
    if (!this.#said.has(said)) this.#found.push({ line, text });
    this.#said.add(said);
  }

  /** Runs a check; what it refuses is noted. */
  async attempt(run: () => unknown, within = ''): Promise<void> {
    try {
      await run();
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      this.add(this.#kind.path(refusal.path), this.#kind.words(refusal.wanted) + refusal.got, within);
    }
  }

  throwIfAny(name: string): void {
    if (this.#found.length === 0) return;
    throw this.#kind.error(
      name,
      this.#found.toSorted((a, b) => a.line - b.line),
    );
  }

  /** Where a key stands, or the nearest table around it; else one of the keys that the words are about. */
  #place(path: string, words: string, within: string): { line: number; prefix: string } {
    const prefixes = within === '' ? [''] : [`${within}.`, ''];
    const paths = [];
    for (let at = path; at !== ''; at = around(at)) paths.push(at);
    for (const at of [...paths, ...(words.match(KEYS) ?? [])]) {
      for (const prefix of prefixes) {
        const line = this.#lines.get(prefix + at);
        if (line !== undefined) return { line, prefix };
      }
    }
    return { line: this.#lines.get(within) ?? 1, prefix: prefixes[0]! };
  }
}
