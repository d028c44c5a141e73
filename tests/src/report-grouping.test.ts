// Which lines of a log are one event: interleaved, cut off, limited in rate, and with names that want to be lines.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OomEvent, readKernelLog, reportOf, victimOf } from '../../src/report/index.js';
import { DRESSES, reportLines, SAMPLES } from './support/oom-log.js';

const HOG = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234, pgtables_bytes: 450_560 };
const SSHD = { tgid: 777, comm: 'sshd', total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 73_728 };
const REPORT = reportLines({ era: '6.8', tasks: [HOG, SSHD], victim: HOG, totalPages: 100_000 });
const OTHER = { ...HOG, tgid: 901, comm: 'ruby' };
const OTHER_REPORT = reportLines({ era: '6.8', tasks: [OTHER], victim: OTHER, totalPages: 100_000, invoker: 'nginx' });

const KILL = (pid: number, comm = 'hog') =>
  `Memory cgroup out of memory: Killed process ${pid} (${comm}) total-vm:65916kB, anon-rss:29440kB, file-rss:6800kB, shmem-rss:0kB, UID:0 pgtables:124kB oom_score_adj:0`;
const REAPED = (pid: number, comm = 'java') =>
  `oom_reaper: reaped process ${pid} (${comm}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB`;
const NOISE = ['usb 1-1: new high-speed USB device', 'EXT4-fs (sda1): mounted filesystem', 'a: b: [c] (d)'];

const read = (lines: string[]) => readKernelLog(lines.join('\n')).events;
const pids = (events: OomEvent[]) => events.map((event) => victimOf(event)?.pid ?? null);

describe('grouping: an event is all of its lines and no others', () => {
  test('lines of others in between do not matter', () => {
    const noisy = REPORT.flatMap((line, at) => [line, NOISE[at % NOISE.length]!]);
    const [plain] = read(REPORT);
    const [event, ...more] = read(noisy);
    assert.deepEqual(more, []);
    const { firstLine, lastLine, ...rest } = event!;
    const { firstLine: _, lastLine: __, ...expected } = plain!;
    assert.deepEqual(rest, expected);
    assert.deepEqual([firstLine, lastLine], [1, noisy.length - 1]);
    assert.equal(event!.linesRead, REPORT.length - 2, 'all but the call trace');
  });

  test('two reports one after the other are two events', () => {
    const events = read([...REPORT, ...OTHER_REPORT]);
    assert.deepEqual(pids(events), [501, 901]);
    assert.deepEqual(
      events.map((event) => [event.rows.length, reportOf(event), event.invoker?.comm]),
      [
        [2, 'whole', 'httpd'],
        [1, 'whole', 'nginx'],
      ],
    );
  });

  test('two reports at once are told apart by who prints, where the kernel says so', () => {
    const by = (thread: string, lines: string[]) => lines.map((line, at) => `[    1.${100 + at}][ ${thread}] ${line}`);
    const [one, two] = [by('T1', REPORT), by('T2', OTHER_REPORT)];
    const mixed = Array.from({ length: Math.max(one.length, two.length) }, (_, at) => [one[at], two[at]]).flat();
    const events = read(mixed.filter((line) => line !== undefined));
    assert.deepEqual(pids(events), [501, 901]);
    assert.deepEqual(
      events.map(({ rows }) => rows.map(({ tgid }) => tgid)),
      [[501, 777], [901]],
    );
  });

  test('a kill line goes to the report whose table has the pid', () => {
    const events = read([...REPORT.slice(0, -2), ...OTHER_REPORT.slice(0, -2), ...REPORT.slice(-2)]);
    assert.deepEqual(pids(events), [501, null]);
    // Without a table of its own the newer report is taken for the one: the kernel makes one choice after the other.
    assert.deepEqual(pids(read([...REPORT.slice(0, -2), OTHER_REPORT[0]!, ...REPORT.slice(-2)])), [null, 501]);
  });

  test('a reaper that speaks during the next report is given to the one it speaks of', () => {
    const events = read([
      ...REPORT,
      ...OTHER_REPORT.slice(0, 5),
      REAPED(501),
      ...OTHER_REPORT.slice(5),
      REAPED(901, 'ruby'),
    ]);
    assert.deepEqual(
      events.map(({ reaped }) => reaped.map(({ pid }) => pid)),
      [[501], [901]],
    );
  });

  test('the same pid killed twice has two reapers, the newest first', () => {
    for (const lines of [
      [KILL(5), REAPED(5), KILL(5), REAPED(5)],
      [KILL(5), KILL(5), REAPED(5), REAPED(5)],
    ]) {
      const reaped = read(lines).map((event) => event.reaped.length);
      assert.deepEqual(reaped, [1, 1]);
    }
  });

  test('two choices without their kills are two events', () => {
    const choice = (pid: number) => `Out of memory: Kill process ${pid} (java) score 5 or sacrifice child`;
    const events = read([choice(5), choice(6)]);
    assert.deepEqual(
      events.map(({ selected }) => selected?.pid),
      [5, 6],
    );
    assert.deepEqual(pids(events), [null, null], 'a child may have been killed in place of either');
  });
});

