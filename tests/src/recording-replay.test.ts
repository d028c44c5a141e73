/** What was read of a live /proc is read from its recording, and both builds decide the same on it; replay.test.ts has the rest. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Decision, decide } from '../../src/decision.js';
import { type EngineBuild, openEngine } from '../../src/engine.js';
import { TappedFiles } from '../../src/linux/tapped-files.js';
import { readTasksFrom } from '../../src/proc/read-all.js';
import { ineligibleTasks, rankTasks } from '../../src/rank.js';
import {
  loadRecorded,
  parseRecording,
  RecordedFiles,
  type Recording,
  RecordingWriter,
} from '../../src/recording/index.js';
import { SNAPSHOT_FACTS_DEFAULT } from '../../src/recording/recording.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';
import { FIXTURES } from './support/recordings.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];

/** The record without its number in its memory. */
function bytesOf({ bytes }: Decision): string {
  return Buffer.from(bytes).toString('hex');
}

/** What was read below a folder, as if it had been /proc. */
function recordingOf(files: TappedFiles, root: string): Recording {
  const moved = <T>(map: ReadonlyMap<string, T>) =>
    new Map(Array.from(map, ([path, value]) => [path.replace(root, '/proc'), value]));
  const writer = new RecordingWriter();
  const moment = { monotonicMs: 5, bootMs: 5, wallMs: 0 };
  const state = {
    ...moment,
    entries: moved(files.entries),
    owners: moved(files.owners),
    facts: SNAPSHOT_FACTS_DEFAULT,
  };
  return parseRecording(writer.head() + writer.snapshot(state) + writer.tail());
}

const ODD: FakeTask[] = [
  { pid: 1, comm: 'init', vm: 90, rss: 40 },
  { pid: 2, comm: 'kthreadd', flags: 0x200000, mm: false },
  { pid: 10, comm: 'a) S 1 (', vm: 5000, rss: 900, statRss: 890, pte: 16, swap: 7, uid: 1000, adj: -17, utime: 500 },
  { pid: 11, comm: 'line\nbreak\\n', vm: 8000, rss: 2000, pte: 40, groups: 20_000 },
  { pid: 12, comm: Buffer.from([0xff, 0x20, 0x80]), vm: 300, rss: 70, nice: 10 },
  // A leader that has exited, and its thread.
  { pid: 13, comm: 'leader', state: 'Z', threads: 2, mm: false },
  // A child of vfork, and its parent.
  { pid: 14, comm: 'parent', vm: 6000, rss: 3000, threads: 1 },
  { pid: 15, comm: 'parent', vm: 6000, rss: 3000, ppid: 14, flags: 0x40 },
];

test('recording: what was read of an odd /proc is read from its recording, down to the digest', async (t) => {
  const proc = new FakeProc({ uptimeS: 4000.5, swapTotalKib: 4096, swapFreeKib: 1000 });
  t.after(() => proc.remove());
  for (const task of ODD) proc.put(task);
  proc.put({ pid: 13, comm: 'leader', vm: 7000, rss: 4000, threads: 2 }, '13/task/77');
  proc.put({ pid: 14, comm: 'parent', state: 'D', vm: 6000, rss: 3000 }, '14/task/14');
  const engine = await openEngine({ maxTasks: 64 });
  const files = new TappedFiles();
  const live = readTasksFrom(engine, files, { root: proc.root, members: () => ODD.map(({ pid }) => String(pid)) });
  const decided = decide(engine, { totalPages: live.machine.totalPages });
  const recording = recordingOf(files, proc.root);
  for (const build of BUILDS) {
    const other = await openEngine({ maxTasks: 64, build });
    const read = loadRecorded(other, new RecordedFiles(recording));
    assert.deepEqual({ ...read, scoring: undefined }, { ...live, scoring: undefined });
    assert.deepEqual(bytesOf(decide(other, { totalPages: read.machine.totalPages })), bytesOf(decided));
    rankTasks(other);
    assert.equal(ineligibleTasks(other).find(({ tgid }) => tgid === 15)?.reason, 'vfork');
    assert.equal(read.tasks, ODD.length);
  }
});

test('recording: every recording among the fixtures is replayed by the suite of all runtimes', () => {
  assert.deepEqual(
    readdirSync('tests/fixtures').filter((name) => name.endsWith('.proc')),
    [...FIXTURES],
  );
});
