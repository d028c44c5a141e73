/** The table that is kept from snapshot to snapshot of a recording holds what reading each snapshot anew gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../../src/engine.js';
import { KeptTable } from '../../src/recording/kept-table.js';
import { loadRecorded } from '../../src/recording/load.js';
import { parseRecording } from '../../src/recording/reader.js';
import { RecordedFiles } from '../../src/recording/recorded-files.js';
import { type Entry, type Mark, SNAPSHOT_FACTS_DEFAULT } from '../../src/recording/recording.js';
import { tasksMost } from '../../src/recording/replay-guard.js';
import { type MachineState, RecordingWriter } from '../../src/recording/writer.js';
import { slotOf } from '../../src/rows.js';
import { taskAt } from '../../src/task.js';
import { type FakeTask, statmText, statText, statusText } from './support/fake-proc.js';
import fc from './support/fast-check.js';

const PF_FORKNOEXEC = 0x40;
const RECORDS = `{"schema":1,"page_size":4096,"hz":100,"uptime_s":9,"total_pages":9}
{"tgid":7,"comm":"x","rss_pages":5}
`;

/** A task, and which of its files are there: status, stat, that of its thread, statm. */
type Told = FakeTask & { readonly files: number };

interface At {
  readonly tasks: readonly Told[];
  readonly uptime: number;
  readonly marks: ReadonlyMap<Mark, readonly number[]>;
  readonly members: readonly number[] | null;
  readonly isRecords: boolean;
}

const PLAIN_AT: At = { tasks: [], uptime: 1, marks: new Map(), members: null, isRecords: false };
const file = (bytes: string): Entry => ({ kind: 'file', bytes });

function taskEntries({ files, ...task }: Told): [string, Entry][] {
  const root = `/proc/${task.pid}`;
  const stat = statText(task).toString('latin1');
  const all: [string, Entry][] = [
    [`${root}/status`, file(statusText(task).toString('latin1'))],
    [`${root}/stat`, file(stat)],
    [`${root}/task/${task.pid}/stat`, file(stat)],
    [`${root}/statm`, file(statmText(task))],
  ];
  return all.filter((_, index) => (files & (1 << index)) !== 0);
}

const pid = fc.integer({ min: 1, max: 9 });
const told: fc.Arbitrary<Told> = fc.record({
  pid,
  vm: fc.integer({ min: 3, max: 4 }),
  rss: fc.integer({ min: 1, max: 3 }),
  flags: fc.constantFrom(0, PF_FORKNOEXEC),
  ppid: pid,
  state: fc.constantFrom('S', 'D'),
  files: fc.constantFrom(15, 15, 15, 15, 15, 13, 14, 4),
  // Beyond 19 it is refused.
  nice: fc.constantFrom(0, 0, 0, 5, 30),
});
const mark = fc.tuple(fc.constantFrom<Mark>('self', 'dying'), fc.array(pid, { minLength: 1, maxLength: 2 }));
const moment: fc.Arbitrary<At> = fc.record({
  tasks: fc.uniqueArray(told, { selector: (one) => one.pid, minLength: 3, maxLength: 6 }),
  uptime: fc.integer({ min: 100, max: 200 }),
  marks: fc.array(mark, { maxLength: 2 }).map((pairs) => new Map(pairs)),
  members: fc.uniqueArray(pid, { maxLength: 5 }),
  isRecords: fc.constantFrom(false, false, false, false, true),
});

function recordingText(moments: readonly At[]): string {
  const writer = new RecordingWriter();
  const snapshots = moments.map(({ tasks, uptime, marks, members, isRecords }, index) => {
    const state: MachineState = {
      ...{ monotonicMs: index, bootMs: index, wallMs: Number.NaN, owners: new Map() },
      entries: new Map([
        ['/proc/uptime', file(`${uptime}.00 1.00\n`)],
        ['/proc/meminfo', file('MemTotal: 1000 kB\n')],
        ['/proc/self/stat', file('none\n')],
        ...tasks.flatMap(taskEntries),
      ]),
      facts: { ...SNAPSHOT_FACTS_DEFAULT, marks, members, tasks: isRecords ? RECORDS : null },
    };
    return writer.snapshot(state);
  });
  return writer.head() + snapshots.join('') + writer.tail();
}

function rowsOf(engine: Engine): unknown {
  const rows = Array.from({ length: engine.count }, (_, slot) => ({
    ...taskAt(engine, slot),
    ...{ flags: engine.u32(L.C_FLAGS, slot), charge: engine.f64(L.C_CHARGE, slot) },
  }));
  const uptime = engine.view.getFloat64(engine.snapshot + L.S_UPTIME_TICKS, true);
  return { uptime, rows: rows.sort((a, b) => a.tgid - b.tgid) };
}

