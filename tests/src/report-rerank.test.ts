// The table of a report ranked again: the kernel's own scheme names the kernel's victim, or it is said why not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openEngine, SCHEMES, type SchemeName } from '../../src/index.js';
import { type DoubtCode, readKernelLog, rerank } from '../../src/report/index.js';
import { selectVictim } from '../reference/select.js';
import type { Table, TaskRecord } from '../reference/table.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { bytesOf, DRESSES, reportLines, SAMPLES, type TableEra } from './support/oom-log.js';

import { arbitraryComm } from './support/tasks.js';

const engine = await openEngine({ maxTasks: 64 });

function rerankOf(lines: string[], at = 0) {
  const { events } = readKernelLog(bytesOf(lines.join('\n')));
  return rerank(engine, events[at]!);
}

/** Every scheme that prints tables, in the words of a kernel of its. */
const KERNELS: readonly [scheme: SchemeName, era: TableEra, release: string][] = [
  ['linux-2.6.32', '2.6.32', '2.6.32-5-amd64'],
  ['linux-2.6.36', '2.6.36', '2.6.37'],
  ['linux-3.0', '2.6.36', '3.2.0-4-amd64'],
  ['linux-3.5', '2.6.36', '3.6.11'],
  ['linux-3.5', '3.7', '3.10.0'],
  ['linux-3.15', '3.7', '3.16.0-4-amd64'],
  ['linux-3.15', '4.0', '4.4.0-21-generic'],
  ['linux-3.15', '4.15', '4.15.0-20-generic'],
  ['linux-4.17', '4.15', '4.17.3'],
  ['linux-4.17', '4.19', '5.4.20'],
  ['linux-5.9', '4.19', '6.1.0-13-amd64'],
  ['linux-5.9', '6.8', '6.18.44'],
];

const ALL_CAPABILITIES = '1ffffffffff';
const pages = fc.oneof(fc.nat(20), fc.nat(50_000), fc.nat(2 ** 24));
const anyTask = fc.record({
  comm: arbitraryComm,
  uid: fc.constantFrom(0, 33, 1000, 4294967294),
  total_vm_pages: pages,
  rss_pages: pages,
  swap_pages: fc.oneof(fc.constant(0), pages),
  pgtables_bytes: fc.nat(5000).map((tables) => tables * 4096),
  oom_score_adj: fc.oneof(fc.constantFrom(0, 0, 0, -1000, 1000), fc.integer({ min: -1000, max: 1000 })),
  oom_adj: fc.oneof(fc.constantFrom(0, 0, 0, -17, 15), fc.integer({ min: -17, max: 15 })),
});

/** A task as the kernel of an era sees it: what its table does not print, it has not. */
function seen(task: TaskRecord, era: TableEra, at: number): TaskRecord {
  const without = { '2.6.32': { oom_score_adj: 0 }, '2.6.36': { oom_adj: 0 } }[era as string] ?? { oom_adj: 0 };
  const memory = era.startsWith('2.6') ? { swap_pages: 0, pgtables_bytes: 0 } : {};
  const caps = task.uid === 0 ? ALL_CAPABILITIES : '0';
  const euid = task.uid ?? 0;
  // Pids that have come round: the order of the table is not theirs.
  const tgid = 100 + ((at * 7) % 23);
  return { ...task, ...memory, ...without, euid, cap_eff: caps, has_mm: true, tgid, start_time_ticks: at };
}

describe('rerank: the kernel’s scheme names the kernel’s victim', () => {
  for (const [scheme, era, release] of KERNELS) {
    test(`${scheme}, as ${release} prints it`, () => {
      const tables = fc.array(anyTask, { minLength: 1, maxLength: 20 });
      const property = fc.property(tables, fc.integer({ min: 1000, max: 2 ** 24 }), (some, totalPages) => {
        const tasks = some.map((task, at) => seen({ tgid: 0, ...task }, era, at));
        const table: Table = { hz: 100, page_size: 4096, uptime_ticks: 0, tasks };
        const parameters = { max_discount: 4, age: 0, adj: 0, total_pages: totalPages, root: 0 };
        const slot = selectVictim(SCHEMES.indexOf(scheme), table, parameters);
        fc.pre(slot >= 0);
        const lines = reportLines({ era, tasks, victim: tasks[slot]!, totalPages, release });
        const found = rerankOf(lines.map(DRESSES['/dev/kmsg']!));
        assert.equal(found.scheme, scheme);
        assert.equal(found.era.sure, 'sure', found.era.why);
        assert.equal(found.ranking?.victim?.slot, slot);
        assert.equal(found.same, true);
        assert.deepEqual(found.doubts, []);
      });
      fc.assert(property, { seed: SEED, numRuns: RUNS });
    });
  }
});

