// Damaged and hostile logs: reading never throws, counts every line, and takes time in proportion to the bytes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { openEngine, parseTaskLines } from '../../src/index.js';
import { type EventJson, eventToJson, KernelLogReader, readKernelLog, rerank } from '../../src/report/index.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { bytesOf, DRESSES, KMSG_FILE, SAMPLES } from './support/oom-log.js';

import { arbitraryComm } from './support/tasks.js';

const engine = await openEngine({ maxTasks: 1024 });
const LOGS = [...SAMPLES.map(({ lines }) => lines), readFileSync(KMSG_FILE, 'latin1').split('\n')];

type Mutation = (lines: string[]) => string[];
const at = fc.nat(200);
const place = (lines: string[], index: number) => index % Math.max(lines.length, 1);
/** By characters: half of a surrogate pair is no text, and has no bytes that could be read alike. */
const splice = (line: string, start: number, count: number, text = '') =>
  [...line].toSpliced(start, count, text).join('');

/** What can happen to a log: lines lost, doubled, swapped, cut, strangers between them, characters changed. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  at.map(
    (index): Mutation =>
      (lines) =>
        lines.filter((_, other) => other !== place(lines, index)),
  ),
  at.map(
    (index): Mutation =>
      (lines) =>
        lines.flatMap((line, other) => (other === place(lines, index) ? [line, line] : [line])),
  ),
  fc.tuple(at, at).map(
    ([one, two]): Mutation =>
      (lines) => {
        if (lines.length === 0) return lines;
        const swapped = [...lines];
        [swapped[place(lines, one)], swapped[place(lines, two)]] = [
          lines[place(lines, two)]!,
          lines[place(lines, one)]!,
        ];
        return swapped;
      },
  ),
  fc.tuple(at, at).map(
    ([index, length]): Mutation =>
      (lines) => {
        return lines.map((line, other) => (other === place(lines, index) ? splice(line, length, line.length) : line));
      },
  ),
  fc.tuple(at, fc.constantFrom(...LOGS.flat())).map(
    ([index, stranger]): Mutation =>
      (lines) => {
        return lines.toSpliced(place(lines, index), 0, stranger);
      },
  ),
  fc.tuple(at, at, arbitraryComm).map(
    ([index, column, text]): Mutation =>
      (lines) => {
        return lines.map((line, other) =>
          other === place(lines, index) ? splice(line, column, [...text].length, text) : line,
        );
      },
  ),
  fc.tuple(at, fc.constantFrom('9', '99999999999999999999', '-', ' ', ')', '0x')).map(
    ([index, digits]): Mutation =>
      (lines) => {
        return lines.map((line, other) => (other === place(lines, index) ? line.replace(/\d+/, digits) : line));
      },
  ),
);

const log = fc
  .tuple(
    fc.constantFrom(...LOGS),
    fc.constantFrom(...LOGS),
    fc.array(mutation, { minLength: 1, maxLength: 6 }),
    fc.constantFrom(...Object.values(DRESSES)),
  )
  .map(([one, two, mutations, dress]) => {
    const lines = mutations.reduce((mutated, mutate) => mutate(mutated), [...one, ...two]);
    return bytesOf(lines.map(dress).join('\n'));
  });

function checkEvent(event: EventJson): void {
  const again = JSON.parse(JSON.stringify(event)) as EventJson;
  assert.deepEqual(again, event, 'plain data, without a number that JSON does not have');
  const { first, last, read, other } = event.lines as Record<string, number>;
  assert.ok(1 <= first! && first! <= last! && read! >= 1 && other! >= 0);
  const ranking = event.ranking as { tgid: number }[];
  const once = ranking.filter(({ tgid }, index) => ranking.findIndex((task) => task.tgid === tgid) === index);
  const records = once.map((task) => JSON.stringify(task)).join('\n');
  assert.equal(parseTaskLines(records).tasks.length, once.length, 'a ranking can be ranked again');
  if (event.same !== true && event.kernel_scheme !== null) assert.ok((event.doubts as unknown[]).length > 0);
}

describe('fuzz', () => {
  test('a damaged log never throws, its lines are all counted, and what is found is well formed', () => {
    const property = fc.property(log, (bytes) => {
      const { events, counts } = readKernelLog(bytes);
      for (const event of events) checkEvent(eventToJson(event, rerank(engine, event)));
      const { lines, read, other, foreign, unknown, orphans, tooLong } = counts;
      assert.equal(read + other + foreign + unknown + orphans + tooLong, lines);
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS * 5 });
  });

  test('any bytes at all', () => {
    const words = fc.constantFrom(...LOGS.flat().map((line) => line.slice(0, 40)), '\n', '\\x0a', '{"MESSAGE":"', ' ');
    const pieces = fc.array(fc.oneof(words, fc.string({ unit: 'binary' })), { maxLength: 40 });
    const property = fc.property(pieces, fc.uint8Array({ maxLength: 200 }), (texts, noise) => {
      const bytes = Buffer.concat([Buffer.from(texts.join('')), Buffer.from(noise), Buffer.from(texts.join('\n'))]);
      for (const event of readKernelLog(bytes).events) checkEvent(eventToJson(event, rerank(engine, event)));
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS * 5 });
  });

  test('text and its bytes are read alike', () => {
    const property = fc.property(fc.constantFrom(...LOGS), fc.array(mutation, { maxLength: 4 }), (lines, mutations) => {
      const text = mutations.reduce((mutated, mutate) => mutate(mutated), lines).join('\n');
      // Two bytes that are no characters can be one together, and then are.
      fc.pre(!/[\udc80-\udcff]{2}/.test(text));
      assert.deepEqual(readKernelLog(bytesOf(text)), readKernelLog(text));
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS * 2 });
  });
});

const TABLE = '[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n';
const INVOCATION = 'a invoked oom-killer: gfp_mask=0x0, order=0\n';
const LONG = 15_000;

/** What could make a reader go back over what it has read: each is repeated to any size. */
const HOSTILE: Record<string, string> = {
  'line ends': '\n',
  'short lines': 'a\n',
  'bytes that are no characters': '\udcff\n',
  'one line': '[ 1',
  'kill lines': 'Killed process 5 (a)\n',
  'kill lines without an end': 'Killed process 5 (\n',
  'a kill line with many ends': `Killed process 5 (${') total-vm:1kB, '.repeat(900)}\n`,
  'a selection with many scores': `Kill process 5 (${') score 1 '.repeat(1600)}\n`,
  'a context line with many ends': `oom-kill:constraint=C,nodemask=(null),cpuset=/${',mems_allowed=0'.repeat(1000)}\n`,
  'a context line with a long list': `oom-kill:constraint=C,nodemask=,cpuset=/${`,mems_allowed=${'0,'.repeat(900)}`.repeat(8)}\n`,
  'a context line in pieces': `oom-kill:constraint=C\n${`,cpuset=${'x'.repeat(1900)}\n`.repeat(9)}`,
  invocations: INVOCATION,
  'an invocation with many orders': `oom-killer: gfp_mask=0x1${', order='.repeat(1800)}\n`,
  'a tainted line': `Pid: 1, comm: ${'ainted: '.repeat(1800)}\n`,
  'a line of blanks': `Pid: 1, comm: ainted:${' '.repeat(LONG)}\n`,
  'a header without an end': `[ pid ] uid tgid total_vm rss ${'a '.repeat(95)}\n`,
  headers: TABLE,
  tables: `${TABLE}${'[1] 0 1 1 1 1 1 0 a\n'.repeat(50)}Killed process 9 (a)\n`,
  'old statistics': `Memory cgroup stats for /a${': a:1KB'.repeat(1000)}x\n`,
  'reaper lines': 'oom_reaper: unable to reap pid:1 (a)\n',
  'escaped bytes': `4,1,1,-;${'\\xff'.repeat(3000)}\n`,
  'escaped line ends': `4,1,1,-;${'\\x0a'.repeat(3000)}\n`,
  'escaped kill lines': `4,1,1,-;${'\\x0aKilled process 1 (a)'.repeat(600)}\n`,
  'JSON that is none': '{"__REALTIME_TIMESTAMP"MESSAGE"}\n',
  'deep JSON': `{"__REALTIME_TIMESTAMP":0,"MESSAGE":${'['.repeat(LONG)}${']'.repeat(LONG)}}\n`,
  'a journal of bytes': `{"__REALTIME_TIMESTAMP":0,"MESSAGE":[${'255,'.repeat(4000)}1]}\n`,
  'a long host': `Nov 20 10:00:00 ${'h'.repeat(LONG)} \n`,
  'lines about cgroups in pieces': `Tasks in /a\n${'/a\n'.repeat(9)}`,
  'a group that never ends': 'Killed process 1 (a)\n',
};
/** What only means something after another line. */
const BEFORE: Record<string, string> = {
  'old statistics': INVOCATION,
  'a group that never ends': 'Killed process 1 (a)\nTasks in /a are going to be killed due to memory.oom.group set\n',
};

/** CPU time, in ms: other work on the machine does not count. The least of some runs. */
function cpuMs(bytes: Buffer, times: number): number {
  const runs = Array.from({ length: times }, () => {
    const reader = new KernelLogReader();
    const before = process.cpuUsage();
    for (let from = 0; from < bytes.length; from += 65_536) reader.addBytes(bytes.subarray(from, from + 65_536));
    reader.end();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...runs);
}

describe('time is linear in the bytes', () => {
  const SMALL = 1 << 15;
  const TIMES = 16;
  /** Of what is proportional. Going back over everything would take sixteen times as much. */
  const GENEROUS = 4;
  /** Shorter times measure the clock. */
  const LEAST_MS = 4;

  for (const [name, unit] of Object.entries(HOSTILE)) {
    test(name, () => {
      const log = (size: number) => {
        const once = bytesOf(unit);
        return Buffer.concat([bytesOf(BEFORE[name] ?? ''), Buffer.alloc(size, once)]);
      };
      const small = Math.max(cpuMs(log(SMALL), 3), LEAST_MS);
      const large = cpuMs(log(SMALL * TIMES), 2);
      assert.ok(large < small * TIMES * GENEROUS, `${large} ms for ${TIMES} times as much as took ${small} ms`);
    });
  }
});
