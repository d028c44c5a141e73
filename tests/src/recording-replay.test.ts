/** Recordings in the place of a machine: what was read live is read from them, and both builds decide the same, byte for byte. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Decision, decide } from '../../src/decision.js';
import { type EngineBuild, openEngine } from '../../src/engine.js';
import { TappedFiles } from '../../src/linux/tapped-files.js';
import { definePolicy, type PolicyInput } from '../../src/policy/policy.js';
import { readTasksFrom } from '../../src/proc/read-all.js';
import { ineligibleTasks, rankTasks } from '../../src/rank.js';
import {
  loadRecorded,
  openRecordedChooser,
  parseRecording,
  RecordedFiles,
  RecordedMemory,
  type Recording,
  RecordingWriter,
  replayGuard,
  tasksMost,
} from '../../src/recording/index.js';
import { SNAPSHOT_FACTS_DEFAULT } from '../../src/recording/recording.js';
import { SCHEMES } from '../../src/schemes.js';
import { FakeProc, type FakeTask } from './support/fake-proc.js';

const BUILDS: EngineBuild[] = ['shared', 'baseline'];
const FOLDER = 'tests/fixtures';
const fixture = (name: string): Recording => parseRecording(readFileSync(`${FOLDER}/${name}`, 'utf8'));
const FIXTURES = readdirSync(FOLDER).filter((name) => name.endsWith('.proc'));

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

/** Every decision of a policy on a recording, snapshot by snapshot. */
async function decisionsOf(recording: Recording, build: EngineBuild, input: PolicyInput): Promise<string[]> {
  const engine = await openEngine({ maxTasks: tasksMost(recording), build });
  const files = new RecordedFiles(recording);
  const chooser = await openRecordedChooser(engine, files, definePolicy(input));
  return recording.snapshots.map((_, index) => {
    files.moveTo(index);
    try {
      return bytesOf(chooser.decide());
    } catch (error) {
      return (error as Error).message;
    }
  });
}

const RULES: PolicyInput = {
  rules: [
    { comm: 'task3', times: '1/2' },
    { cgroup: '*group*', user: 0, class: 'first', least: '8MiB' },
    { cmdline: '*word7*', never: true },
  ],
};

test('recording: both builds make the same decision records of the fixtures, byte for byte, in every scheme', async () => {
  assert.ok(FIXTURES.length >= 3);
  const seen = new Set<string>();
  for (const name of FIXTURES) {
    const recording = fixture(name);
    for (const input of [...SCHEMES.map((scheme) => ({ scheme })), RULES]) {
      const [shared, baseline] = await Promise.all(BUILDS.map((build) => decisionsOf(recording, build, input)));
      assert.deepEqual(baseline, shared, `${name} ${JSON.stringify(input)}`);
      for (const record of shared!) seen.add(record);
    }
  }
  assert.ok(seen.size > 30, 'different recordings and schemes give different records');
});

test('recording: a guard that replays a machine tells the same on both builds, and again', async () => {
  const policies: PolicyInput[] = [
    {},
    { thresholds: { term: { available: '70%' }, kill: { available: '40%' } } },
    RULES,
  ];
  for (const name of FIXTURES) {
    for (const input of policies) {
      const told = await Promise.all(
        [...BUILDS, BUILDS[0]!].map(async (build) => {
          const recording = fixture(name);
          const engine = await openEngine({ maxTasks: tasksMost(recording), build });
          const { events } = await replayGuard(recording, { policy: definePolicy(input), engine });
          return JSON.stringify(events.map(({ event, decision }) => [event, decision && bytesOf(decision)]));
        }),
      );
      assert.equal(told[1], told[0], name);
      assert.equal(told[2], told[0], name);
    }
  }
});

test('recording: a guard sees memory fall and says whom it would kill, when it would have seen it', async () => {
  const recording = fixture('limited-group.proc');
  const { events } = await replayGuard(recording);
  const levels = events.flatMap(({ event }) => (event.kind === 'level' ? [event.level] : []));
  assert.deepEqual(levels, ['warn', 'term']);
  const [round] = events.flatMap(({ event, snapshot }) => (event.kind === 'round' ? [{ ...event, snapshot }] : []));
  assert.equal(round!.report.outcome, 'dry');
  assert.equal(round!.report.victim!.comm, 'task3');
  assert.equal(round!.snapshot, recording.snapshots.length - 1);
  const [first, last] = [recording.snapshots[0]!, recording.snapshots.at(-1)!].map(({ monotonicMs }) => monotonicMs);
  assert.ok(round!.atMs >= last! && round!.atMs <= last! + 1000 && last! > first!);
});

test('recording: who is dying is waited for by a guard that replays it, and not longer than by a live one', async () => {
  const tasks = [
    '{"schema":1,"page_size":4096,"total_pages":1000,"uptime_s":50}',
    '{"tgid":5,"comm":"dying","total_vm_pages":900,"rss_pages":500,"state":"R","exiting":true}',
    '{"tgid":6,"comm":"next","total_vm_pages":90,"rss_pages":80}',
  ].map((line) => `  ${line}\n`);
  const memory = 'memory total_kib 4000 available_kib 10 basis_kib 4000 swap_total_kib 0 swap_free_kib 0';
  const recording = parseRecording(
    `badness-recording 1\nsnapshot monotonic_ms 1\n${memory}\ntasks\n${tasks.join('')}end\n`,
  );
  const { events } = await replayGuard(recording);
  const rounds = events.flatMap(({ event }) => (event.kind === 'round' ? [event] : []));
  assert.deepEqual(
    rounds.map(({ report }) => [report.outcome, report.victim?.comm]),
    [
      ['in-flight', undefined],
      ['dry', 'next'],
    ],
  );
  assert.ok(rounds[1]!.atMs >= 301 && rounds[1]!.atMs < 700, `chose after ${rounds[1]!.atMs} ms`);
});