const HOG = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234, pgtables_bytes: 450_560 };
const SMALL = { tgid: 777, comm: 'sshd', uid: 1000, total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 73_728 };
const BASE = { tasks: [HOG, SMALL], totalPages: 100_000 } as const;
const MODERN = { ...BASE, era: '6.8', release: '6.18.44' } as const;

describe('rerank: why the kernel’s victim is not named, or cannot be', () => {
  const codes = (lines: string[], at = 0) => rerankOf(lines, at).doubts.map(({ code }) => code);
  const WRONG = reportLines({ ...MODERN, victim: SMALL });
  const CASES: [name: string, lines: string[], same: boolean | null, codes: DoubtCode[]][] = [
    ['agreement leaves nothing to say', reportLines({ ...MODERN, victim: HOG }), true, []],
    ['a report that tells everything does not tell the state of tasks', WRONG, false, ['not-in-reports']],
    ['a kill without a report', WRONG.slice(-1), null, ['no-report']],
    ['a report without a table', [WRONG[0]!, ...WRONG.slice(-2)], null, ['no-table']],
    ['a report that ends before the choice', WRONG.slice(0, -2), null, ['no-victim']],
    [
      'a victim whose row is damaged',
      WRONG.map((line) => line.replace(' 9000 ', ' 9x00 ')),
      null,
      ['not-in-table', 'cut-table'],
    ],
    [
      'who asked for memory is killed, whoever it is',
      WRONG.map((line) => line.replace('Out of memory:', 'Out of memory (oom_kill_allocating_task):')),
      null,
      ['not-chosen'],
    ],
    [
      'no CPU time, run time, niceness and children before 2.6.36',
      reportLines({ ...BASE, era: '2.6.32', release: '2.6.32', victim: SMALL }),
      false,
      ['missing'],
    ],
    [
      'no swap and no page tables before 3.7, and capabilities are guessed from uid 0',
      reportLines({ ...BASE, era: '2.6.36', release: '3.2.0', victim: SMALL, tasks: [HOG, { ...SMALL, uid: 0 }] }),
      false,
      ['missing', 'capabilities'],
    ],
    ['a kernel that is not sure', reportLines({ ...BASE, era: '4.15', victim: SMALL }), false, ['era']],
    ['a vendor’s kernel', reportLines({ ...BASE, era: '6.8', release: '4.18.0', victim: SMALL }), false, ['era']],
    [
      'a lead so small that it may have turned while the table was printed',
      reportLines({ ...MODERN, tasks: [{ ...HOG, rss_pages: 512 + 3, pgtables_bytes: 73_728 }, SMALL], victim: SMALL }),
      false,
      ['close'],
    ],
  ];
  for (const [name, lines, same, expected] of CASES) {
    test(name, () => {
      assert.equal(rerankOf(lines).same, same);
      assert.deepEqual(codes(lines), expected);
    });
  }

  test('one that was killed before in the same log is passed over by the kernel', () => {
    const lines = [...reportLines({ ...MODERN, victim: HOG }), ...WRONG];
    assert.equal(rerankOf(lines, 1).same, false);
    assert.deepEqual(codes(lines, 1), ['killed-before']);
    const another = lines.map((line, at) => (at < WRONG.length ? line.replaceAll('java', 'ruby') : line));
    assert.deepEqual(codes(another, 1), ['not-in-reports'], 'the pid alone is not enough');
  });

  test('of the schemes that fit, the newest that names the victim is taken', () => {
    const root = { ...HOG, uid: 0, rss_pages: HOG.rss_pages + 100, tgid: 502 };
    const both = { ...BASE, era: '4.15', tasks: [HOG, root] } as const;
    assert.equal(rerankOf(reportLines({ ...both, victim: HOG })).scheme, 'linux-3.15', 'three per cent off for root');
    assert.equal(rerankOf(reportLines({ ...both, victim: root })).scheme, 'linux-4.17');
  });

  test('a victim is known by its thread and by its group', () => {
    const lines = reportLines({ ...MODERN, victim: HOG }).map((line) => line.replace('[    501]', '[    555]'));
    assert.equal(rerankOf(lines).same, true, 'the kill line has the group');
    const byThread = lines.map((line) => line.replace('process 501', 'process 555').replace('pid=501', 'pid=555'));
    assert.equal(rerankOf(byThread).same, true, 'the kill line has the thread');
  });

  test('a child in place of the chosen: the choice is what is compared', () => {
    const lines = reportLines({ ...BASE, era: '4.15', release: '4.17.3', victim: HOG }).map((line) =>
      line.startsWith('Killed process') ? line.replace('501 (java)', '777 (sshd)') : line,
    );
    assert.equal(rerankOf(lines).same, true);
  });

  test('synthetic samples that no kernel could have printed are doubted and never agreed with', () => {
    for (const index of [5, 7, 9]) {
      const { same, doubts } = rerankOf(SAMPLES[index]!.lines);
      assert.equal(same, false);
      assert.ok(doubts.length > 0);
    }
    assert.equal(rerankOf(SAMPLES[8]!.lines).same, true);
  });
});

