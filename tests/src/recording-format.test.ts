/** Recordings as text: what is written is read again, whatever its bytes; what is no recording is refused by line. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { BadnessError } from '../../src/errors.js';
import { loadRecorded } from '../../src/recording/load.js';
import { parseRecording } from '../../src/recording/reader.js';
import { RecordedFiles } from '../../src/recording/recorded-files.js';
import { type Entry, type Mark, type Recording, SNAPSHOT_FACTS_DEFAULT } from '../../src/recording/recording.js';
import { readSpelled, spelledFile, spelledWord } from '../../src/recording/spelling.js';
import { type MachineState, RecordingWriter } from '../../src/recording/writer.js';
import fc from './support/fast-check.js';
import { plainEntries, said } from './support/recording-said.js';

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map(latin1),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => latin1(Buffer.from(text))),
  fc.constantFrom(
    '',
    '\n',
    '\n\n',
    ' ',
    ' \n ',
    'a',
    'a\n',
    '\\',
    '\\\n',
    'a\\',
    '# no comment\n',
    '\t\n',
    '\r\n',
    '\xff',
    '\xe2\x80\xae\n',
  ),
);
const anyText = fc.string({ unit: 'grapheme', maxLength: 30 });
const segment = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }).map(latin1),
    fc.constantFrom('a b', 'stat', '...', '#', '->', latin1(Buffer.from('日'))),
  )
  .map((text) => text.replaceAll('/', '_').replaceAll('\0', '0'))
  .filter((text) => !/^\.{0,2}$/.test(text));
const path = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.constantFrom('stat', 'status', 'task/7/stat'))
    .map(([pid, file]) => `/proc/${pid}/${file}`),
  fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  anyBytes.map((bytes) => ({ kind: 'file' as const, bytes })),
  anyBytes.map((target) => ({ kind: 'link' as const, target })),
  fc.constantFrom('EACCES', 'ESRCH').map((code) => ({ kind: 'error' as const, code })),
);
const pids = fc.array(fc.nat(9), { maxLength: 4 });
const memory = fc.record(
  {
    totalKib: fc.nat(),
    availableKib: fc.nat(),
    basisKib: fc.nat(),
    swapTotalKib: fc.nat(),
    swapFreeKib: fc.nat(),
  },
  { noNullPrototype: true },
);
const marks = fc.array(
  fc.tuple(fc.constantFrom<Mark>('self', 'vfork', 'partial'), fc.array(fc.nat(9), { minLength: 1, maxLength: 3 })),
);
const facts = fc.record({
  marks: marks.map((pairs) => new Map(pairs)),
  members: pids,
  memory: fc.option(memory),
  shares: fc.array(fc.array(fc.nat(9), { minLength: 2, maxLength: 3 }), { maxLength: 2 }),
  tasks: fc.option(anyText),
  decision: fc.option(anyText),
});

function statesOf(
  parts: { entries: [string, Entry][]; facts: MachineState['facts']; stepMs: number; uid: number }[],
): MachineState[] {
  let monotonicMs = 0;
  return parts.map(({ entries, facts, stepMs, uid }) => {
    monotonicMs += stepMs;
    const owners = new Map(entries.flatMap(([path]) => (path.startsWith('/proc/') ? [[path, uid] as const] : [])));
    return {
      monotonicMs,
      bootMs: monotonicMs + 5,
      wallMs: 1.7e12 + monotonicMs,
      entries: new Map(entries),
      owners,
      facts,
    };
  });
}

const states = fc
  .array(
    fc.record({
      entries: fc.array(fc.tuple(path, entry), { maxLength: 12 }),
      facts,
      stepMs: fc.nat(5000),
      uid: fc.nat(2000),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map(statesOf);

/** A path cannot be a file and a folder at a time; what is written of such a machine need not be read back. */
function isTree({ entries }: MachineState): boolean {
  return ![...entries.keys()].some((one) => [...entries.keys()].some((other) => other.startsWith(`${one}/`)));
}

/** Marks in an order; none of a kind is as if it had not been said. */
function sortedMarks({ marks, ...rest }: MachineState['facts']) {
  return { ...rest, marks: [...marks].filter(([, list]) => list.length > 0).sort() };
}

function write(list: readonly MachineState[], comments: string[] = []): string {
  const writer = new RecordingWriter();
  return (
    writer.head({ policy: 'version = 1\n', users: new Map([['a b', 7]]) }, comments) +
    list.map((state) => writer.snapshot(state, comments)).join('') +
    writer.tail()
  );
}

