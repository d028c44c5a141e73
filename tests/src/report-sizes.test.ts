// What a report implies: which kernel wrote it, how large a page is, kB or bytes of page tables, all memory.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openEngine } from '../../src/index.js';
import { freedBy, notesOf, readKernelLog, rerank, spanWords } from '../../src/report/index.js';
import { reportLines, SAMPLES } from './support/oom-log.js';

const engine = await openEngine({ maxTasks: 64 });

function found(lines: string[]) {
  const [event] = readKernelLog(lines.join('\n')).events;
  const reranking = rerank(engine, event!);
  return { event: event!, reranking };
}

describe('era: the formats tell the kernel, and how surely', () => {
  const SPANS = [
    ...['2.4 … 2.6.15', '2.6.0 … 2.6.12', '2.6.16 … 2.6.18', '2.6.20 or earlier', '2.6.19 … 2.6.20'],
    ...['2.6.30 … 2.6.32', '2.6.33 … 2.6.35', '2.6.36 … 3.6', '3.7 … 3.19', '4.9 … 4.14', '4.15 … 4.18'],
    ...['4.19 … 6.7', '5.0', '5.1 … 5.3', '5.4 or later', '6.8 or later', 'any kernel', '4.19 or later'],
    ...['4.6 or later', 'any kernel', 'any kernel'],
  ];
  for (const [index, { kernel, lines }] of SAMPLES.entries()) {
    test(`sample ${index + 1}, kernel ${kernel}: ${SPANS[index]}`, () => {
      assert.equal(spanWords(found(lines).reranking.era), SPANS[index]);
    });
  }

  const HOG = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234 };
  const report = (era: Parameters<typeof reportLines>[0]['era'], release?: string) => {
    const named = release === undefined ? {} : { release };
    return found(reportLines({ era, tasks: [HOG], victim: HOG, totalPages: 100_000, ...named })).reranking;
  };

  test('a release within the formats makes it sure', () => {
    const { era, scheme } = report('4.15', '4.16.5');
    assert.deepEqual([era.sure, era.candidates, scheme], ['sure', ['linux-3.15'], 'linux-3.15']);
  });

  test('without one, several schemes may fit, and the newest that agrees is taken', () => {
    const { era, scheme } = report('4.15');
    assert.deepEqual([era.sure, era.candidates, scheme], ['likely', ['linux-3.15', 'linux-4.17'], 'linux-4.17']);
  });

  test('a release that contradicts the formats is a vendor’s', () => {
    const { era } = report('6.8', '4.18.0-305.el8.x86_64');
    assert.equal(era.sure, 'vendor');
    assert.match(era.why, /the log names 4\.18\.0-305.*, but its lines are those of 6\.8 or later/);
  });

  test('formats that contradict each other too, and the release within the table’s kernels counts', () => {
    const lines = reportLines({
      era: '3.7',
      tasks: [HOG],
      victim: HOG,
      totalPages: 100_000,
      release: '3.10.0-514.el7',
    });
    const { reranking } = found(lines.map((line) => line.replace(/file-rss:0kB$/, 'file-rss:0kB, shmem-rss:0kB')));
    assert.deepEqual([reranking.era.sure, reranking.scheme], ['vendor', 'linux-3.5']);
  });
});

/** A kill line of 5.4, with or without a table. */
function withPageTables(printed: number, options: { release?: string; bytes?: number; totalVmKb?: number } = {}) {
  const { release, bytes, totalVmKb = 70_000 * 4 } = options;
  const victim = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234 };
  const tasks = [{ ...victim, pgtables_bytes: bytes ?? 0 }];
  const named = release === undefined ? {} : { release };
  const lines = reportLines({ era: '4.19', tasks, victim, totalPages: 100_000, ...named })
    .filter((line) => bytes !== undefined || !/^\[ {4}501\]/.test(line))
    .map((line) =>
      line.replace('pgtables:0kB', `pgtables:${printed}kB`).replace(/total-vm:\d+kB/, `total-vm:${totalVmKb}kB`),
    );
  const { event, reranking } = found(lines);
  const { kb, unit } = reranking.pageTables!;
  return { kb, unit, notes: notesOf(event, reranking), freed: freedBy(event, 4096, reranking.pageTables) };
}

describe('page tables: 5.4.0 … 5.4.8 print bytes and call them kB', () => {
  test('the table says which it is', () => {
    const { kb, unit, notes, freed } = withPageTables(450_560, { bytes: 450_560 });
    assert.deepEqual([kb, unit], [440, 'bytes']);
    assert.ok(notes.some((note) => note.includes('in bytes')));
    assert.equal(freed.givesBackKb, 61_234 * 4 + 440);
    const right = withPageTables(440, { bytes: 450_560 });
    assert.deepEqual([right.kb, right.unit], [440, 'kB']);
    assert.deepEqual(right.notes, []);
  });

  test('the release says which it is', () => {
    assert.deepEqual(withPageTables(450_560, { release: '5.4.3' }).unit, 'bytes');
    assert.deepEqual(withPageTables(450_560, { release: '5.4.9' }).unit, 'kB');
    assert.deepEqual(withPageTables(450_560, { release: '5.10.0' }).unit, 'kB');
  });

  test('a vendor’s 5.4.0 does not: what is no multiple of 2048 can only be kB', () => {
    assert.equal(withPageTables(440, { release: '5.4.0-42-generic' }).unit, 'kB');
    assert.equal(withPageTables(0).unit, 'kB');
  });

  test('more than the address space could ever need can only be bytes', () => {
    assert.deepEqual(withPageTables(40_960_000, { totalVmKb: 1_000_000 }).unit, 'bytes');
  });

  test('where nothing tells, nothing is guessed', () => {
    const { kb, unit, notes, freed } = withPageTables(450_560);
    assert.deepEqual([kb, unit], [null, 'unknown']);
    assert.ok(notes.some((note) => note.includes('cannot be known')));
    assert.equal(freed.givesBackKb, 61_234 * 4, 'left out of the sum');
  });
});

