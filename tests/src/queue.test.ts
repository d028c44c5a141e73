import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { BadnessError } from '../../src/errors.js';
import { CandidateQueue, type QueueAbi, type TaskHandles } from '../../src/queue.js';
import { type ParsedQueue, referenceLegacyQueue, referenceQueue } from '../reference/queue.js';
import { releaseBuilds, windowAt } from './support/builds.js';
import fc from './support/fast-check.js';

interface Row {
  input: string;
  legacy_queue: number[];
  legacy_read: string;
  recommended: { queue: number[]; read: string } | { error: string };
}

const { rows } = JSON.parse(readFileSync('tests/vectors/procoom-parse.json', 'utf8')) as { rows: Row[] };
const FUZZ_RUNS = 2000;

const withCode = (code: string) => (error: unknown) => error instanceof BadnessError && error.code === code;

/** Everything that is taken, to the end. */
function drain(queue: CandidateQueue): number[] {
  const pids: number[] = [];
  for (let next = queue.take(); next; next = queue.take()) pids.push(next.tgid);
  return pids;
}

/** Tasks that a test makes up: which ids there are, of which group, and which handles are open. */
class Tasks implements TaskHandles {
  readonly groups = new Map<number, number>();
  readonly opened = new Map<number, number>();
  readonly dead = new Set<number>();
  #next = 100;

  constructor(...pids: number[]) {
    for (const pid of pids) this.groups.set(pid, pid);
  }

  open(pid: number) {
    const tgid = this.groups.get(pid);
    if (tgid === undefined) return undefined;
    const handle = this.#next++;
    this.opened.set(handle, tgid);
    return { tgid, handle };
  }

  isAlive(handle: number): boolean {
    assert.ok(this.opened.has(handle), `handle ${handle} is not open`);
    return !this.dead.has(this.opened.get(handle)!);
  }

  close(handle: number): void {
    assert.ok(this.opened.delete(handle), `handle ${handle} is closed twice`);
  }
}

