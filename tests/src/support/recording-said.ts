/** What a recording says, for comparing one with another. */
import assert from 'node:assert/strict';
import { BadnessError } from '../../../src/errors.js';
import { RecordingReader } from '../../../src/recording/reader.js';
import type { Entry, Recording } from '../../../src/recording/recording.js';

/** Entries by path, files as their bytes: of a recording that was read they lie elsewhere. */
export function plainEntries(entries: ReadonlyMap<string, Entry>) {
  return [...entries]
    .map(([path, entry]) => [path, entry.kind === 'file' ? { kind: entry.kind, bytes: entry.bytes } : entry])
    .sort();
}

/** Everything that a recording says, or why it is none. */
export function said(read: () => Recording) {
  try {
    const { snapshots, ...rest } = read();
    return {
      ...rest,
      snapshots: snapshots.map(({ entries, ...more }) => ({ ...more, entries: plainEntries(entries) })),
    };
  } catch (error) {
    assert.ok(error instanceof BadnessError, String(error));
    return `${error.code} ${error.message}`;
  }
}

/** Reads it as a stream is read. */
export function readByLines(text: string): Recording {
  const reader = new RecordingReader();
  const lines = text.split('\n');
  // What follows the last newline is a line only where there is something.
  for (const line of lines.at(-1) === '' ? lines.slice(0, -1) : lines) reader.add(line);
  return reader.end();
}
