import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity } from '../../src/linux/identity.js';
import { findSharers, type SharerSource, stillShares } from '../../src/linux/sharers.js';
import { groupIsDead } from '../../src/linux/thread-group.js';
import { imageMark, isDead, parseTaskStat } from '../../src/proc/task-stat.js';

interface Row {
  mm: string | null;
  ppid?: number;
  size?: number;
  resident?: number;
  threads?: Record<number, string | null>;
  denies?: string;
}

function source(table: Record<number, Row>, kcmp = true): SharerSource & { comparisons: number } {
  const mmOf = (tid: number): string | null | undefined => {
    for (const [pid, row] of Object.entries(table)) {
      if (row.threads && tid in row.threads) return row.threads[tid];
      if (Number(pid) === tid) return row.mm;
    }
    return undefined;
  };
  const state = {
    comparisons: 0,
    pids: () => Object.keys(table).map(Number),
    threads: (pid: number) => [...new Set([pid, ...Object.keys(table[pid]?.threads ?? {}).map(Number)])],
    parent: (pid: number) => table[pid]?.ppid ?? null,
    memory(pid: number, tid: number) {
      const mm = mmOf(tid);
      if (mm === undefined) return null;
      const row = table[pid]!;
      return {
        sizePages: mm === null ? 0 : (row.size ?? 1000),
        residentPages: mm === null ? 0 : (row.resident ?? 500),
      };
    },
    sharesVm: kcmp
      ? (a: number, b: number) => {
          state.comparisons++;
          for (const row of [table[a], table[b]]) {
            if (row?.denies) throw Object.assign(new Error(row.denies), { code: row.denies });
          }
          if (mmOf(a) === undefined || mmOf(b) === undefined)
            throw Object.assign(new Error('ESRCH'), { code: 'ESRCH' });
          return mmOf(a) === mmOf(b);
        }
      : null,
  };
  return state;
}

test('sharers: the same mm is found, another mm of the same size is not', () => {
  const found = findSharers(100, source({ 100: { mm: 'a' }, 101: { mm: 'a' }, 102: { mm: 'b' } }));
  assert.deepEqual(found, { method: 'kcmp', verified: [101], unverified: [] });
});

test('sharers: two tasks without an mm compare as equal and share nothing', () => {
  const table = { 2: { mm: null }, 100: { mm: null, threads: { 105: null } }, 101: { mm: null } };
  assert.deepEqual(findSharers(100, source(table)), { method: 'none', verified: [], unverified: [] });
});

test('sharers: a victim that dies during the search has nothing in common with kernel threads', () => {
  const table: Record<number, Row> = { 2: { mm: null }, 100: { mm: 'a' }, 101: { mm: null }, 102: { mm: 'b' } };
  const dying = source(table);
  const { pids } = dying;
  dying.pids = () => {
    table[100]!.mm = null; // after its memory was seen, before the comparisons
    return pids();
  };
  assert.deepEqual(findSharers(100, dying).verified, []);
});

test('sharers: a zombie leader is compared through its live threads, on both sides', () => {
  const table = {
    100: { mm: null, threads: { 105: 'a' } },
    101: { mm: null, threads: { 106: 'a' } },
    102: { mm: null },
  };
  assert.deepEqual(findSharers(100, source(table)).verified, [101]);
  assert.deepEqual(findSharers(100, source({ ...table, 2: { mm: null } })).verified, [101]);
  assert.equal(stillShares(100, 101, source(table)), true);
  assert.equal(stillShares(100, 102, source(table)), false);
  assert.equal(stillShares(102, 100, source(table)), null);
});

test('sharers: without kcmp nothing is verified; parent and child of the same size are possible', () => {
  const table = {
    90: { mm: 'a', size: 7 },
    100: { mm: 'a', size: 7, ppid: 90 },
    101: { mm: 'a', size: 7, ppid: 100 },
    102: { mm: 'b', size: 8, ppid: 100 },
    103: { mm: 'a', size: 7, ppid: 1 },
    104: { mm: 'b', size: 7, ppid: 100, resident: 50 },
  };
  assert.deepEqual(findSharers(100, source(table, false)), { method: 'vmsize', verified: [], unverified: [90, 101] });
});

test('sharers: EPERM falls back to possible sharers, ENOSYS says so, ESRCH is nobody', () => {
  const denied = { 100: { mm: 'a' }, 101: { mm: 'a', ppid: 100, denies: 'EPERM' }, 102: { mm: 'a', denies: 'EPERM' } };
  assert.deepEqual(findSharers(100, source(denied)), { method: 'kcmp', verified: [], unverified: [101] });
  const missing = { 100: { mm: 'a' }, 101: { mm: 'a', ppid: 100, denies: 'ENOSYS' } };
  assert.deepEqual(findSharers(100, source(missing)), { method: 'vmsize', verified: [], unverified: [101] });
  const vanished = { 100: { mm: 'a' }, 101: { mm: 'a', ppid: 100, denies: 'ESRCH' } };
  assert.deepEqual(findSharers(100, source(vanished)).unverified, []);
});

