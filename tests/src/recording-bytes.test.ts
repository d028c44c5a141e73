/** A recording is read from its bytes, mostly by a shorter way than line by line: what it says is the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecording } from '../../src/recording/reader.js';
import { RecordedFiles } from '../../src/recording/recorded-files.js';
import type { Entry } from '../../src/recording/recording.js';
import fc from './support/fast-check.js';
import { plainEntries, readByLines, said } from './support/recording-said.js';

const SNAPSHOT = 'badness-recording 1\nsnapshot monotonic_ms 5\n';

test('recording: whole, as bytes and line by line it says the same, and is refused for the same', () => {
  const pieces = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('/proc/1/stat\n', '/proc/1/status\n', '/proc/2/stat\n', '/a -> b\n') },
    { weight: 8, arbitrary: fc.constantFrom('  Name:\\ta\n', '  1 (a b) S\n', '\tx\n', '    count: 5\n', '  \\-\n') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('  a\\\n', '  \\x41\\\\\n', '  caf\u00e9\n', '  日\\t\n', '/proc/é\n', '  a\\t\n'),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ' x\n',
        '  a\\q\n',
        '   \n',
        '  \n',
        '\n',
        '# c\n',
        '  a\r\n',
        '  a \n',
        '  a',
        '\u00a0\n',
        '  \x01\n',
      ),
    },
    fc.constantFrom('snapshot monotonic_ms 9\n', 'end\n', 'tasks\n', 'mark self 1\n', '/proc/1 gone\n'),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (list) => {
      const text = SNAPSHOT + list.join('');
      const byLines = said(() => readByLines(text));
      assert.deepEqual(
        said(() => parseRecording(text)),
        byLines,
      );
      assert.deepEqual(
        said(() => parseRecording(new TextEncoder().encode(text))),
        byLines,
      );
    }),
    { numRuns: 3000 },
  );
  assert.throws(() => parseRecording(Uint8Array.of(0xff)), /^RangeError: expected UTF-8/);
});

test('recording: lines as long as may be are read, longer ones are not, wherever they stand', () => {
  for (const line of ['/proc/1/stat\n  ', `tasks\n  `]) {
    const of = (length: number) => `${SNAPSHOT}${line}${'x'.repeat(length - 2)}\nend\n`;
    assert.deepEqual(
      said(() => parseRecording(of(1 << 20))),
      said(() => readByLines(of(1 << 20))),
    );
    assert.throws(() => parseRecording(of((1 << 20) + 1)), /line 4: expected at most 1048576 characters, got 1048577/);
  }
});

test('recording: a file that comes line by line may be of any length, and so may the next', () => {
  const lines = Array.from({ length: 9000 }, (_, index) => `  line ${index} of a file`);
  const text = `${SNAPSHOT}/proc/1/stat\n${lines.join('\n')}\n/proc/2/stat\n${lines.slice(7).join('\n')}\n`;
  const { entries } = new RecordedFiles(readByLines(text));
  assert.deepEqual(plainEntries(entries), plainEntries(parseRecording(text).snapshots[0]!.entries));
  const file = entries.get('/proc/2/stat') as Entry & { kind: 'file' };
  assert.equal(
    file.bytes,
    lines
      .slice(7)
      .map((line) => `${line.slice(2)}\n`)
      .join(''),
  );
});

test('recording: one that was cut off is read, and says so', () => {
  assert.equal(readByLines(`${SNAPSHOT}/proc/1/stat\n  a`).isComplete, false);
});
