/** Kernel logs: whatever the bytes, every line is counted, cutting makes no difference, and what is found can be ranked and written. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { openEngine, parseTaskLines } from '../../../src/index.js';
import {
  type EventJson,
  eventToJson,
  KernelLogReader,
  type OomEvent,
  readKernelLog,
  rerank,
} from '../../../src/report/index.js';
import { DRESSES, KMSG_FILE, bytesOf as logBytes, SAMPLES } from '../../src/support/oom-log.js';
import { bytesOf, type Target } from '../target.js';

const engine = await openEngine({ maxTasks: 1024 });
const LOGS = [...SAMPLES.map(({ lines }) => lines), readFileSync(KMSG_FILE, 'latin1').split('\n')];
const latin1 = (text: string) => logBytes(text).toString('latin1');

const WORDS = [
  ...[
    'Killed process 5 (a)',
    'oom-kill:constraint=',
    ',mems_allowed=0',
    ',cpuset=/',
    ',task=a,pid=1,uid=0',
    'oom_reaper: reaped process 5 (a)',
  ],
  ...[
    '[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n',
    '[1] 0 1 1 1 1 1 0 a\n',
    ' invoked oom-killer: gfp_mask=0x0',
  ],
  ...[
    '4,1,1,-;',
    '\\x0a',
    '\\x1b',
    '[    1.000000] ',
    '<4>',
    'Nov 20 10:00:00 h kernel: ',
    'Tasks in /a are going to be killed due to memory.oom.group set\n',
  ],
  ...[
    '{"__REALTIME_TIMESTAMP":"0","MESSAGE":"',
    '{\n   "dmesg": [\n',
    '"msg": "',
    ' kB',
    'total-vm:1kB, ',
    'Mem-Info:\n',
    '\xff',
    '\n',
    '\r\n',
    ')',
  ],
  ...[
    '\x1b]0;a\x07',
    'score 1 ',
    'Memory cgroup out of memory: ',
    'Out of memory: ',
    '__proto__',
    'constructor',
    '"__proto__":',
  ],
];

const line = fc.oneof(
  fc.constantFrom(...LOGS.flat()),
  fc
    .tuple(fc.constantFrom(...LOGS.flat()), fc.constantFrom(...WORDS), fc.nat(80))
    .map(([text, word, at]) => text.slice(0, at) + word + text.slice(at)),
);
const shaped = fc
  .tuple(fc.array(line, { maxLength: 40 }), fc.constantFrom(...Object.values(DRESSES)))
  .map(([lines, dress]) => latin1(lines.map(dress).join('\n')));

const SEEDS = LOGS.flatMap((lines, index) => {
  const dresses = Object.values(DRESSES);
  return [latin1(lines.join('\n')), latin1(lines.map(dresses[index % dresses.length]!).join('\n'))];
});

function checkEvent(event: OomEvent): void {
  // The command line opens an engine as large as the largest table; this one has room for those of a few kilobytes.
  if (event.rows.length > engine.capacity) return;
  const json: EventJson = eventToJson(event, rerank(engine, event));
  const text = JSON.stringify(json, (_, value) => {
    assert.ok(typeof value !== 'number' || Number.isFinite(value), 'a number that JSON does not have');
    return value;
  });
  assert.ok(!text.includes('\n'));
  const ranking = json.ranking as { tgid: number }[];
  const once = [...new Map(ranking.map((task) => [task.tgid, task])).values()];
  assert.equal(parseTaskLines(once.map((task) => JSON.stringify(task)).join('\n')).tasks.length, once.length);
}

/** The events and counts when the log comes in three pieces. */
function inPieces(bytes: Buffer): { events: OomEvent[]; counts: KernelLogReader['counts'] } {
  const reader = new KernelLogReader();
  const [one, two] = [Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)];
  const pieces = [bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)];
  const events = pieces.flatMap((piece) => reader.addBytes(piece));
  return { events: [...events, ...reader.end()], counts: reader.counts };
}

export const kernelLog: Target = {
  name: 'kernel-log',
  seeds: SEEDS,
  words: WORDS,
  shaped,
  check(input) {
    const bytes = bytesOf(input);
    const { events, counts } = readKernelLog(bytes);
    const { lines, read, other, foreign, unknown, orphans, tooLong } = counts;
    assert.equal(read + other + foreign + unknown + orphans + tooLong, lines);
    for (const event of events) checkEvent(event);
    assert.deepEqual(inPieces(bytes), { events, counts });
    const some = (count: number) => Math.min(count, 3);
    return `${events.length} ${[read, other, foreign, unknown, orphans].map(some).join(' ')}`;
  },
};
