import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openDomain } from '../../src/domains.js';
import { KillToken, type TokenAbi } from '../../src/token.js';
import { releaseBuilds, windowAt } from './support/builds.js';
import { CELLS_PER_DOMAIN, COUNTERS, type Counter, KILLS, type RaceData } from './support/race-account.js';

const THREADS = 8;
const ROUNDS = 10_000;
/** system ─ a ─ a1, a2 ─ a21; system ─ b ─ b1. */
const PARENTS = [-1, 0, 0, 1, 1, 4, 2];

describe('token: 8 threads over one memory', () => {
  test(`${ROUNDS} rounds: never two kills along one line, never a wedge, siblings at the same time`, async (t) => {
    const { abi, memory } = releaseBuilds.find((build) => build.name === 'shared')!.open(1);
    const typed = abi as unknown as TokenAbi;
    PARENTS.forEach((parent) => {
      openDomain({ memory }, { kind: parent < 0 ? 'system' : 'memcg', parent });
    });
    const cells = new SharedArrayBuffer(4 * (PARENTS.length * CELLS_PER_DOMAIN + COUNTERS.length));
    const url = new URL('./token-race.worker.js', import.meta.url);
    const threads = Array.from({ length: THREADS }, (_, index) => {
      const workerData: RaceData = { memory, thread: index + 1, rounds: ROUNDS / THREADS, parents: PARENTS, cells };
      const worker = new Worker(url, { workerData });
      return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
    });
    assert.deepEqual(await Promise.all(threads), Array(THREADS).fill(0));

    const account = new Int32Array(cells);
    const seen = Object.fromEntries(
      COUNTERS.map((name, index) => [name, account[PARENTS.length * CELLS_PER_DOMAIN + index]!]),
    ) as Record<Counter, number>;
    t.diagnostic(JSON.stringify(seen));
    const { twoHolders, twoKills, lost, staleAccepted, wedged } = seen;
    assert.deepEqual(
      { twoHolders, twoKills, lost, staleAccepted, wedged },
      { twoHolders: 0, twoKills: 0, lost: 0, staleAccepted: 0, wedged: 0 },
    );
    assert.equal(seen.rounds, ROUNDS);
    for (const happened of [
      'kills',
      'cancels',
      'busy',
      'takenOver',
      'inherited',
      'staleRefused',
      'siblings',
    ] as const) {
      assert.ok(seen[happened] > 0, `${happened} must have happened`);
    }

    // Those that died in the last rounds: whoever comes next clears up, and then all is idle and accounted for.
    PARENTS.forEach((_, domain) => {
      const token = new KillToken({ abi: typed, memory, window: windowAt(0) }, domain);
      if (!token.holder) return;
      const operation = token.takeOver(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      if (operation === undefined) return;
      if (token.holder.victim) {
        account[domain * CELLS_PER_DOMAIN + KILLS]!--;
        assert.ok(token.finish(operation));
      } else {
        assert.ok(token.cancel(operation));
      }
    });
    PARENTS.forEach((_, domain) => {
      assert.equal(new KillToken({ abi: typed, memory, window: windowAt(0) }, domain).holder, undefined);
      assert.equal(account[domain * CELLS_PER_DOMAIN], 0, 'holders');
      assert.equal(account[domain * CELLS_PER_DOMAIN + KILLS], 0, 'kills in flight');
    });
  });
});
