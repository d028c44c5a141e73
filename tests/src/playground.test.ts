/** The parts of the playground that need no browser: links, order of work, frames, rows in sight, words. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { SCHEMES, type Task } from '../../src/index.js';
import { Frames } from '../../src/playground/frames.js';
import {
  decodeLink,
  encodeLink,
  type LinkState,
  PACKED_MAX,
  pack,
  UNPACKED_MAX,
  unpack,
} from '../../src/playground/link.js';
import { visibleRows } from '../../src/playground/ranking-view.js';
import { Rounds, type Step } from '../../src/playground/rounds.js';
import { adjWords, stepParts } from '../../src/playground/task-view.js';
import fc from './support/fast-check.js';

const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 1, totalPages: 10 };
const SCORING = { scheme: 'badness', maxDiscount: 4, age: 'spare-old', adj: 'never-only' } as const;

const PLAIN = { noNullPrototype: true } as const;
const anyScoring = fc.record(
  {
    scheme: fc.constantFrom(...SCHEMES),
    maxDiscount: fc.integer({ min: 1, max: 2 ** 31 }),
    age: fc.constantFrom('spare-old' as const, 'spare-young' as const, 'ignore' as const),
    adj: fc.constantFrom('never-only' as const, 'kernel' as const),
  },
  PLAIN,
);
const anyScenario = fc.record({ kind: fc.constant('scenario' as const), name: fc.string({ maxLength: 20 }) }, PLAIN);
const anyFile = fc.record(
  {
    kind: fc.constant('bytes' as const),
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    bytes: fc.uint8Array({ maxLength: 500 }),
  },
  PLAIN,
);
const anyTgid = fc.integer({ min: 1, max: 2 ** 53 - 1 });
const anyState: fc.Arbitrary<LinkState> = fc.record(
  {
    source: fc.oneof(fc.constant(null), anyScenario, anyFile),
    moment: fc.option(fc.nat(1000)),
    scoring: fc.option(anyScoring),
    adjustments: fc.array(fc.tuple(anyTgid, fc.integer({ min: -1000, max: 1000 })), { maxLength: 5 }),
    selected: fc.option(anyTgid),
    policy: fc.constantFrom('', 'version = 1\n', '# 日本 <b>\n'),
  },
  PLAIN,
);

describe('link', () => {
  test('what is put in comes out', async () => {
    await fc.assert(
      fc.asyncProperty(anyState, async (state) => {
        const { fragment, left } = await encodeLink(state);
        assert.deepEqual(left, []);
        assert.deepEqual(await decodeLink(`#${fragment}`), state);
      }),
    );
  });

  test('whatever a fragment holds, it is refused with a reason or read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (text, data) => {
        const fields = new URLSearchParams({ v: '1', data, by: text, adj: text, at: text, task: text, scheme: text });
        await decodeLink(`#${fields}`).catch((error) => assert.ok(error instanceof RangeError));
        await decodeLink(text);
      }),
    );
  });

  test('what is too large to be packed is left out and named', async () => {
    const bytes = randomBytes(PACKED_MAX);
    assert.equal(await pack(bytes), null);
    const { left, fragment } = await encodeLink({
      ...{ source: { kind: 'bytes', name: 'big.log', bytes }, moment: 0, scoring: null },
      ...{ adjustments: [], selected: null, policy: '' },
    });
    assert.deepEqual(left, ['big.log']);
    assert.doesNotMatch(fragment, /data=/);
  });

  test('a small link that unpacks to a great deal is refused', async () => {
    const packed = await pack(new Uint8Array(UNPACKED_MAX + 1));
    assert.ok(packed && packed.length < PACKED_MAX);
    await assert.rejects(unpack(packed), /more than 8388608 bytes/);
    assert.equal((await unpack((await pack(new Uint8Array(UNPACKED_MAX)))!)).length, UNPACKED_MAX);
  });

  test('fields that make no sense are left away', async () => {
    const state = await decodeLink('#v=1&scheme=nobody&by=0,x,y&at=-1&task=abc&adj=5:2000,7:-3,x');
    assert.deepEqual(state, {
      ...{ source: null, moment: null, scoring: null, adjustments: [[7, -3]], selected: null, policy: '' },
    });
    assert.equal(await decodeLink('#v=2&scheme=badness'), null);
    assert.equal(await decodeLink(''), null);
  });
});

describe('order of work', () => {
  function recorder() {
    const done: Step[] = [];
    const failed: unknown[] = [];
    let during: (step: Step) => void = () => {};
    const rounds = new Rounds(
      async (step) => {
        done.push(step);
        during(step);
      },
      (error) => failed.push(error),
    );
    const on = (run: (step: Step) => void) => {
      during = run;
    };
    return { done, failed, rounds, on };
  }

  test('an early step brings all that follow', async () => {
    const { done, rounds } = recorder();
    await rounds.want('rank');
    assert.deepEqual(done, ['rank', 'task', 'schemes']);
  });

  test('wishes of one turn are done together, the earliest first', async () => {
    const { done, rounds } = recorder();
    void rounds.want('task');
    void rounds.want('moment');
    await rounds.want('schemes');
    assert.deepEqual(done, ['moment', 'adjust', 'rank', 'task', 'schemes']);
  });

  test('a wish that comes meanwhile starts from there again', async () => {
    const { done, rounds, on } = recorder();
    let wished = false;
    on((step) => {
      if (step !== 'task' || wished) return;
      wished = true;
      void rounds.want('rank');
      assert.ok(rounds.isOvertaken('task') && !rounds.isOvertaken('adjust'));
    });
    await rounds.want('rank');
    assert.deepEqual(done, ['rank', 'task', 'rank', 'task', 'schemes']);
  });

  test('what follows a failure is not done', async () => {
    const { done, failed, rounds, on } = recorder();
    on((step) => {
      if (step === 'rank') throw new Error('no');
    });
    await rounds.want('moment');
    assert.deepEqual(done, ['moment', 'adjust', 'rank']);
    assert.equal(failed.length, 1);
  });
});

describe('frames', () => {
  const task = (tgid: number, rssPages: number): Task => ({ tgid, comm: `t${tgid}`, rssPages, uid: tgid });

  test('each moment is as it was, with who was there', () => {
    const frames = new Frames();
    frames.add(0, MACHINE, [task(2, 10)]);
    frames.add(1, MACHINE, [task(2, 20), { ...task(3, 5), exiting: true }]);
    frames.add(2, MACHINE, [task(3, 7)]);
    assert.deepEqual(frames.timesS, [0, 1, 2]);
    const seen = [0, 1, 2].map((index) =>
      frames.at(index).tasks.map(({ comm, rssPages, exiting }) => ({ comm, rssPages, exiting })),
    );
    assert.deepEqual(seen, [
      [{ comm: 't2', rssPages: 10, exiting: false }],
      [
        { comm: 't2', rssPages: 20, exiting: false },
        { comm: 't3', rssPages: 5, exiting: true },
      ],
      [{ comm: 't3', rssPages: 7, exiting: false }],
    ]);
  });

  test('memory is bounded: of very many every second moment is given up, evenly', () => {
    const frames = new Frames();
    const crowd = Array.from({ length: 20_000 }, (_, index) => task(index + 2, index));
    for (let atS = 0; atS < 64; ++atS) frames.add(atS, MACHINE, crowd);
    const { timesS } = frames;
    assert.ok(timesS.length >= 8 && timesS.length <= 32, `${timesS.length} are kept`);
    const steps = new Set(timesS.slice(1).map((atS, index) => atS - timesS[index]!));
    assert.equal(steps.size, 1);
    assert.equal(frames.at(timesS.length - 1).tasks[19_999]!.rssPages, 19_999);
  });
});

test('rows in sight: those on the screen with some to spare, never more than there are', () => {
  assert.deepEqual(visibleRows(0, 340, 10_000), { from: 0, to: 16 });
  assert.deepEqual(visibleRows(34_000, 340, 10_000), { from: 994, to: 1016 });
  assert.deepEqual(visibleRows(339_660, 340, 10_000), { from: 9984, to: 10_000 });
  assert.deepEqual(visibleRows(0, 340, 3), { from: 0, to: 3 });
  assert.deepEqual(visibleRows(5000, 340, 3), { from: 3, to: 3 });
});

test('words of a step: its label and what it says', () => {
  assert.deepEqual(stepParts('  base      rss 5 + swap 0'), { label: 'base', words: 'rss 5 + swap 0' });
  assert.deepEqual(stepParts('  = points  25'), { label: '= points', words: '25' });
  assert.deepEqual(stepParts('            /proc/5/oom_score: 1'), { label: '', words: '/proc/5/oom_score: 1' });
});

test('words of oom_score_adj: what turning it does in the scheme', () => {
  assert.match(adjWords(SCORING), /heeds only −1000/);
  assert.match(adjWords({ ...SCORING, adj: 'kernel' }), /as in the kernel/);
  assert.match(adjWords({ ...SCORING, scheme: 'linux-2.4' }), /does not know it/);
  assert.match(adjWords({ ...SCORING, scheme: 'linux-2.6.32' }), /oom_adj/);
  assert.match(adjWords({ ...SCORING, scheme: 'linux-5.9' }), /thousandths/);
});
