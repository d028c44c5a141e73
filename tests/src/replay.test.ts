/** The replay suite of every runtime and build: recordings in the place of a machine, and the guard's own code over them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Decision } from '../../src/decision.js';
import { type Engine, ineligibleTasks, openEngine, rankTasks, SCHEMES } from '../../src/index.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import {
  loadRecorded,
  openRecordedChooser,
  parseRecording,
  RecordedFiles,
  RecordedMemory,
  type Recording,
  replayGuard,
  tasksMost,
} from '../../src/recording/index.js';
import { releaseBuilds } from './support/builds.js';
import { openNativeEngine } from './support/native-engine.js';
import { FIXTURES } from './support/recordings.js';

type Build = (typeof releaseBuilds)[number]['name'];
const BUILDS: Build[] = releaseBuilds.map(({ name }) => name);
const textOf = (name: string): string => readFileSync(`tests/fixtures/${name}`, 'utf8');
const fixture = (name: string): Recording => parseRecording(textOf(name));

async function openBuild(build: Build, maxTasks: number): Promise<Engine> {
  return build === 'native' ? openNativeEngine(maxTasks) : openEngine({ build, maxTasks });
}

/** The record without its number in its memory. */
function bytesOf({ bytes }: Decision): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Every decision of a policy on a recording, snapshot by snapshot. */
async function decisionsOf(recording: Recording, build: Build, input: PolicyInput): Promise<string[]> {
  const engine = await openBuild(build, tasksMost(recording));
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

test(`replay: ${BUILDS.join(', ')}: the same decision records of the fixtures, byte for byte, in every scheme`, async () => {
  const seen = new Set<string>();
  for (const name of FIXTURES) {
    const recording = fixture(name);
    for (const input of [...SCHEMES.map((scheme) => ({ scheme })), RULES]) {
      const [first, ...others] = await Promise.all(BUILDS.map((build) => decisionsOf(recording, build, input)));
      for (const [index, other] of others.entries())
        assert.deepEqual(other, first, `${BUILDS[index + 1]}: ${name} ${JSON.stringify(input)}`);
      for (const record of first!) seen.add(record);
    }
  }
  assert.ok(seen.size > 30, 'different recordings and schemes give different records');
});

test(`replay: ${BUILDS.join(', ')}: a guard that replays a machine tells the same, and again`, async () => {
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
          const engine = await openBuild(build, tasksMost(recording));
          const { events } = await replayGuard(recording, { policy: definePolicy(input), engine });
          return JSON.stringify(events.map(({ event, decision }) => [event, decision && bytesOf(decision)]));
        }),
      );
      for (const [index, other] of told.entries()) assert.equal(other, told[0], `${BUILDS[index]}: ${name}`);
    }
  }
});

test('replay: a guard sees memory fall and says whom it would kill, when it would have seen it', async () => {
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

test('replay: who is dying is waited for by a guard that replays it, and not longer than by a live one', async () => {
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

test('replay: a policy that stands in it is the one that a guard replays', async () => {
  const text = textOf('limited-group.proc');
  const policy = 'policy\n  version = 1\n  scheme = "resident"\n';
  const recording = parseRecording(text.replace('domain memcg', `${policy}domain memcg`));
  assert.equal((await replayGuard(recording)).policy.scheme, 'resident');
  assert.equal((await replayGuard(recording, { policy: definePolicy() })).policy.scheme, 'badness');
});

test('replay: after a suspend the guard begins anew, and says so', async () => {
  const { events } = await replayGuard(fixture('hostile.proc'));
  assert.deepEqual(
    events.map(({ event }) => event.kind),
    ['level', 'round', 'resumed', 'unreadable', 'level'],
  );
});

test('replay: what is hostile in it is counted, and takes nobody else along', async () => {
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

test('replay: task records stand in the place of files, with their marks', async () => {
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

test('replay: one without a machine, or without memory, is refused by name', async () => {
  const text = 'badness-recording 1\nsnapshot monotonic_ms 1\n/proc/1/stat\n  x\n';
  const engine = await openEngine({ maxTasks: 64 });
  const files = new RecordedFiles(parseRecording(text));
  assert.throws(() => loadRecorded(engine, files), { code: 'ENOTLINUX' });
  assert.throws(() => new RecordedMemory(files).read(), { code: 'ENOMEMORY', message: /\/proc\/meminfo/ });
  const odd = `${text}/proc/uptime\n  soon\n/proc/meminfo\n  MemTotal: 5 kB\n`;
  const oddFiles = new RecordedFiles(parseRecording(odd));
  assert.throws(() => loadRecorded(engine, oddFiles), { code: 'EBADMSG', message: /uptime/ });
});

test('replay: stalls count in a replay as a policy says', async () => {
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