function flagsIn(engine: Engine): number[] {
  return Array.from({ length: engine.count }, (_, slot) => engine.u32(L.C_FLAGS, slot));
}

/** Goes through a recording; `look` is told of each snapshot at which the table was loaded. */
function through(
  engine: Engine,
  text: string,
  isLoaded: (index: number) => boolean,
  look: (table: KeptTable, files: RecordedFiles) => void,
): void {
  const files = new RecordedFiles(parseRecording(text));
  const table = new KeptTable(engine, files);
  for (const [index, change] of files.recording.snapshots.entries()) {
    files.moveTo(index);
    table.note(change);
    if (!isLoaded(index)) continue;
    table.load();
    look(table, files);
  }
}

test('kept table: whoever comes, goes and changes, it is that of reading the snapshot anew', async () => {
  const [kept, fresh] = [await openEngine({ maxTasks: 64 }), await openEngine({ maxTasks: 64 })];
  let rows = 0;
  const moments = fc.array(moment, { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(moments, fc.boolean(), fc.nat(63), (list, hasMembers, loaded) => {
      const text = recordingText(hasMembers ? list : list.map((one) => ({ ...one, members: null })));
      // Not every snapshot is one at which memory is short.
      through(
        kept,
        text,
        (index) => (loaded & (1 << index)) !== 0,
        (table, files) => {
          loadRecorded(fresh, files);
          assert.deepEqual(rowsOf(kept), rowsOf(fresh));
          assert.deepEqual([...table.flags], flagsIn(kept));
          rows += kept.count;
        },
      );
    }),
    { numRuns: 700 },
  );
  assert.ok(rows > 1000, `there was something to see: ${rows} rows`);
});

test('kept table: whoever had no room in one snapshot has it in the next', async () => {
  const engine = await openEngine({ maxTasks: 1 });
  const tasks = Array.from({ length: 65 }, (_, index): Told => ({ pid: 1 + index, rss: 1, files: 15 }));
  const pids: number[][] = [];
  const text = recordingText([
    { ...PLAIN_AT, tasks },
    { ...PLAIN_AT, tasks: tasks.slice(1) },
  ]);
  through(
    engine,
    text,
    () => true,
    () => {
      pids.push(Array.from({ length: engine.count }, (_, slot) => engine.u32(L.C_ID, slot)).sort((a, b) => a - b));
    },
  );
  const all = tasks.map((task) => task.pid);
  assert.deepEqual(pids, [all.slice(0, 64), all.slice(1)]);
});

test('kept table: that all of /proc is gone means everybody', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  const machine = '/proc/uptime\n  1.00 1.00\n/proc/meminfo\n  MemTotal: 1000 kB\n';
  const first = recordingText([{ ...PLAIN_AT, tasks: [{ pid: 5, rss: 1, files: 15 }] }]);
  const counts: number[] = [];
  const text = first.replace(/end\n$/, `snapshot monotonic_ms 2\n/proc gone\n${machine}end\n`);
  through(
    engine,
    text,
    () => true,
    () => counts.push(engine.count),
  );
  assert.deepEqual(counts, [1, 0]);
});

test('kept table: a child in vfork is one for as long as its parent waits, though no file of its own changes', async () => {
  const engine = await openEngine({ maxTasks: 64 });
  const child: Told = { pid: 5, ppid: 4, vm: 9, rss: 3, flags: PF_FORKNOEXEC, files: 15 };
  const at = (state: string): At => ({ ...PLAIN_AT, tasks: [{ pid: 4, vm: 9, rss: 3, state, files: 15 }, child] });
  const text = recordingText(['D', 'S', 'D'].map(at));
  assert.equal(text.match(/^\/proc\/5\/stat$/gm)?.length, 1);
  const found: boolean[] = [];
  through(
    engine,
    text,
    () => true,
    () => found.push((engine.u32(L.C_FLAGS, slotOf(engine, 5)) & L.TASK_VFORK) !== 0),
  );
  assert.deepEqual(found, [true, false, true]);
});

test('kept table: room is made for every task, wherever other files stand', () => {
  const stat = (one: number) => `/proc/${one}/stat\n/proc/${one}/status\n`;
  const most = (files: string) => tasksMost(parseRecording(`badness-recording 1\nsnapshot monotonic_ms 1\n${files}`));
  assert.equal(most(''), 1);
  assert.equal(most(`/a\n/proc/uptime\n${stat(1)}/b\n${stat(2)}/proc/meminfo\n`), 2);
  assert.equal(most(`${stat(1)}${stat(2)}snapshot monotonic_ms 2\n/proc/1 gone\n${stat(3)}`), 3);
});
