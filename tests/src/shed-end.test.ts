// One registered task asked for its memory, on a fake clock: how it is ended, hurried and left, who leaves meanwhile, the report.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { killReportToJson } from '../../src/guard/kill-report.js';
import { ending, HELD, never, Scene, steps } from './support/shed-scene.js';

describe('shed: kill, hurry, abort', () => {
  test('where it can be ended it is ended in the place of a hard shed', async () => {
    let ended = 0;
    const scene: Scene = new Scene(() => {}, {
      kill: () => {
        ended += 1;
        scene.task.unregister();
      },
    });
    const report = await scene.reportAfter(3100);
    assert.deepEqual([ending(report), ended, report.exited], [['released', null, 'unregistered'], 1, true]);
    assert.deepEqual(steps(report), [
      ['shed', 0],
      ['kill', 3000],
    ]);
    assert.equal(report.shed!.leftBytes, 0);
  });

  test('a kill that throws is on record as such', async () => {
    const scene = new Scene(() => {}, {
      kill: () => {
        throw new TypeError('not mine');
      },
    });
    const report = await scene.reportAfter(3100);
    assert.deepEqual(ending(report), ['stuck', 'threw', null]);
    assert.deepEqual(report.errors, [{ call: 'kill', code: 'UNKNOWN', tgid: scene.task.id }]);
  });

  test('memory becomes shorter: asked hard now', async () => {
    const scene = new Scene((ask, all) => {
      if (ask.hard) all.bytes = 0;
    });
    const running = scene.run();
    await scene.clock.advance(1000);
    scene.hurry.abort();
    await scene.clock.advance(10);
    const report = await running;
    assert.deepEqual([report.outcome, steps(report).at(-1)], ['released', ['shed_hard', 1000]]);
  });

  test('nobody waits any more: refused before the first question, stuck after it, at once', async () => {
    const early = new Scene(() => never);
    early.abort.abort();
    assert.deepEqual(ending(await early.reportAfter(0)), ['refused', 'aborted', null]);
    assert.equal(early.asked.length, 0);
    const late = new Scene(() => never);
    const running = late.run();
    await late.clock.advance(100);
    late.abort.abort();
    await late.clock.advance(0);
    const report = await running;
    assert.deepEqual([ending(report), report.timings.totalMs], [['stuck', 'aborted', null], 100]);
    assert.ok(late.signals[0]!.aborted);
  });

  test('no time for the first question: both are asked, in order', async () => {
    const scene = new Scene(() => never);
    await scene.reportAfter(10_000, { termMs: 0 });
    assert.deepEqual(
      scene.asked.map(({ hard, atMs }) => [hard, atMs]),
      [
        [false, 0],
        [true, 0],
      ],
    );
  });
});

describe('shed: who leaves, who came', () => {
  test('gone before it was asked: nobody is asked, not even who has its name now', async () => {
    const scene = new Scene(() => {});
    scene.task.unregister();
    scene.registry.register({ name: 'a cache with a long name', memoryBytes: HELD, shed: () => assert.fail('asked') });
    const report = await scene.reportAfter(0);
    assert.deepEqual([ending(report), report.signals], [['gone', 'exited', null], []]);
  });

  test('empty before it was asked: gone', async () => {
    const scene = new Scene(() => {});
    scene.bytes = 0;
    assert.deepEqual(ending(await scene.reportAfter(0)), ['gone', 'empty', null]);
    assert.equal(scene.asked.length, 0);
  });

  test('unregisters while it is asked: released, at once, and not asked again', async () => {
    const scene = new Scene((_, all) => {
      all.clock.after(500, () => all.task.unregister());
      return never;
    });
    const report = await scene.reportAfter(700);
    assert.deepEqual([ending(report), report.exited], [['released', null, 'unregistered'], true]);
    assert.ok(report.timings.releasedMs! <= 600);
    assert.equal(scene.asked.length, 1);
  });

  test('an answer to a question that nobody waits for any more is dropped, and is not taken for that to the next', async () => {
    const answers: ((bytes: number) => void)[] = [];
    const scene = new Scene((ask, all) => {
      if (ask.hard) all.bytes = 0;
      return new Promise((resolve) => answers.push(resolve));
    });
    let ended = false;
    const running = scene.run().finally(() => {
      ended = true;
    });
    await scene.clock.advance(3000);
    answers[0]!(500);
    await scene.clock.advance(1000);
    assert.equal(ended, false);
    answers[1]!(7);
    await scene.clock.advance(10);
    assert.ok(ended);
    assert.equal((await running).shed!.claimedBytes, 7);
  });
});

test('shed: the JSON of a report has its own keys at the end, and those of every report before', async () => {
  const scene = new Scene((_, all) => {
    all.bytes = 0;
  });
  const json = killReportToJson(await scene.reportAfter(10));
  assert.equal(
    Object.keys(json).join(' '),
    'tgid comm outcome reason path asked_signal rawio signals escalations sharers released_by exited mrelease threads_raised errors timings shed',
  );
  assert.deepEqual(json.shed, { held_bytes: HELD, left_bytes: 0, claimed_bytes: null, problem: null });
});