test('recording: any bytes are spelled in printable lines and read back', () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, fc.uint8Array({ maxLength: 2000 }).map(latin1)), (bytes) => {
      const lines = spelledFile(bytes);
      for (const line of lines) assert.match(line, /^ {2}[^\p{C}]*[^\p{C}\p{Z}]$/u);
      const read = lines.map((line) => readSpelled(line.slice(2))!);
      assert.ok(read.slice(0, -1).every(({ open }) => !open));
      assert.equal(read.map((line) => line.bytes + (line.open ? '' : '\n')).join(''), bytes);
      const word = spelledWord(bytes.replaceAll('\n', ' '));
      assert.match(word, /^[^\p{C}\p{Z}]+$/u);
      assert.equal(readSpelled(word)!.bytes, bytes.replaceAll('\n', ' '));
    }),
    { numRuns: 2000 },
  );
});

test('recording: what is written is read again, snapshot by snapshot, forwards and back', () => {
  fc.assert(
    fc.property(
      states.filter((list) => list.every(isTree)),
      (list) => {
        const recording = parseRecording(write(list, ['a comment', '']));
        assert.equal(recording.isComplete, true);
        assert.equal(recording.facts.policy, 'version = 1\n');
        assert.deepEqual(recording.facts.users, new Map([['a b', 7]]));
        const files = new RecordedFiles(recording);
        for (const index of [...list.keys(), ...[...list.keys()].reverse()]) {
          files.moveTo(index);
          const { entries, owners, facts, ...moment } = list[index]!;
          assert.deepEqual(plainEntries(files.entries), plainEntries(entries));
          assert.deepEqual(new Map([...files.owners].sort()), new Map([...owners].sort()));
          assert.deepEqual(sortedMarks(files.facts), sortedMarks(facts));
          const { monotonicMs, bootMs, wallMs } = files.moment;
          assert.deepEqual({ monotonicMs, bootMs, wallMs }, moment);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('recording: what has not changed is not written again, and who is gone is said in one line', () => {
  const stat: Entry = { kind: 'file', bytes: '1 (a) S 0\n' };
  const at = (monotonicMs: number, entries: [string, Entry][]): MachineState => ({
    ...{ monotonicMs, bootMs: monotonicMs, wallMs: Number.NaN, owners: new Map(), facts: SNAPSHOT_FACTS_DEFAULT },
    entries: new Map(entries),
  });
  const writer = new RecordingWriter();
  writer.snapshot(
    at(1, [
      ['/proc/1/stat', stat],
      ['/proc/2/stat', stat],
      ['/proc/2/status', stat],
      ['/proc/meminfo', stat],
    ]),
  );
  const second = writer.snapshot(
    at(2, [
      ['/proc/1/stat', stat],
      ['/proc/meminfo', { kind: 'file', bytes: 'x\n' }],
    ]),
  );
  assert.equal(second, 'snapshot monotonic_ms 2 boot_ms 2\n/proc/2 gone\n/proc/meminfo\n  x\n');
});

const HEAD = 'badness-recording 1\n';
const SNAPSHOT = `${HEAD}snapshot monotonic_ms 5\n`;
const REFUSED: [text: string, words: RegExp][] = [
  ['', /line 0: expected badness-recording 1 first, got nothing/],
  ['hello\n', /line 1: expected badness-recording 1 first, got "hello"/],
  [HEAD, /line 1: expected a snapshot, got none/],
  [`${HEAD}page_sise 4096\n`, /line 2: expected a fact .* the nearest is page_size/],
  [`${HEAD}page_size 0\n`, /page_size: expected at least 1024, got 0/],
  [`${HEAD}page_size -1\n`, /line 2: page_size: expected an integer 0\.\.2147483648, got "-1"/],
  [`${HEAD}/proc/meminfo\n`, /files stand below a snapshot/],
  [`${HEAD}domain memcg 3 /a\n`, /expected domain system, memcg 1\|2 /],
  [`${HEAD}  text\n`, /line 2: expected a statement, got a line of a file/],
  [`${HEAD}snapshot\n`, /monotonic_ms: expected an integer .* got "nothing"/],
  [`${HEAD}snapshot monotonic_ms 5 wall yesterday\n`, /wall: expected a time such as/],
  [`${SNAPSHOT}snapshot monotonic_ms 4\n`, /line 3: monotonic_ms: expected at least .* 5, got 4/],
  [`${SNAPSHOT}/proc/../etc\n`, /expected an absolute path/],
  [`${SNAPSHOT}/proc//1\n`, /expected an absolute path/],
  [`${SNAPSHOT}/proc/1/stat\n  a\n/proc/1/stat\n`, /line 5: expected each path once/],
  [`${SNAPSHOT}/proc/1/stat\n  a\\q\n`, /line 4: expected .* after a backslash/],
  [`${SNAPSHOT}/proc/1/stat\n  a\\\n  b\n`, /line 5: expected no further line/],
  [`${SNAPSHOT}/proc/1/stat\n a\n`, /expected two blanks/],
  [`${SNAPSHOT}/proc/1/stat error 5\n`, /expected an errno name/],
  [`${SNAPSHOT}/proc/1 owner 4294967296\n`, /owner: expected an integer/],
  [`${SNAPSHOT}/proc/1 is gone\n`, /expected nothing, gone, owner UID/],
  [`${SNAPSHOT}mark selfe 1\n`, /mark: expected one of self, protected/],
  [`${SNAPSHOT}memory total_kib 1\n`, /available_kib: expected an integer/],
  [`${SNAPSHOT}memori total_kib 1\n`, /the nearest is memory/],
  [`${SNAPSHOT}end\nmark self 1\n`, /expected nothing after end/],
  [`${SNAPSHOT}${'x'.repeat(1_048_577)}\n`, /expected at most 1048576 characters/],
];

test('recording: what is none is refused with its line, what was expected and what came', () => {
  for (const [text, words] of REFUSED) {
    assert.throws(
      () => parseRecording(text),
      { code: 'ERECORDING', message: words },
      JSON.stringify(text.slice(0, 80)),
    );
  }
});

test('recording: a newer version is refused by name', () => {
  assert.throws(() => parseRecording('badness-recording 2\nwhatever\n'), {
    code: 'ESCHEMA',
    message: /badness-recording 1, got 2: .* newer badness/,
  });
});

test('recording: it takes no more than its limits', () => {
  const many = SNAPSHOT + Array.from({ length: 20 }, (_, pid) => `/proc/${pid}/stat\n  x\n`).join('');
  assert.throws(() => parseRecording(many, { statements: 10 }), /at most 10 statements/);
  assert.throws(() => parseRecording(many, { bytes: 100 }), /at most 100 bytes/);
  assert.throws(() => parseRecording(`${SNAPSHOT}snapshot monotonic_ms 6\n`, { snapshots: 1 }), /at most 1 snapshots/);
  assert.equal(parseRecording(many).snapshots[0]!.entries.size, 20);
});

test('recording: lines of other systems, blank lines and comments anywhere change nothing', () => {
  const bare = `${SNAPSHOT}/proc/1/stat\n  a\n  b\nend\n`;
  const decorated = `\ufeff${bare.replaceAll('\n', '\r\n\r\n# a comment\r\n')}`;
  assert.deepEqual(
    said(() => parseRecording(decorated)),
    said(() => parseRecording(bare)),
  );
  assert.equal(new RecordedFiles(parseRecording(decorated)).text('/proc/1/stat'), 'a\nb\n');
});

const FIXTURE = readFileSync('tests/fixtures/limited-group.proc', 'utf8').split('\n');

test('recording: whatever lines are changed, left out or put in, it is read or refused with a line, and replays or is refused', async () => {
  const engine = await openEngine({ maxTasks: 256 });
  const line = fc.oneof(
    fc.constantFrom(...FIXTURE.slice(0, 400)),
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  const edit = fc.tuple(fc.nat(FIXTURE.length), fc.constantFrom(0, 1, 3), fc.array(line, { maxLength: 2 }));
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), (edits) => {
      const lines = [...FIXTURE];
      for (const [at, cut, put] of edits) lines.splice(at, cut, ...put);
      let recording: Recording;
      try {
        recording = parseRecording(lines.join('\n'));
      } catch (error) {
        assert.ok(error instanceof BadnessError);
        assert.match(error.message, /^line \d+: (\w+: )?expected /);
        return;
      }
      const files = new RecordedFiles(recording);
      for (const index of recording.snapshots.keys()) {
        files.moveTo(index);
        try {
          loadRecorded(engine, files);
        } catch (error) {
          assert.ok(error instanceof BadnessError, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});
