// One registered task asked for its memory, on a fake clock: who gives, and who throws, hangs and lies.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ending, HELD, NEEDED, never, Scene, steps } from './support/shed-scene.js';

describe('shed: who gives', () => {
  test('asked once, gives what was needed: released by its memory, and not asked again', async () => {
    const scene = new Scene((ask, all) => {
      all.bytes -= ask.neededBytes;
      return ask.neededBytes;
    });
    const report = await scene.reportAfter(10);
    assert.deepEqual(ending(report), ['released', null, 'memory']);
    assert.deepEqual(scene.asked, [{ hard: false, neededBytes: NEEDED, atMs: 0 }]);
    assert.deepEqual(report.shed, { heldBytes: HELD, leftBytes: 600, claimedBytes: 400, problem: null });
    assert.deepEqual([report.tgid, report.comm, report.path], [scene.task.id, 'a cache with a long name', 'shed']);
    assert.deepEqual(report.signals, [{ tgid: scene.task.id, signal: 'SIGTERM', atMs: 0 }]);
  });

  test('it may take its time: looked at until the memory is back, which may be after the answer', async () => {
    const scene = new Scene((_, all) => {
      all.clock.after(700, () => {
        all.bytes = 100;
      });
      return 900;
    });
    const report = await scene.reportAfter(1000);
    assert.deepEqual(ending(report), ['released', null, 'memory']);
    const { releasedMs } = report.timings;
    assert.ok(releasedMs! >= 700 && releasedMs! <= 800, `${releasedMs} ms`);
    assert.equal(scene.asked.length, 1);
  });

  test('half of what it held is enough, where more is needed than it has', async () => {
    for (const [left, outcome] of [
      [500, 'released'],
      [501, 'stuck'],
    ] as const) {
      const scene = new Scene((_, all) => {
        all.bytes = left;
      });
      const report = await scene.reportAfter(13_200, { neededBytes: 5000 });
      assert.equal(report.outcome, outcome);
    }
  });

  test('SIGKILL asks hard at once', async () => {
    const scene = new Scene((_, all) => {
      all.bytes = 0;
    });
    const report = await scene.reportAfter(10, { signal: 'SIGKILL' });
    assert.deepEqual(scene.asked, [{ hard: true, neededBytes: NEEDED, atMs: 0 }]);
    assert.deepEqual([ending(report)[0], steps(report)], ['released', [['shed_hard', 0]]]);
    assert.deepEqual([report.askedSignal, report.timings.sigkillMs], ['SIGKILL', 0]);
  });

  test('memory that is back while the answer is not: it is waited for until its time is over, then the memory decides', async () => {
    const scene = new Scene((_, all) => {
      all.bytes = 0;
      return never;
    });
    const running = scene.run();
    await scene.clock.advance(2990);
    assert.equal(scene.asked.length, 1, 'one shed in flight');
    await scene.clock.advance(10);
    const report = await running;
    assert.deepEqual([ending(report), report.timings.releasedMs], [['released', null, 'memory'], 3000]);
    assert.equal(scene.asked.length, 1);
    assert.ok(scene.signals[0]!.aborted, 'nobody waits any more');
  });
});

describe('shed: who does not', () => {
  test('hangs: asked hard after termMs, and stuck after stuckMs; its signals fire', async () => {
    const scene = new Scene(() => never);
    const running = scene.run();
    await scene.clock.advance(3000);
    assert.deepEqual(
      scene.signals.map(({ aborted }) => aborted),
      [true, false],
    );
    await scene.clock.advance(10_000);
    const report = await running;
    assert.deepEqual(ending(report), ['stuck', 'timeout', null]);
    assert.deepEqual(steps(report), [
      ['shed', 0],
      ['shed_hard', 3000],
    ]);
    assert.deepEqual(report.shed, { heldBytes: HELD, leftBytes: HELD, claimedBytes: null, problem: null });
    assert.ok(scene.signals[1]!.aborted);
  });

  test('lies: what it says it gave is noted, what it holds decides', async () => {
    const scene = new Scene(() => 10 * HELD);
    const report = await scene.reportAfter(13_000);
    assert.deepEqual(ending(report), ['stuck', 'timeout', null]);
    assert.deepEqual(report.shed, { heldBytes: HELD, leftBytes: HELD, claimedBytes: 20 * HELD, problem: null });
    assert.deepEqual(
      scene.asked.map(({ hard, atMs }) => [hard, atMs]),
      [
        [false, 0],
        [true, 3000],
      ],
    );
  });

  test('an answer that is no number is none', async () => {
    for (const answer of [-1, Number.NaN, '500', {}, null]) {
      const scene = new Scene((_, all) => {
        all.bytes = 0;
        return answer;
      });
      const report = await scene.reportAfter(10);
      assert.deepEqual([report.outcome, report.shed!.claimedBytes], ['released', null]);
    }
  });

  test('throws or rejects: asked hard at once; throws again: stuck at once, by name', async () => {
    for (const shed of [
      () => {
        throw Object.assign(new Error('disk full'), { code: 'ENOSPC' });
      },
      () => Promise.reject(Object.assign(new Error('disk full'), { code: 'ENOSPC' })),
    ]) {
      const scene = new Scene(shed);
      const report = await scene.reportAfter(20);
      assert.deepEqual(ending(report), ['stuck', 'threw', null]);
      assert.equal(scene.asked.length, 2);
      const { id } = scene.task;
      assert.deepEqual(report.errors, Array(2).fill({ call: 'shed', code: 'ENOSPC', tgid: id }));
      assert.equal(report.shed!.problem, 'Error: disk full');
    }
  });

  test('throws what cannot even be asked for its code', async () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
      },
    );
    const scene = new Scene(() => {
      throw hostile;
    });
    const report = await scene.reportAfter(20);
    assert.deepEqual([ending(report)[1], report.errors[0]!.code], ['threw', 'UNKNOWN']);
  });

  test('throws after it gave: the memory decides', async () => {
    const scene = new Scene((_, all) => {
      all.bytes = 0;
      throw new Error('late');
    });
    assert.deepEqual(ending(await scene.reportAfter(20)), ['released', null, 'memory']);
    assert.equal(scene.asked.length, 1);
  });

  test('memory that cannot be measured is not proved to be back', async () => {
    const scene = new Scene((_, all) => {
      all.bytes = Number.NaN;
    });
    const report = await scene.reportAfter(13_000);
    assert.deepEqual([ending(report), report.shed!.leftBytes], [['stuck', 'timeout', null], null]);
  });

  test('a call that blocks the thread beyond its time has its memory looked at, and is asked hard then', async () => {
    const scene = new Scene((ask, all) => {
      all.clock.block(5000);
      if (ask.hard) all.bytes = 0;
    });
    const report = await scene.reportAfter(20);
    assert.deepEqual([report.outcome, report.timings.releasedMs], ['released', 10_000]);
    assert.deepEqual(
      scene.asked.map(({ hard, atMs }) => [hard, atMs]),
      [
        [false, 0],
        [true, 5000],
      ],
    );
  });
});
