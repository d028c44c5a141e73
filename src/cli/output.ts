/** Stage: report. Data goes to standard output, words to standard error; a reader that has seen enough is no error. */
import { once } from 'node:events';
import { harmless, harmlessJson } from './names.js';

/** Says something to whoever looks, on standard error. */
export function say(words: string): void {
  process.stderr.write(`badness: ${harmless(words)}\n`);
}

/** Ends quietly when whoever read standard output has gone (`badness rank | head`). */
export function heedClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    say(`expected to write to standard output, got ${error.code}`);
    process.exit(1);
  });
}

/** Text that ends with a newline, as lines. */
export function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

/** Writes text, no faster than it is read. */
export async function writeText(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Lines for people, without colours: whatever was put into them, nothing reaches the terminal as more than text. */
export function writeWords(lines: readonly string[]): Promise<void> {
  return writeLines(lines.map(harmless));
}

const BATCH = 512;

/** Writes lines, a batch at a time, no faster than they are read. Words are harmless already; in JSON names stand as they are. */
export function writeLines(lines: Iterable<string>): Promise<void> {
  return writeExactly(lines, harmlessJson);
}

/** The same for a recording, of which every byte counts. */
export async function writeExactly(lines: Iterable<string>, as = (line: string) => line): Promise<void> {
  let batch: string[] = [];
  const flush = () => {
    const text = `${batch.join('\n')}\n`;
    batch = [];
    return writeText(text);
  };
  for (const line of lines) {
    batch.push(as(line));
    if (batch.length >= BATCH) await flush();
  }
  if (batch.length > 0) await flush();
}