test('recording: a policy that stands in it is the one that a guard replays', async () => {
  const text = readFileSync(`${FOLDER}/limited-group.proc`, 'utf8');
  const policy = 'policy\n  version = 1\n  scheme = "resident"\n';
  const recording = parseRecording(text.replace('domain memcg', `${policy}domain memcg`));
  assert.equal((await replayGuard(recording)).policy.scheme, 'resident');
  assert.equal((await replayGuard(recording, { policy: definePolicy() })).policy.scheme, 'badness');
});

test('recording: after a suspend the guard begins anew, and says so', async () => {
  const { events } = await replayGuard(fixture('hostile.proc'));
  assert.deepEqual(
    events.map(({ event }) => event.kind),
    ['level', 'round', 'resumed', 'unreadable', 'level'],
  );
});

test('recording: what is hostile in it is counted, and takes nobody else along', async () => {
  const files = new RecordedFiles(fixture('hostile.proc'));
  const engine = await openEngine({ maxTasks: 64 });
  const reading = loadRecorded(engine, files);
  assert.deepEqual(
    { tasks: reading.tasks, gone: reading.gone, unreadable: reading.unreadable },
    { tasks: 3, gone: 5, unreadable: 0 },
  );
  const { ranked } = rankTasks(engine);
  assert.deepEqual(
    ranked.map(({ tgid, comm, uid, rssPages }) => [tgid, comm, uid, rssPages]),
    [
      [100, 'a) R 1 (\x1b[31m\nx', 1000, 51200],
      [102, 'hidden', 1234, 900],
    ],
  );
  assert.equal(ineligibleTasks(engine)[0]!.comm, '\udcff\udcfe\u202e');
  files.moveTo(1);
  loadRecorded(engine, files);
  assert.equal(rankTasks(engine).victim, null, 'the one is gone, the other protected by a mark');
});

test('recording: task records stand in the place of files, with their marks', async () => {
  const records = [
    '{"schema":1,"page_size":4096,"total_pages":1000,"uptime_s":50}',
    '{"tgid":5,"comm":"a","rss_pages":90}',
    '{"tgid":6,"comm":"b","rss_pages":80}',
  ];
  const text = `badness-recording 1\nsnapshot monotonic_ms 1\nmark self 5\ntasks\n${records.map((line) => `  ${line}\n`).join('')}end\n`;
  const engine = await openEngine({ maxTasks: 64 });
  const recording = parseRecording(text);
  const reading = loadRecorded(engine, new RecordedFiles(recording));
  assert.equal(reading.machine.totalPages, 1000);
  assert.equal(rankTasks(engine).victim!.tgid, 6);
  assert.equal(ineligibleTasks(engine)[0]!.reason, 'self');
  const chooser = await openRecordedChooser(engine, new RecordedFiles(recording));
  assert.equal(chooser.decide().order[0]!.id, 6);
  assert.throws(() => chooser.memory.read(), { code: 'ENOMEMORY' });
});

test('recording: one without a machine, or without memory, is refused by name', async () => {
  const text = 'badness-recording 1\nsnapshot monotonic_ms 1\n/proc/1/stat\n  x\n';
  const engine = await openEngine({ maxTasks: 64 });
  const files = new RecordedFiles(parseRecording(text));
  assert.throws(() => loadRecorded(engine, files), { code: 'ENOTLINUX' });
  assert.throws(() => new RecordedMemory(files).read(), { code: 'ENOMEMORY', message: /\/proc\/meminfo/ });
  const odd = `${text}/proc/uptime\n  soon\n/proc/meminfo\n  MemTotal: 5 kB\n`;
  const oddFiles = new RecordedFiles(parseRecording(odd));
  assert.throws(() => loadRecorded(engine, oddFiles), { code: 'EBADMSG', message: /uptime/ });
});

test('recording: stalls count in a replay as a policy says', async () => {
  const psi = (avg10: string) =>
    `/proc/pressure/memory\n  some avg10=${avg10} avg60=0.00 avg300=0.00 total=5\n  full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n`;
  const memory = 'memory total_kib 4000 available_kib 3000 basis_kib 4000 swap_total_kib 0 swap_free_kib 0\n';
  const tasks = 'tasks\n  {"tgid":6,"comm":"a","total_vm_pages":90,"rss_pages":80}\n';
  const text = `badness-recording 1\nsnapshot monotonic_ms 1\n${memory}${tasks}${psi('1.00')}snapshot monotonic_ms 5000\n${memory}${tasks}${psi('60.00')}end\n`;
  const policy = definePolicy({ pressure: { mode: 'any', psi: { kind: 'some', average: 'avg10', term: 50 } } });
  const { events } = await replayGuard(parseRecording(text), { policy });
  const levels = events.flatMap(({ event }) => (event.kind === 'level' ? [[event.level, event.atMs >= 5000]] : []));
  assert.deepEqual(levels, [['term', true]]);
  assert.deepEqual((await replayGuard(parseRecording(text))).events, []);
});
