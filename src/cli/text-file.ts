/** Stage: none (files). A small text file that the user names. */
import { readFileSync, writeFileSync } from 'node:fs';
import { CommandError, EXIT } from './exit.js';

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

export function writeTextFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new CommandError(EXIT.unreadable, `expected to write ${path}, got ${(error as NodeJS.ErrnoException).code}`);
  }
}