describe('grouping: kills without a report', () => {
  test('each kill line is an event of its own, and says that it has no report', () => {
    const events = read(['oom_kill_process: 238 callbacks suppressed', KILL(5), KILL(6), KILL(7)]);
    assert.deepEqual(pids(events), [5, 6, 7]);
    assert.deepEqual(events.map(reportOf), ['none', 'none', 'none']);
    assert.deepEqual(
      events.map(({ suppressedBefore }) => suppressedBefore),
      [238, 0, 0],
    );
  });

  test('between reports they are not taken for part of one', () => {
    const events = read([...REPORT, KILL(5), ...OTHER_REPORT, KILL(6)]);
    assert.deepEqual(pids(events), [501, 5, 901, 6]);
  });

  test('one whose pid is not in the table of a report begun is not the end of that report', () => {
    const events = read([...REPORT.slice(0, -2), KILL(5)]);
    assert.deepEqual(pids(events), [null, 5]);
    assert.deepEqual(events.map(reportOf), ['truncated', 'none']);
  });

  test('members of a group that is killed whole are one event, those that come later are not', () => {
    const group = 'Tasks in /a/b are going to be killed due to memory.oom.group set';
    const [event, later, ...more] = read([
      ...REPORT,
      group,
      KILL(6).replace('Memory cgroup out', 'Out'),
      REPORT[0]!,
      ...REPORT.slice(-2),
    ]);
    assert.equal(event?.oomGroup, '/a/b');
    assert.deepEqual(event?.alsoKilled, [{ pid: 6, comm: 'hog', because: 'memory.oom.group' }]);
    assert.equal(later?.killed?.pid, 501);
    assert.deepEqual(more, []);
  });

  test('a group after a group, both without a report: the kill right before its line is its victim', () => {
    const group = (path: string) => `Tasks in ${path} are going to be killed due to memory.oom.group set`;
    const events = read([KILL(5), group('/a'), KILL(6), KILL(7), group('/b'), KILL(8), REAPED(7)]);
    assert.deepEqual(
      events.map(({ killed, oomGroup, alsoKilled }) => [killed?.pid, oomGroup, alsoKilled.map(({ pid }) => pid)]),
      [
        [5, '/a', [6]],
        [7, '/b', [8]],
      ],
    );
    assert.equal(events[1]?.firstLine, 4);
    assert.equal(events[1]?.reaped.length, 1);
  });

  test('who shares the memory is killed with the victim', () => {
    const [event] = read([SAMPLES[9]!.lines.join('\n'), 'Kill process 502 (java) sharing same memory']);
    assert.deepEqual(event?.alsoKilled, [{ pid: 502, comm: 'java', because: 'shares memory' }]);
  });

  test('a child in place of the chosen one is the victim, and that is said', () => {
    const [event] = read(SAMPLES[2]!.lines);
    assert.equal(event?.selected?.pid, 501);
    assert.equal(event?.killed?.pid, 502);
  });

  test('old kernels print the kill line once a thread', () => {
    const line = (pid: number) => `Out of Memory: Killed process ${pid} (java).`;
    const events = read(['oom-killer: gfp_mask=0x1d2', line(501), line(502), 'oom-killer: gfp_mask=0x1d2', line(900)]);
    assert.deepEqual(pids(events), [501, 900]);
    assert.deepEqual(events[0]?.alsoKilled, [{ pid: 502, comm: 'java', because: 'same line again' }]);
  });
});