for (const build of releaseBuilds) {
  const open = (tasks?: TaskHandles) => {
    const { abi, memory } = build.open(1);
    const engine = { abi: abi as unknown as QueueAbi, memory, window: windowAt(0) };
    return { engine, queue: new CandidateQueue(engine, tasks) };
  };

  describe(`queue, ${build.name}: text`, () => {
    test('acceptance of 2005: a fresh read is an empty line; echo 11 22 33 reads 11 22 33', () => {
      const { queue } = open();
      assert.equal(queue.text(), '\n');
      assert.deepEqual(queue.replace('11 22 33\n'), { count: 3, gone: [] });
      assert.equal(queue.text(), '11 22 33\n');
      assert.equal(queue.text(true), '11 22 33 \n');
    });

    for (const row of rows) {
      test(`recommended ${JSON.stringify(row.input)}: list, text, or error and the old list stays`, () => {
        const { queue } = open();
        queue.replace('77 88');
        if ('error' in row.recommended) {
          assert.throws(() => queue.replace(row.input), withCode(row.recommended.error));
          assert.equal(queue.text(), '77 88\n');
        } else {
          queue.replace(row.input);
          assert.equal(queue.text(), row.recommended.read);
          assert.deepEqual(drain(queue), row.recommended.queue);
        }
      });

      test(`legacy ${JSON.stringify(row.input)}: list and text`, () => {
        const { queue } = open();
        queue.replace(row.input, { legacy: true });
        assert.equal(queue.text(true), row.legacy_read);
        assert.deepEqual(drain(queue), row.legacy_queue);
      });
    }

    test('the vectors are all there', () => assert.equal(rows.length, 39));

    const { engine, queue } = open();
    const bytes = new Uint8Array(engine.memory.buffer);
    const engineQueue = (text: Uint8Array, legacy: boolean): ParsedQueue => {
      try {
        queue.replace(text, { legacy });
      } catch (error) {
        return (error as BadnessError).code as ParsedQueue;
      }
      return drain(queue);
    };
    const word = fc.oneof(
      fc.nat(50).map(String),
      fc.nat(5_000_000).map(String),
      fc.bigInt(0n, 2n ** 70n).map(String),
      fc.constantFrom('0', '1', '2', '4194304', '4194305', '007', '-5', 'x1', '1x', '0x10', '\0', '3\0', '\r', '\x80'),
    );
    const blank = fc.constantFrom(' ', ' ', ' ', '  ', '\t', '\n', ' \n\t', '');
    const anything = fc.oneof(
      fc
        .array(fc.tuple(word, blank), { maxLength: 40 })
        .map((parts) => new TextEncoder().encode(parts.flat().join(''))),
      fc
        .array(fc.tuple(fc.integer({ min: 2, max: 300 }), fc.constantFrom(' ', '\n')), { maxLength: 200 })
        .map((parts) => new TextEncoder().encode(parts.flat().join(''))),
      fc.uint8Array({ maxLength: 60 }),
    );

    test('fuzz: both grammars agree with the reference on any bytes', () => {
      fc.assert(
        fc.property(anything, (text) => {
          assert.deepEqual(engineQueue(text, false), referenceQueue(text));
          assert.deepEqual(engineQueue(text, true), referenceLegacyQueue(text));
        }),
        { numRuns: FUZZ_RUNS },
      );
    });

    test('a length that is none is refused, and nothing outside the list being made is written', () => {
      const before = bytes.slice(0, L.QUEUE);
      const after = bytes.slice(L.PROTECTED);
      for (const length of [-1, L.TEXT_BYTES + 1, 2 ** 31 - 1, -(2 ** 31)]) {
        assert.equal(engine.abi.queue_parse(engine.window, length), L.E_FORMAT);
      }
      bytes.fill(0x20, engine.window + L.W_TEXT, engine.window + L.W_TEXT + L.TEXT_BYTES);
      assert.equal(engine.abi.queue_parse(engine.window, L.TEXT_BYTES), 0);
      bytes.fill(0, engine.window + L.W_TEXT, engine.window + L.W_TEXT + L.TEXT_BYTES);
      const text = engine.window + L.W_TEXT - L.PROTECTED;
      after.fill(0, text, text + L.TEXT_BYTES);
      assert.deepEqual(bytes.slice(0, L.QUEUE), before);
      assert.deepEqual(bytes.slice(L.PROTECTED), after);
    });
  });

  describe(`queue, ${build.name}: rules`, () => {
    test('first in, first out; consumed on use; then empty', () => {
      const { queue } = open();
      queue.replace('300 200 100');
      assert.equal(queue.count, 3);
      assert.equal(queue.take()?.tgid, 300);
      assert.equal(queue.count, 2);
      assert.equal(queue.text(), '200 100\n');
      assert.deepEqual(drain(queue), [200, 100]);
      assert.equal(queue.count, 0);
      assert.equal(queue.text(), '\n');
      assert.equal(queue.take(), undefined);
    });

    test('a write replaces the rest of the old list, also with nothing', () => {
      const { queue } = open();
      queue.replace('11 22 33');
      queue.take();
      queue.replace('44 55');
      assert.equal(queue.text(), '44 55\n');
      queue.replace('');
      assert.equal(queue.text(), '\n');
      assert.equal(queue.take(), undefined);
    });

    test('a list that was parsed is not in force before it is published', () => {
      const { engine, queue } = open();
      queue.replace('11 22');
      new Uint8Array(engine.memory.buffer).set(new TextEncoder().encode('33 44 55'), engine.window + L.W_TEXT);
      assert.equal(engine.abi.queue_parse(engine.window, 8), 3);
      assert.equal(queue.text(), '11 22\n');
      assert.equal(queue.take()?.tgid, 11);
      assert.equal(engine.abi.queue_publish(), 1, 'one of the old list was taken');
      assert.deepEqual(drain(queue), [33, 44, 55]);
    });

    const pids = (count: number, from = 2, step = 1) =>
      Array.from({ length: count }, (_, index) => from + index * step);

    test('it holds 4,096 candidates; one more is E2BIG and the old list stays', () => {
      const { queue } = open();
      const full = pids(L.QUEUE_MAX);
      queue.replace(full.join(' '));
      assert.equal(queue.count, 4096);
      assert.throws(() => queue.replace(pids(L.QUEUE_MAX + 1, 9).join(' ')), withCode('E2BIG'));
      assert.throws(
        () =>
          queue.replace(
            Array(L.QUEUE_MAX + 1)
              .fill(7)
              .join(' '),
            { legacy: true },
          ),
        withCode('E2BIG'),
      );
      assert.equal(queue.replace(`${full.join(' ')} ${full.slice(0, 99).join('\n')}`).count, 4096, 'known ones fit');
      assert.deepEqual(drain(queue), full);
    });

    test('64 KiB is the most that is read', () => {
      const { queue } = open();
      assert.equal(queue.replace(`11${' '.repeat(L.TEXT_BYTES - 2)}`).count, 1);
      assert.throws(() => queue.replace(`11${' '.repeat(L.TEXT_BYTES - 1)}`), withCode('EINVAL'));
      assert.equal(queue.text(), '11\n');
    });

    test('no choice of pids makes duplicates slow: time grows as the text does, not as its square', () => {
      const { engine } = open();
      const window = new Uint8Array(engine.memory.buffer, engine.window + L.W_TEXT, L.TEXT_BYTES);
      /** The best of many times for `count` pids that share all low bits there are room for, each of them twice. */
      const fastest = (count: number, step: number) => {
        const list = pids(count, 4_190_000 - count * step, step);
        const text = new TextEncoder().encode([...list, ...list].join(' '));
        window.set(text);
        let best = Number.POSITIVE_INFINITY;
        for (let run = 0; run < 40; run++) {
          const started = process.hrtime.bigint();
          assert.equal(engine.abi.queue_parse(engine.window, text.length), count);
          best = Math.min(best, Number(process.hrtime.bigint() - started));
        }
        return best;
      };
      for (const step of [1, 64, 1000, 1024]) {
        const ratio = fastest(4000, step) / fastest(250, step);
        assert.ok(ratio < 64, `16 times the text took ${ratio.toFixed(1)} times as long, step ${step}`);
      }
    });
  });

  describe(`queue, ${build.name}: descriptors`, () => {
    test('an entry keeps a descriptor from the write on, and whoever takes the entry owns it', () => {
      const tasks = new Tasks(11, 22);
      const { queue } = open(tasks);
      queue.replace('11 22');
      assert.equal(tasks.opened.size, 2);
      const taken = queue.take()!;
      assert.equal(tasks.opened.get(taken.handle), 11);
      queue.replace('');
      assert.deepEqual([...tasks.opened.keys()], [taken.handle], 'what nobody took was closed, the taken one was not');
    });

    test('a reused pid is dropped: the descriptor says that the task that was meant is gone', () => {
      const tasks = new Tasks(11, 22, 33);
      const { queue } = open(tasks);
      queue.replace('11 22 33');
      tasks.dead.add(11).add(22);
      assert.equal(queue.take()?.tgid, 33);
      assert.equal(queue.take(), undefined);
      assert.equal(tasks.opened.size, 1);
    });

    test('ids that no task has are left out and named; with missing: refuse it is ESRCH and the old list stays', () => {
      const tasks = new Tasks(11, 33);
      const { queue } = open(tasks);
      assert.deepEqual(queue.replace('11 22 33 44'), { count: 2, gone: [22, 44] });
      assert.equal(queue.text(), '11 33\n');
      assert.throws(() => queue.replace('33 22', { missing: 'refuse' }), withCode('ESRCH'));
      assert.equal(queue.text(), '11 33\n');
      assert.equal(tasks.opened.size, 2, 'what was opened for the refused list was closed');
      assert.deepEqual(drain(queue), [11, 33]);
    });

    test('a thread id stands for its process, which is queued once', () => {
      const tasks = new Tasks(11, 22);
      tasks.groups.set(12, 11).set(13, 11);
      const { queue } = open(tasks);
      assert.equal(queue.replace('12 22 11 13').count, 2);
      assert.equal(queue.text(), '11 22\n');
      assert.equal(tasks.opened.size, 2);
    });

    test('legacy keeps every entry; those without a task are passed by when taken', () => {
      const tasks = new Tasks(11, 22);
      const { queue } = open(tasks);
      queue.replace('1 11 99 -5 11 22', { legacy: true });
      assert.equal(queue.text(true), '1 11 99 0 11 22 \n');
      assert.deepEqual(drain(queue), [11, 11, 22]);
    });
  });
}
