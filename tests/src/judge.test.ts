// What a policy test expects, against what came.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expectation } from '../../src/simulate/case.js';
import { judge } from '../../src/simulate/judge.js';
import type { SimFigures, SimKill } from '../../src/simulate/sim-figures.js';

const kill = (comm: string, by: SimKill['by'] = 'guard', culprit = false): SimKill => ({
  ...{ atMs: 1500, by, tgid: 7, comm, bytes: 1, culprit, lostCpuMs: 0, afterMs: 0 },
});

function figures(kills: SimKill[], reliefMs = 0, endsShort = false): SimFigures {
  const innocentsKilled = kills.filter(({ culprit }) => !culprit).length;
  const kernelKills = kills.filter(({ by }) => by === 'kernel').length;
  const culpritsKilled = kills.length - innocentsKilled;
  return {
    ...{ kills, innocentsKilled, culpritsKilled, kernelKills, reliefMs, endsShort },
    ...{ pressureMs: 0, stalledMs: 0, lostCpuMs: 0, finished: 0 },
  };
}

const TWO = [kill('leak', 'guard', true), kill('web', 'kernel')];

const ROWS: [expect: Expectation, figures: SimFigures, keys: string[]][] = [
  [{ victim: 'leak' }, figures(TWO), []],
  [{ victim: '/^le/' }, figures(TWO), []],
  [{ victim: 'web' }, figures(TWO), ['victim']],
  [{ victim: '*' }, figures([]), ['victim']],
  [{ only: ['leak', 'w?b'] }, figures(TWO), []],
  [{ only: ['leak'] }, figures(TWO), ['only']],
  [{ only: [] }, figures([]), []],
  [{ only: [] }, figures(TWO), ['only']],
  [{ never: ['db', 'x*'] }, figures(TWO), []],
  [{ never: ['db', 'w*'] }, figures(TWO), ['never']],
  [{ kills: 2, killsLeast: 2 }, figures(TWO), []],
  [{ kills: 1 }, figures(TWO), ['kills']],
  [{ killsLeast: 3 }, figures(TWO), ['kills_least']],
  [{ innocents: 1, kernelKills: 1 }, figures(TWO), []],
  [{ innocents: 0, kernelKills: 0 }, figures(TWO), ['innocents', 'kernel_kills']],
  [{ within: 500 }, figures([], 500), []],
  [{ within: 499 }, figures([], 500), ['within']],
  [
    { victim: 'a', only: ['b'], never: ['web'], kills: 0, within: 0 },
    figures(TWO, 9),
    ['victim', 'only', 'never', 'kills', 'within'],
  ],
];

test('judge: each expectation holds or is told, by its key', async () => {
  for (const [expect, came, keys] of ROWS) {
    assert.deepEqual(
      (await judge(expect, came)).map(({ key }) => key),
      keys,
      JSON.stringify(expect),
    );
  }
});

test('judge: what came says who, when and by whom; of many the first three', async () => {
  const [failure] = await judge({ never: ['web'] }, figures(TWO));
  assert.deepEqual(failure, { key: 'never', expected: 'never web', got: 'web (7, innocent) at 1.50 s by the kernel' });
  const [many] = await judge({ kills: 0 }, figures(Array.from({ length: 5 }, () => kill('x', 'parent'))));
  assert.match(many!.got, /^5: x \(7, innocent\) at 1\.50 s by the end of its parent; .*; and 2 more$/);
  const [short] = await judge({ within: 10 }, figures([], 20, true));
  assert.equal(short!.got, '20 ms, and still short at the end');
});

test('judge: an expression that RE2 does not take is refused', async () => {
  await assert.rejects(judge({ victim: '/(?=a)/' }, figures(TWO)), RangeError);
});
