/** Stage: none (files). What all our TOML files have in common: the syntax, a version, and keys in small letters. */
import { show } from './checks.js';
import type { FileKind, Problems } from './policy-problems.js';
import type { Table } from './policy-tables.js';

const DEPTH_MAX = 32;

/** Reads TOML. Rejects with the error of the kind of file for what is none. */
export async function parseToml(text: string, name: string, kind: FileKind): Promise<Table> {
  const { parse, TomlError } = await import('./toml.js');
  try {
    return parse(text, { maxDepth: DEPTH_MAX });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const words = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw kind.error(name, [{ line: error.line, text: `is no TOML at column ${error.column}: ${words}` }]);
  }
}

/** Notes a version that is not the one that is known. */
export function checkVersion(version: unknown, known: number, problems: Problems): void {
  if (version === known) return;
  const isNewer = Number.isInteger(version) && (version as number) > known;
  const why = isNewer ? ': the file is for a newer badness than this one' : '';
  problems.add('version', `must be ${known}, got ${show(version)}${why}`);
}