describe('rerank: other schemes side by side', () => {
  const found = rerankOf(
    reportLines({ ...MODERN, victim: HOG, tasks: [HOG, { ...SMALL, total_vm_pages: 5_000_000 }] }),
  );

  test('all but family, which wants sessions', () => {
    assert.deepEqual(
      found.schemes.map(({ scheme }) => scheme),
      SCHEMES.filter((scheme) => scheme !== 'family'),
    );
  });

  test('each with whom it chooses, whether the kernel did, and what it had to do without', () => {
    const by = (name: SchemeName) => found.schemes.find(({ scheme }) => scheme === name)!;
    assert.deepEqual([by('linux-2.6.10').victim?.tgid, by('linux-2.6.10').same], [777, false]);
    assert.deepEqual([by('resident').victim?.tgid, by('resident').same], [501, true]);
    assert.deepEqual(by('resident').missing, []);
    assert.deepEqual(by('linux-5.9').missing, []);
    assert.deepEqual(by('badness').missing, ['CPU time', 'run time', 'niceness']);
    assert.ok(by('linux-2.6.11').missing.includes('children'));
    assert.ok(!by('linux-2.6.10').missing.includes('children'));
  });

  test('oom_adj and oom_score_adj stand for each other', () => {
    const tasks = [HOG, { ...SMALL, oom_adj: 15, oom_score_adj: 1000 }];
    const old = rerankOf(reportLines({ ...BASE, era: '2.6.32', tasks, victim: HOG }));
    assert.equal(old.schemes.find(({ scheme }) => scheme === 'linux-5.9')?.victim?.tgid, 777);
    const modern = rerankOf(reportLines({ ...MODERN, tasks, victim: HOG }));
    assert.equal(modern.schemes.find(({ scheme }) => scheme === 'linux-2.6.32')?.victim?.tgid, 777);
    // 15 is 1000, and not what 15/17 of it would be: 512 and 100,000 pages are more than 95,000, 88,200 were not.
    const larger = [{ ...HOG, rss_pages: 95_000 }, tasks[1]!];
    const exact = rerankOf(reportLines({ ...BASE, era: '2.6.32', tasks: larger, victim: HOG }));
    assert.equal(exact.schemes.find(({ scheme }) => scheme === 'linux-5.9')?.victim?.tgid, 777);
    const never = [{ ...HOG, oom_score_adj: -1000 }, SMALL];
    const spared = rerankOf(reportLines({ ...MODERN, tasks: never, victim: SMALL }));
    assert.equal(spared.schemes.find(({ scheme }) => scheme === 'linux-2.6.32')?.victim?.tgid, 777);
    assert.deepEqual(
      spared.ineligible.map(({ tgid, reason }) => [tgid, reason]),
      [[501, 'adj -1000']],
    );
  });

  test('a table that the engine has no room for is refused by name', () => {
    const tasks = Array.from({ length: 65 }, (_, at) => ({ ...HOG, tgid: 100 + at }));
    const lines = reportLines({ ...MODERN, tasks, victim: tasks[0]! });
    assert.throws(() => rerankOf(lines), { name: 'RangeError', message: /expected at most 64 tasks/ });
  });
});
