/** Stage: none (files). A small text file that the user names. */
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import type { PolicyFileError } from '../policy/index.js';
import { CommandError, causeOf, EXIT } from './exit.js';
import { harmless } from './names.js';
import { counted } from './quantities.js';

/** What is longer is no file that a person wrote. */
const FILE_BYTES = 1 << 20;
const STDIN = 0;

/** What a descriptor has, and no more than a byte beyond what is taken: a device, or a pipe, may never end. */
function readFrom(fd: number): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES + 1);
  let length = 0;
  for (let got = 1; got > 0; length += got) got = readSync(fd, bytes, length, bytes.length - length, null);
  return bytes.subarray(0, length);
}

function refused(what: string, path: string, got: string): CommandError {
  return new CommandError(EXIT.unreadable, `expected ${what} at ${path}, got ${got}`);
}

/** Reads it whole, `-` being standard input. `what`: what it should be. */
export function readBytes(path: string, what: string): Buffer {
  let bytes: Buffer;
  try {
    const fd = path === '-' ? STDIN : openSync(path, 'r');
    try {
      bytes = readFrom(fd);
    } finally {
      if (fd !== STDIN) closeSync(fd);
    }
  } catch (error) {
    throw refused(what, path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
  if (bytes.length > FILE_BYTES) throw refused(what, path, `more than ${FILE_BYTES} bytes`);
  return bytes;
}

/** As readBytes, and it has to be UTF-8. */
export function readTextFile(path: string, what: string): string {
  const bytes = readBytes(path, what);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused(what, path, 'text that is not UTF-8');
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
