/** Stage: none (files). The tables of scenario and case files: every key is looked at by itself, so that one error does not hide the others. */
import { type Check, isPlain, keyed } from '../policy/checks.js';
import { type FileKind, type PolicyProblem, Problems, type TextFileError } from '../policy/policy-problems.js';
import { respelled, type Table } from '../policy/policy-tables.js';
import { pathBelow, wordsBelow } from '../policy/spelling.js';
import { checkVersion, parseToml } from '../policy/toml-text.js';

/** Checks by key; a table, or a list of tables, has a shape of its own. */
export interface KeyShape {
  readonly [key: string]: readonly [check: Check<unknown>, fallback?: unknown];
}

/** Notes what is wrong with each key of a table, found at `path`. `within`: the shapes of those that are tables or lists of them. */
async function checkKeys(
  table: Table,
  path: string,
  shape: KeyShape,
  within: { readonly [key: string]: KeyShape },
  problems: Problems,
): Promise<void> {
  for (const [key, value] of Object.entries(table)) {
    const at = `${path}.${key}`;
    const inner = Object.hasOwn(within, key) ? within[key] : undefined;
    if (!Object.hasOwn(shape, key)) await problems.attempt(() => keyed({ [key]: value }, path, Object.keys(shape)));
    else if (inner && isPlain(value)) await checkKeys(value, at, inner, {}, problems);
    else if (inner && Array.isArray(value) && value.every(isPlain)) {
      for (const [index, one] of value.entries()) await checkKeys(one, `${at}[${index}]`, inner, within, problems);
    } else await problems.attempt(() => shape[key]![0](value, at));
  }
}

/** A kind of file whose checks say paths from `root` on. */
export interface CheckedFile<T> {
  readonly root: string;
  readonly version: number;
  readonly shape: KeyShape;
  /** The shapes of those keys that are tables or lists of them. */
  readonly within: { readonly [key: string]: KeyShape };
  error(name: string, problems: readonly PolicyProblem[]): TextFileError;
  /** Checks all of it together. */
  define(input: Table): T;
}

/** Reads a text of that kind. `name` stands in messages. Rejects with its error, which has a line for everything that is wrong. */
export async function readChecked<T>(text: string, name: string, file: CheckedFile<T>): Promise<T> {
  const { root, error } = file;
  const kind: FileKind = { path: (path) => pathBelow(root, path), words: (words) => wordsBelow(root, words), error };
  const { version, ...others } = await parseToml(text, name, kind);
  const problems = new Problems(text, kind);
  checkVersion(version, file.version, problems);
  // Of a newer file nobody knows what its keys mean.
  problems.throwIfAny(name);
  const input = respelled(others, '', problems) as Table;
  await checkKeys(input, root, file.shape, file.within, problems);
  problems.throwIfAny(name);
  const defined: T[] = [];
  await problems.attempt(() => defined.push(file.define(input)));
  problems.throwIfAny(name);
  return defined[0]!;
}
