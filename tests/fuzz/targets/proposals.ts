/** Texts of the proposals of 2005 and 2006: the queue in the engine, on every build and as the old code read it, and commands of protection. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as L from '../../../assembly/layout.js';
import { proposalFiles } from '../../../src/control/proposal-files.js';
import type { Asked } from '../../../src/control/resources.js';
import { openEngine } from '../../../src/engine.js';
import type { BadnessError } from '../../../src/errors.js';
import { CandidateQueue, type QueueAbi } from '../../../src/queue.js';
import { type ParsedQueue, referenceLegacyQueue, referenceQueue } from '../../reference/queue.js';
import { releaseBuilds, windowAt } from '../../src/support/builds.js';
import { FakeControlled } from '../../src/support/control-scene.js';
import { bytesOf, refusal, type Target } from '../target.js';

const builds = releaseBuilds.map((build) => {
  const { abi, memory } = build.open(1);
  const queue = new CandidateQueue({ abi: abi as unknown as QueueAbi, memory, window: windowAt(0) });
  // Whatever lies behind the queue, and the window with its text before it: neither is the queue's.
  const behind = Buffer.from(memory.buffer, L.PROTECTED, L.WINDOWS - L.PROTECTED);
  return { queue, behind, before: Buffer.from(behind) };
});

function replaced(queue: CandidateQueue, bytes: Uint8Array, legacy: boolean): ParsedQueue {
  const old = queue.text();
  try {
    const { count } = queue.replace(bytes, { legacy });
    const text = queue.text().trim();
    const pids = text === '' ? [] : text.split(' ').map(Number);
    assert.equal(pids.length, count);
    return pids;
  } catch (error) {
    refusal(error, 'EINVAL', 'E2BIG');
    assert.equal(queue.text(), old, 'the old list stays');
    return (error as BadnessError).code as ParsedQueue;
  }
}

const pid = fc.oneof(
  fc.nat(50),
  fc.nat(5_000_000),
  fc.constantFrom('0', '1', '01', '+5', '-5', '4194304', '4194305', '4294967297'),
);
const pids = fc
  .array(fc.tuple(pid, fc.constantFrom(' ', '\n', '\t', '  ', '\r', '\0', ',')), { maxLength: 40 })
  .map((list) => list.flat().join(''));

export const queue: Target = {
  name: 'queue',
  seeds: ['11 22 33\n', '2\n3\n4', '4194304', ''],
  words: [
    ' ',
    '\n',
    '\t',
    '\0',
    '\v',
    '\r',
    '5',
    '0',
    '-',
    '+',
    '4194305',
    '99999999999',
    ' 7 8 9',
    '0x1',
    '\xa0',
    '\xff',
  ],
  shaped: pids,
  // What is longer is refused unread.
  longest: L.TEXT_BYTES,
  check(input) {
    const bytes = bytesOf(input);
    const [now, legacy] = [referenceQueue(bytes), referenceLegacyQueue(bytes)];
    for (const { queue, behind, before } of builds) {
      assert.deepEqual(replaced(queue, bytes, true), legacy);
      assert.deepEqual(replaced(queue, bytes, false), now);
      assert.ok(behind.equals(before), 'something behind the queue was written');
    }
    return `${typeof now === 'string' ? now : Math.min(now.length, 20)} ${legacy.length > 20}`;
  },
};

const guard = new FakeControlled(await openEngine({ maxTasks: 1 }));
const files = proposalFiles(guard, { path: '/c', selfRefusal: null });
const post = files.find(({ name }) => name === '/oom_kill_protection/ctl')!.methods.POST!;

/** The grammar in words: the command, blanks, a pid without leading zeros, blanks, 0 or 1, blanks, a line end. */
function referenceCommand(input: string): [id: number, on: boolean] | null {
  if (input.length > 4096) return null;
  const line = input.endsWith('\n') ? input.slice(0, -1) : input;
  const [verb, id = '', flag = '', ...more] = line.replace(/[ \t]+$/, '').split(/[ \t]+/);
  const isPid = /^[0-9]{1,10}$/.test(id) && !id.startsWith('0') && Number(id) <= 4194304;
  const isWhole = verb === 'setprotection' && isPid && ['0', '1'].includes(flag) && more.length === 0;
  return isWhole ? [Number(id), flag === '1'] : null;
}

export const command: Target = {
  name: 'command',
  seeds: ['setprotection 123 1\n', 'setprotection\t5\t0', 'setprotection 4194304 1 \n'],
  words: ['setprotection', ' ', '\t', '\n', '\0', '1', '0', '01', '4194305', '-1', 'setprotection 5 1\n', '\r'],
  shaped: fc
    .tuple(fc.constantFrom('setprotection', 'set', ' setprotection'), pid, fc.nat(2))
    .map((words) => words.join(' ')),
  most: 5000,
  check(input) {
    const expected = referenceCommand(input);
    guard.asked.length = 0;
    const asked = { body: bytesOf(input) } as Asked;
    try {
      void post(asked);
    } catch (error) {
      assert.equal(expected, null);
      return refusal(error, 'EINVAL');
    }
    assert.deepEqual(guard.asked, [expected]);
    return `${expected?.[1]}`;
  },
};