describe('sizes', () => {
  test('a page is what the kill line says in kB over what the table says in pages', () => {
    const victim = { tgid: 501, comm: 'java', total_vm_pages: 1000, rss_pages: 600 };
    const lines = reportLines({ era: '6.8', tasks: [victim], victim, totalPages: 10_000 });
    const { page } = found(lines.map((line) => line.replace('total-vm:4000kB', 'total-vm:64000kB'))).reranking;
    assert.deepEqual(page, { pageSize: 65_536, from: 'kill line' });
    const odd = found(lines.map((line) => line.replace('total-vm:4000kB', 'total-vm:4321kB'))).reranking.page;
    assert.deepEqual(odd, { pageSize: 4096, from: 'assumed' });
  });

  test('all memory is RAM that is not reserved, and swap', () => {
    const victim = { tgid: 501, comm: 'java', total_vm_pages: 1000, rss_pages: 600 };
    const lines = reportLines({ era: '6.8', tasks: [victim], victim, totalPages: 10_000 }).map((line) =>
      line.replace('0 pages reserved', '500 pages reserved').replace('Total swap = 0kB', 'Total swap = 8000kB'),
    );
    const { low, high } = found(lines).reranking.totalPages;
    assert.deepEqual([low, high], [11_500, 11_500]);
  });

  const CGROUP: [name: string, lines: string[], low: number, high: number | 'open'][] = [
    ['a cgroup without swap', ['swap: usage 0kB, limit 0kB, failcnt 0'], 250, 250],
    ['a cgroup with swap', ['swap: usage 0kB, limit 400kB, failcnt 0'], 250, 350],
    ['a v1 cgroup', ['memory+swap: usage 0kB, limit 1400kB, failcnt 0'], 250, 350],
    [
      'a v1 cgroup without a limit of both',
      ['memory+swap: usage 0kB, limit 9007199254740988kB, failcnt 0'],
      250,
      'open',
    ],
    ['an old one', ['memory+swap: usage 0kB, limit 18014398509481983kB, failcnt 0'], 250, 'open'],
  ];
  test('a cgroup whose limit is lost is not sized by the RAM of the machine', () => {
    const [invocation, ...rest] = SAMPLES[8]!.lines;
    const { low, high } = found([invocation!, '8388592 pages RAM', '0 pages reserved', ...rest]).reranking.totalPages;
    assert.deepEqual([low, high > 2 ** 39], [99_001 + 31, true]);
  });

  for (const [name, lines, low, high] of CGROUP) {
    test(`all memory of ${name} is its limit, and at most its swap`, () => {
      const [invocation, ...rest] = SAMPLES[8]!.lines;
      const usage = 'memory: usage 1000kB, limit 1000kB, failcnt 7';
      const { totalPages } = found([invocation!, usage, ...lines, ...rest]).reranking;
      assert.equal(totalPages.low, low);
      assert.equal(totalPages.high > 2 ** 39 ? 'open' : totalPages.high, high);
    });
  }

  test('whether the choice depends on what is open is found out, not assumed', () => {
    const stats = ['memory: usage 1000kB, limit 1000kB, failcnt 7', 'swap: usage 0kB, limit 4000000kB, failcnt 0'];
    const lines = [SAMPLES[8]!.lines[0]!, ...stats, ...SAMPLES[8]!.lines.slice(1)];
    const steady = found(lines).reranking;
    assert.deepEqual([steady.same, steady.doubts], [true, []], 'the largest has the highest oom_score_adj as well');
    const turned = lines.map((line) => line.replace('300 a b) [c', '  0 a b) [c').replace('0 java', '99 java'));
    const open = found(turned).reranking;
    assert.equal(open.same, true);
    assert.deepEqual(
      open.doubts.map(({ code }) => code),
      ['total-pages'],
    );
  });

  test('what comes back: the kill line, swap and page tables of the table, and what the reaper had', () => {
    const { event, reranking } = found(SAMPLES[9]!.lines);
    const freed = freedBy(event, reranking.page.pageSize, reranking.pageTables);
    assert.equal(freed.givesBackKb, 240_000 + 4936 + 2200 * 4);
    assert.equal(freed.reapedKb, 240_000 + 4936);
    assert.equal(freed.from, 'kill line');
    const old = found(SAMPLES[5]!.lines);
    const byTable = freedBy(old.event, 4096, null);
    assert.deepEqual([byTable.givesBackKb, byTable.from], [61_234 * 4, 'table']);
    assert.equal(freedBy(found(SAMPLES[0]!.lines).event, 4096, null).givesBackKb, null);
  });
});
