// What is said of those who go along with a victim, by the guard and by a round by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLines } from '../../src/cli/guard-words.js';
import { killLines } from '../../src/cli/kill-words.js';
import type { GroupFacts, KillReport } from '../../src/guard/kill-report.js';
import { blankReport } from '../../src/guard/round.js';
import { type RoundReport, roundReportToJson } from '../../src/guard/round-report.js';
import { definePolicy } from '../../src/policy/index.js';
import type { RankedTask } from '../../src/rank.js';

const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 100, totalPages: 1000 };
const POLICY = definePolicy({});
const GROUP: GroupFacts = {
  ...{ by: 'memory.oom.group', name: '/pod', killed: [8, 9] },
  spared: [{ tgid: 10, reason: 'protected' }],
};

function reportWith(more: Partial<RoundReport>): RoundReport {
  const reading = { availableBytes: 0, perCpuBytes: 0, totalBytes: 0 };
  const victim = { tgid: 7, comm: 'hog', kind: 'process' } as RankedTask;
  return { ...blankReport('system', true, reading), victim, ...more };
}

function killed(group: GroupFacts | undefined): RoundReport {
  const signals = [{ tgid: 7, signal: 'SIGTERM', atMs: 1 }];
  const timings = { firstSignalMs: 1, sigkillMs: null, releasedMs: 2, totalMs: 2 };
  const sharers = { method: null, killed: [], unverified: [] };
  const kill = { signals, timings, sharers, errors: [], path: 'pidfd', releasedBy: 'pidfd', group };
  return reportWith({ outcome: 'released', kill: kill as unknown as KillReport });
}

const saidBy = (report: RoundReport) =>
  eventLines({ kind: 'round', atMs: 0, level: 'term', report, repeated: 0 }, POLICY, MACHINE)
    .map(({ text }) => text)
    .join('\n');

test('words: a guard says how many went along, and how many were left alone', () => {
  assert.match(saidBy(killed(GROUP)), /hog\S* and 2 more of memory\.oom\.group \/pod, 1 left alone with SIGTERM/);
  assert.doesNotMatch(saidBy(killed(undefined)), /more of/);
  assert.doesNotMatch(saidBy(killed({ ...GROUP, killed: [] })), /more of/);
});

test('words: a dry round says who would go along', () => {
  assert.match(saidBy(reportWith({ outcome: 'dry', along: GROUP })), /and 2 more of memory\.oom\.group \/pod/);
});

test('words: a round by hand names who went along, and of the others the reason', () => {
  const lines = (report: RoundReport) => killLines(report, POLICY, MACHINE).join(' ').replaceAll(/\s+/g, ' ');
  const text = lines(killed(GROUP));
  assert.match(text, /killed with it, as all of memory\.oom\.group \/pod go together: 8, 9/);
  assert.match(text, /of memory\.oom\.group \/pod, left alone: 10 \(protected\)/);
  assert.match(lines(reportWith({ outcome: 'dry', along: GROUP })), /to be killed with it, as all of .*: 8, 9/);
});

test('words: as JSON the group stands in the kill, and before one in the round', () => {
  const json = roundReportToJson(killed(GROUP)) as { kill: { group: unknown } };
  assert.deepEqual(json.kill.group, GROUP);
  const dry = roundReportToJson(reportWith({ outcome: 'dry', along: GROUP }));
  assert.deepEqual(dry.along, GROUP);
  assert.ok(!('along' in roundReportToJson(reportWith({ outcome: 'dry' }))));
});
