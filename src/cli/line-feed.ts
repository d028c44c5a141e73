/** Stage: bytes → table. A file, or standard input, cut into lines without holding its whole text. */
import { createReadStream } from 'node:fs';
import { CommandError, EXIT } from './exit.js';

const LINE_END = 0x0a;
const LINE_BYTES_MAX = 4 << 20;

function badLine(line: number, words: string): CommandError {
  return new CommandError(EXIT.badTask, `line ${line}: ${words}`);
}

/** Whoever takes lines one after the other, and says itself what is wrong with one. */
export interface LineReader {
  add(line: string): void;
}

/** Cuts a stream of bytes into lines of text and hands them to the reader. `hint` says what to do about bytes that are no UTF-8. */
async function feed(stream: AsyncIterable<Buffer>, reader: LineReader, hint: string): Promise<void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let begun: Buffer[] = [];
  let held = 0;
  let number = 0;
  const take = (last: Buffer) => {
    number += 1;
    const bytes = begun.length === 0 ? last : Buffer.concat([...begun, last]);
    begun = [];
    held = 0;
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      throw badLine(number, `expected UTF-8; ${hint}`);
    }
    reader.add(text);
  };
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    held += chunk.length - from;
    // A line that never ends must not take all memory.
    if (held > LINE_BYTES_MAX)
      throw badLine(number + 1, `expected at most 1 MiB, got more than ${LINE_BYTES_MAX} bytes`);
  }
  if (begun.length > 0) take(Buffer.alloc(0));
}

/** Hands a file to a reader, line by line, `-` being standard input. `what` it should be, for who gave another path. */
export async function feedFile(path: string, reader: LineReader, what: string, hint: string): Promise<void> {
  const stream = path === '-' ? process.stdin : createReadStream(path);
  try {
    await feed(stream, reader, hint);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new CommandError(EXIT.unreadable, `expected ${what} at ${path}, got ${code}`);
  }
}
