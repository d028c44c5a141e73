/** Stage: none (files). A small text file that the user names. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { PolicyFileError } from '../policy/index.js';
import { CommandError, causeOf, EXIT } from './exit.js';
import { harmless } from './names.js';
import { counted } from './quantities.js';

/** What is longer is no file that a person wrote. */
const FILE_BYTES = 1 << 20;

/** Reads it whole. `what`: what it should be. */
export function readTextFile(path: string, what: string): string {
  const refuse = (got: string) => new CommandError(EXIT.unreadable, `expected ${what} at ${path}, got ${got}`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw refuse((error as NodeJS.ErrnoException).code ?? String(error));
  }
  if (bytes.length > FILE_BYTES) throw refuse(`more than ${FILE_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('text that is not UTF-8');
  }
}

/** What `read` makes of a file. Everything that is wrong in it goes to standard error, a line each; thrown is how much that was. */
export async function wellFormed<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { problems, message } = error as Partial<PolicyFileError>;
    if (problems === undefined) throw error;
    process.stderr.write(`${harmless(message!)}\n`);
    throw new CommandError(causeOf(error).exit, `${path}: ${counted(problems.length, 'error')}`);
  }
}

export function writeTextFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new CommandError(EXIT.unreadable, `expected to write ${path}, got ${(error as NodeJS.ErrnoException).code}`);
  }
}