describe('grouping: logs that begin or end in the middle', () => {
  test('a report cut off at any line is read as far as it goes', () => {
    for (let length = 1; length < REPORT.length; ++length) {
      const events = read(REPORT.slice(0, length));
      assert.equal(events.length, 1, `${length} lines`);
      assert.equal(reportOf(events[0]!), 'truncated', `${length} lines`);
      const named = length === REPORT.length - 1 ? 501 : null;
      assert.equal(victimOf(events[0]!)?.pid ?? null, named, 'the context line names the victim before the kill line');
    }
  });

  test('a log that begins anywhere in a report still has the kill, and no rows of a table without its header', () => {
    const header = REPORT.findIndex((line) => line.startsWith('[  pid'));
    for (let from = 1; from < REPORT.length; ++from) {
      const { events, counts } = readKernelLog(REPORT.slice(from).join('\n'));
      assert.deepEqual(pids(events), [501], `from line ${from + 1}`);
      assert.equal(events[0]!.rows.length, from <= header ? 2 : 0);
      const rowsLeft = Math.max(0, Math.min(2, REPORT.length - 2 - from));
      assert.equal(counts.orphans, from <= header ? 0 : rowsLeft, `from line ${from + 1}`);
    }
  });

  test('records that are missing by their numbers are counted', () => {
    const dress = DRESSES['/dev/kmsg']!;
    const lines = REPORT.map(dress);
    const row = REPORT.findIndex((line) => line.endsWith(' sshd'));
    const { events, counts } = readKernelLog(lines.filter((_, at) => at !== row).join('\n'));
    assert.equal(counts.lost, 1);
    assert.equal(events[0]!.linesLost, 1);
    assert.equal(reportOf(events[0]!), 'truncated');
    assert.equal(readKernelLog(lines.join('\n')).counts.lost, 0);
  });

  test('what is lost after the choice is not missing in the report', () => {
    const dress = DRESSES['/dev/kmsg']!;
    const lines = REPORT.map(dress);
    const { events, counts } = readKernelLog([...lines, dress(REAPED(501), REPORT.length + 7)].join('\n'));
    assert.equal(counts.lost, 7);
    assert.equal(events[0]!.reaped.length, 1);
    assert.deepEqual([events[0]!.linesLost, reportOf(events[0]!)], [0, 'whole']);
  });

  test('rows that no kernel would print are refused and counted', () => {
    const header = REPORT.findIndex((line) => line.startsWith('[  pid'));
    const bad = ['1001', '-1001'].map((adj) => `[      9]  1000     9     9     9   9  0  0     0     0  ${adj} x`);
    const more = [
      '[      9]  1000     0     9 9 9 0 0 0 0 0 x',
      '[      9]  1000  9  99999999999999999 9 9 0 0 0 0 0 x',
    ];
    const lines = [...REPORT.slice(0, header + 1), ...bad, ...more, ...REPORT.slice(header + 1)];
    const [event] = read(lines);
    assert.deepEqual([event!.rows.length, event!.rowsRefused], [2, 4]);
  });

  test('a report that nothing follows for thousands of lines is over', () => {
    const silence = Array.from({ length: 2100 }, (_, at) => `eth0: link ${at}`);
    const events = read([...REPORT.slice(0, 8), ...silence, ...REPORT.slice(-2)]);
    assert.deepEqual(pids(events), [null, 501]);
  });

  test('a new boot ends what was before it, and names the kernel', () => {
    const boot = 'Linux version 5.4.3 (gcc) #1 SMP';
    const events = read([...REPORT.slice(0, 5), boot, ...REPORT.slice(5)]);
    assert.deepEqual(pids(events), [null, 501]);
    assert.deepEqual(
      events.map(({ release }) => release),
      [null, '5.4.3'],
    );
  });
});
