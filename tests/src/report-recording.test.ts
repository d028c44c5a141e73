/** Kernel logs as recordings: each table replays to what its report was ranked to, and to whom the kernel killed where that is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { rankTasks } from '../../src/rank.js';
import {
  loadRecorded,
  parseRecording,
  RecordedFiles,
  RecordedMemory,
  ReportRecorder,
  replayGuard,
  tasksMost,
} from '../../src/recording/index.js';
import { eventToJson, type Reranking, readKernelLog, rerank } from '../../src/report/index.js';
import { badness, records } from './support/badness.js';
import { KMSG_FILE, SAMPLES } from './support/oom-log.js';

test('report: every table of the samples is a snapshot that ranks as its report does', async () => {
  let tables = 0;
  for (const { lines } of SAMPLES) {
    const { events } = readKernelLog(`${lines.join('\n')}\n`);
    const recorder = new ReportRecorder();
    const ranked: Reranking[] = [];
    let text = '';
    for (const event of events) {
      const engine = await openEngine({ maxTasks: Math.max(event.rows.length, 64) });
      const reranking = rerank(engine, event);
      const snapshot = recorder.event(engine, event, reranking, JSON.stringify(eventToJson(event, reranking)));
      assert.equal(snapshot === null, event.rows.length === 0);
      if (snapshot === null) continue;
      text += snapshot;
      ranked.push(reranking);
    }
    text += recorder.tail();
    if (ranked.length === 0) {
      assert.equal(text, '');
      continue;
    }
    const recording = parseRecording(text);
    assert.equal(recording.snapshots.length, ranked.length);
    const files = new RecordedFiles(recording);
    const engine = await openEngine({ maxTasks: tasksMost(recording) });
    for (const [index, { ranking, totalPages }] of ranked.entries()) {
      files.moveTo(index);
      const { scoring, machine } = loadRecorded(engine, files);
      if (ranking === null) continue;
      const again = rankTasks(engine, { ...scoring, totalPages: machine.totalPages });
      assert.equal(machine.totalPages, totalPages.low);
      assert.deepEqual(
        again.ranked.map(({ tgid, points }) => [tgid, points]),
        ranking.ranked.map(({ tgid, points }) => [tgid, points]),
      );
      assert.equal(again.victim?.tgid, ranking.victim?.tgid);
      tables += 1;
    }
  }
  assert.ok(tables >= 7, `${tables} tables`);
});

test('report --to-proc: a log becomes a recording whose guard would have taken whom the kernel took', async () => {
  const { status, stdout } = badness(['report', '--to-proc', KMSG_FILE]);
  assert.equal(status, 0);
  const recording = parseRecording(stdout);
  assert.match(stdout, /^# Made from a kernel log: task records/m);
  const { events } = await replayGuard(recording);
  const [round] = events.flatMap(({ event }) => (event.kind === 'round' ? [event.report] : []));
  assert.equal(round!.victim!.comm, 'hog )1 [2]');
  const files = new RecordedFiles(recording);
  assert.deepEqual(new RecordedMemory(files).read().totalKib, 24_576);
  const told = JSON.parse(files.facts.decision!) as { report: string };
  assert.equal(told.report, 'whole');
  const [machine] = records(badness(['rank', '--replay', '-', '--json', '-n', '0'], { input: stdout }).stdout);
  assert.deepEqual([machine!.scheme, machine!.victim], ['linux-5.9', 22_179]);
});

test('report --to-proc: a log without a table is refused in words, and goes with no other form', () => {
  const none = badness(['report', '--to-proc'], { input: 'nothing happened\n' });
  assert.deepEqual([none.status, none.stdout], [7, '']);
  assert.match(none.stderr, /expected an OOM event with a table of tasks, found none/);
  assert.equal(badness(['report', '--to-proc', '--html', KMSG_FILE]).status, 2);
  assert.equal(badness(['report', '--to-proc', '-n', '3', KMSG_FILE]).status, 2);
});