test('sharers: one comparison a process', () => {
  const table: Record<number, Row> = { 2: { mm: null }, 100: { mm: 'a' } };
  for (let pid = 200; pid < 300; pid++) table[pid] = { mm: `m${pid}` };
  const counted = source(table);
  findSharers(100, counted);
  assert.ok(counted.comparisons <= 2 * 102, `${counted.comparisons}`);
});

test('sharers: who was just seen with memory is not read again, and is a sharer all the same', () => {
  const table: Record<number, Row> = {
    100: { mm: 'a' },
    101: { mm: 'b' },
    102: { mm: 'a' },
    103: { mm: null, threads: { 106: 'a' } },
  };
  const read: number[] = [];
  const plain = source(table);
  const counted: SharerSource = {
    ...plain,
    memory: (pid, tid) => {
      read.push(pid);
      return plain.memory(pid, tid);
    },
    seen: new Map([
      [101, 1000],
      [102, 1000],
    ]),
  };
  assert.deepEqual(findSharers(100, counted).verified, [102, 103]);
  assert.ok(!read.includes(101), 'compared, not read');
  assert.ok(read.includes(103), 'nobody knows of its leader');
});

test('sharers: who was just seen with another size is not compared, where process_mrelease notices a mistake', () => {
  const table: Record<number, Row> = {
    100: { mm: 'a', size: 1000 },
    101: { mm: 'a' },
    102: { mm: 'a' },
    103: { mm: 'a' },
    104: { mm: 'a' },
  };
  const sizes = new Map([
    [100, 1000],
    [101, 1100],
    [102, 1200],
    [104, 0],
  ]);
  const seen = (missesAreNoticed: boolean, now = 1000) => {
    table[100]!.size = now;
    return findSharers(100, { ...source(table), seen: sizes, missesAreNoticed }).verified;
  };
  assert.deepEqual(seen(true), [101, 104], 'within an eighth, or not known; 103 came later');
  assert.deepEqual(
    seen(true, 1040),
    [101, 102, 104],
    'the victim has grown by 40 since: others may have been read before',
  );
  assert.deepEqual(seen(false), [101, 102, 103, 104]);
  sizes.delete(100);
  assert.deepEqual(seen(true), [101, 102, 103, 104], 'the size of the victim is not known');
});

test('thread group: a zombie leader beside live threads is alive; alone, or reaped, it is dead', {
  skip: process.platform !== 'linux' && 'needs Linux',
}, () => {
  // The threads of this process stand in for those of the group.
  const group = (state: string, threads: number): Identity => ({
    pid: process.pid,
    alive: () => true,
    text: () => `1 (a) ${state} 1 1 1 0 -1 0 1 0 0 0 5 6 0 0 20 0 ${threads} 0 100 4096 10 0\n`,
    read: () => '',
    close() {},
  });
  assert.equal(groupIsDead(group('S', 1)), false);
  assert.equal(groupIsDead(group('D', 5)), false);
  assert.equal(groupIsDead(group('Z', 2)), false);
  assert.equal(groupIsDead(group('Z', 1)), true);
  assert.equal(groupIsDead({ ...group('Z', 2), text: () => null }), true);
  assert.equal(groupIsDead({ ...group('Z', 2), pid: 2 ** 22 + 1 }), true);
  assert.throws(() => groupIsDead({ ...group('Z', 2), text: () => 'nonsense' }));
});

test('task stat: comm ends at the last parenthesis, whatever it contains', () => {
  for (const comm of ['foo) Z ', ': - )', '()()()())))(((()))()()', '   \n\n    ', 'foo)\tZ\t', '']) {
    const line = `547891 (${comm}) S 547890 7 8 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 23 0 100 268435456 16382 0\n`;
    const parsed = parseTaskStat(line);
    assert.deepEqual(parsed, {
      comm,
      state: 'S',
      ppid: 547890,
      pgrp: 7,
      sid: 8,
      numThreads: 23,
      kernelThread: false,
      vsizeBytes: 268435456,
      startTicks: 100,
    });
  }
  const kthread = parseTaskStat('2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0 0\n');
  assert.equal(kthread?.kernelThread, true);
});

test('task stat: the mark of a program is its code and stack, null when hidden', () => {
  const line = (code: number, stack: number) =>
    `1 (a) b) S 1 1 1 0 -1 0 1 0 0 0 5 6 0 0 20 0 1 0 100 4096 10 18446744073709551615 ${code} 2 ${stack} 0\n`;
  assert.equal(imageMark(line(4096, 8192)), '4096 8192');
  assert.equal(imageMark(line(1, 0)), null);
  assert.equal(imageMark(''), null);
});

test('task stat: what is no stat line is null', () => {
  for (const text of ['', 'x', '\0\0\0', ')', '1 (a) S', '1 (a) S x 1 1 0 -1 z'])
    assert.equal(parseTaskStat(text), null);
  assert.deepEqual(['Z', 'X', 'x', 'R', 'D', 't'].map(isDead), [true, true, true, false, false, false]);
});
