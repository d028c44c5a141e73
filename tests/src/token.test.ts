import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { closeDomain, openDomain } from '../../src/domains.js';
import type { BadnessError } from '../../src/errors.js';
import { backOffMs, KillToken, type TokenAbi } from '../../src/token.js';
import { releaseBuilds, windowAt } from './support/builds.js';

const SYSTEM = 0;
const NEVER = 1e12;
const VICTIM = { id: 4242, startTicks: 998_877 };

for (const build of releaseBuilds) {
  /** system ─ a ─ a1, a2; system ─ b. Tokens as one thread sees them. */
  const open = () => {
    const { abi, memory } = build.open(1);
    const typed = abi as unknown as TokenAbi;
    openDomain({ memory }, { kind: 'system', totalPages: 1e6 });
    const a = openDomain({ memory }, { kind: 'memcg', parent: SYSTEM });
    const b = openDomain({ memory }, { kind: 'memcg', parent: SYSTEM });
    const a1 = openDomain({ memory }, { kind: 'subtree', parent: a, root: 77 });
    const a2 = openDomain({ memory }, { kind: 'registered', parent: a });
    const token = (domain: number, thread = 0) =>
      new KillToken({ abi: typed, memory, window: windowAt(thread) }, domain);
    return { abi: typed, memory, a, b, a1, a2, token };
  };

  describe(`token, ${build.name}`, () => {
    test('idle → acquired → victim → idle', () => {
      const { token, a } = open();
      const kill = token(a);
      assert.equal(kill.holder, undefined);
      const operation = kill.acquire(1000)!;
      assert.deepEqual(kill.holder, { operation, thread: 0, deadlineMs: 1000, victim: undefined });
      assert.equal(kill.acquire(1000), undefined, 'not twice');
      assert.equal(kill.nameVictim(operation, VICTIM, 5000), true);
      assert.deepEqual(kill.holder, { operation, thread: 0, deadlineMs: 5000, victim: VICTIM });
      assert.equal(kill.acquire(1000), undefined);
      assert.equal(kill.finish(operation), true);
      assert.equal(kill.holder, undefined);
      assert.ok(kill.acquire(1000)! > operation, 'ids are not reused');
    });

    test('idle → acquired → cancelled → idle: memory came back', () => {
      const { token, b } = open();
      const kill = token(b);
      const operation = kill.acquire(1000)!;
      assert.equal(kill.cancel(operation), true);
      assert.equal(kill.holder, undefined);
    });

    test('cancel wants no victim, finish wants one, and a victim is named once', () => {
      const { token, b } = open();
      const kill = token(b);
      const operation = kill.acquire(1000)!;
      assert.equal(kill.finish(operation), false);
      assert.equal(kill.nameVictim(operation, VICTIM, 5000), true);
      assert.equal(kill.nameVictim(operation, { id: 5, startTicks: 0 }, 9000), false);
      assert.equal(kill.cancel(operation), false);
      assert.deepEqual(kill.holder, { operation, thread: 0, deadlineMs: 5000, victim: VICTIM });
      assert.equal(kill.finish(operation), true);
      assert.equal(kill.finish(operation), false, 'nor finished twice');
    });

    test('ids of registered tasks are 53 bits wide', () => {
      const { token, b } = open();
      const kill = token(b);
      const victim = { id: 2 ** 53 - 5, startTicks: 2 ** 52 };
      kill.nameVictim(kill.acquire(1)!, victim, 2);
      assert.deepEqual(kill.holder?.victim, victim);
    });

    test('a held token blocks its ancestors and descendants, and no siblings', () => {
      const { token, a, b, a1, a2 } = open();
      const all = [SYSTEM, a, b, a1, a2];
      const blocked = new Map([
        [SYSTEM, all],
        [a, [SYSTEM, a, a1, a2]],
        [b, [SYSTEM, b]],
        [a1, [SYSTEM, a, a1]],
        [a2, [SYSTEM, a, a2]],
      ]);
      for (const [holder, busy] of blocked) {
        const operation = token(holder).acquire(NEVER)!;
        for (const domain of all) {
          const other = token(domain, 1);
          const theirs = other.acquire(NEVER);
          assert.equal(theirs === undefined, busy.includes(domain), `${domain} while ${holder} is held`);
          if (theirs !== undefined) assert.equal(other.cancel(theirs), true);
          assert.equal(other.blocker, busy.includes(domain) ? holder : undefined);
        }
        assert.equal(token(holder).cancel(operation), true);
      }
    });

    test('three siblings at once; the parent when the last of them is done', () => {
      const { token, a, b, a1, a2 } = open();
      const operations = [a1, a2, b].map((domain) => ({ domain, id: token(domain).acquire(NEVER)! }));
      for (const { domain, id } of operations) {
        assert.equal(token(SYSTEM).acquire(NEVER), undefined);
        assert.equal(token(domain).cancel(id), true);
      }
      assert.notEqual(token(SYSTEM).acquire(NEVER), undefined);
      assert.equal(token(a).acquire(NEVER), undefined);
    });

    test('a stale finish, cancel or victim changes nothing of the operation that came after', () => {
      const { memory, token, a } = open();
      const kill = token(a);
      const stale = kill.acquire(10)!;
      kill.cancel(stale);
      const current = kill.acquire(20)!;
      const before = new Uint8Array(memory.buffer).slice(0, L.WINDOWS + L.WINDOW_BYTES);
      assert.equal(kill.cancel(stale), false);
      assert.equal(kill.finish(stale), false);
      assert.equal(kill.nameVictim(stale, VICTIM, NEVER), false);
      for (const wrong of [0, -1, current + 1, L.OPERATION_MAX]) assert.equal(kill.cancel(wrong), false);
      assert.deepEqual(new Uint8Array(memory.buffer).slice(0, L.WINDOWS + L.WINDOW_BYTES), before);
      assert.equal(kill.nameVictim(current, VICTIM, 30), true);
      assert.equal(kill.finish(stale), false);
      assert.equal(kill.finish(current), true);
      assert.equal(kill.finish(0), false, 'idle is no operation');
    });

    test('nobody takes over before the deadline, anybody at it', () => {
      const { token, a } = open();
      const dead = token(a, 3).acquire(1000)!;
      const kill = token(a, 1);
      assert.equal(kill.takeOver(999, 2000), undefined);
      assert.equal(kill.acquire(2000), undefined);
      const operation = kill.takeOver(1000, 2000)!;
      assert.ok(operation > dead);
      assert.deepEqual(kill.holder, { operation, thread: 1, deadlineMs: 2000, victim: undefined });
      assert.equal(token(a, 3).nameVictim(dead, VICTIM, NEVER), false, 'too late: do not kill');
      assert.equal(token(a, 3).cancel(dead), false);
      assert.equal(kill.cancel(operation), true);
    });

    test('whoever takes over a kill in flight gets its victim, and only it can finish it', () => {
      const { token, a } = open();
      const dead = token(a, 3).acquire(1000)!;
      token(a, 3).nameVictim(dead, VICTIM, 4000);
      assert.equal(token(a, 1).takeOver(3999, 9000), undefined, 'naming a victim moved the deadline');
      const operation = token(a, 1).takeOver(4000, 9000)!;
      assert.deepEqual(token(a, 2).holder, { operation, thread: 1, deadlineMs: 9000, victim: VICTIM });
      assert.equal(token(a, 3).finish(dead), false);
      assert.equal(token(SYSTEM).acquire(NEVER), undefined, 'still in flight');
      assert.equal(token(a, 2).finish(operation), true, 'from any thread');
    });

    test('a thread may take over from itself', () => {
      const { token, a } = open();
      const first = token(a).acquire(5)!;
      token(a).nameVictim(first, VICTIM, 10);
      const second = token(a).takeOver(10, 20)!;
      assert.deepEqual(token(a).holder, { operation: second, thread: 0, deadlineMs: 20, victim: VICTIM });
    });

    test('taking over what is idle is acquiring it', () => {
      const { token, a } = open();
      assert.notEqual(token(a).takeOver(5, 10), undefined);
      assert.equal(token(SYSTEM).takeOver(50, 60), undefined, 'its child is held, expired or not');
    });

    test('two threads that died with their words in on one line wedge nobody', () => {
      const { memory, token, a, a1 } = open();
      const child = token(a1, 4).acquire(100)!;
      token(a1, 4).cancel(child);
      // What a thread leaves that dies between putting its word in and looking along the line.
      const words = new BigUint64Array(memory.buffer);
      const put = (domain: number, thread: number, operation: number) => {
        const view = new DataView(memory.buffer);
        view.setFloat64(windowAt(thread) + L.W_TOKENS + domain * L.HOLD_BYTES + L.HOLD_DEADLINE_MS, 100, true);
        const word = (BigInt(operation) << 32n) | BigInt(windowAt(thread));
        words[(L.DOMAINS + domain * L.DOMAIN_BYTES + L.D_TOKEN) / 8] = word;
      };
      put(a, 4, 900);
      put(a1, 5, 901);
      assert.equal(token(a).takeOver(99, 200), undefined);
      assert.equal(token(a).takeOver(100, 200), undefined, 'the child is held; but the word of the parent is out');
      assert.equal(token(a).holder, undefined);
      const operation = token(a1).takeOver(100, 200)!;
      assert.equal(token(a1).cancel(operation), true);
      assert.notEqual(token(a).acquire(200), undefined);
    });

    test('a deadline that is no number holds nothing: the engine lets anybody take over', () => {
      const { abi, token, a } = open();
      assert.ok(abi.token_acquire(windowAt(0), a, -1, Number.NaN) > 0);
      assert.notEqual(token(a, 1).takeOver(0, 10), undefined);
      assert.throws(
        () => token(a).acquire(Number.NaN),
        /deadlineMs must be milliseconds 0\.\.9007199254740992, got NaN/,
      );
      assert.throws(() => token(a).takeOver(-1, 5), RangeError);
    });

    test('domains: numbers, parents, capacity, and closing', () => {
      const { memory, token, a, a1, a2 } = open();
      const engine = { memory };
      assert.deepEqual([a, a1, a2], [1, 3, 4]);
      assert.throws(() => openDomain(engine, { kind: 'memcg', parent: 31 }), /parent must be an open domain/);
      assert.throws(() => openDomain(engine, { kind: 'system' }), RangeError, 'a second system');
      assert.throws(
        () => closeDomain(engine, a),
        (error: BadnessError) => error.code === 'EBUSY',
        'it has children',
      );
      const operation = token(a1).acquire(NEVER)!;
      assert.throws(
        () => closeDomain(engine, a1),
        (error: BadnessError) => error.code === 'EBUSY',
        'a kill in flight',
      );
      token(a1).cancel(operation);
      closeDomain(engine, a1);
      assert.throws(() => token(a1).acquire(NEVER), /domain must be open, got 3/);
      assert.throws(() => token(a1).cancel(operation), RangeError);
      assert.throws(() => closeDomain(engine, a1), RangeError);
      const parent = token(a).acquire(NEVER);
      assert.notEqual(parent, undefined, 'a closed child blocks nobody');
      token(a).cancel(parent!);
      assert.equal(openDomain(engine, { kind: 'numa', parent: a2 }), a1, 'the free number is used again');
      assert.equal(token(a1).cancel(operation), false, 'the operation of the domain that had this number is stale');
      assert.equal(token(a1).holder, undefined);
      for (let domain = 5; domain < L.DOMAINS_MAX; domain++) {
        assert.equal(openDomain(engine, { kind: 'memcg', parent: domain - 1 }), domain);
      }
      assert.throws(
        () => openDomain(engine, { kind: 'memcg', parent: 0 }),
        (error: BadnessError) => error.code === 'E2BIG',
      );
      assert.notEqual(token(L.DOMAINS_MAX - 1).acquire(NEVER), undefined);
      assert.equal(token(a2).acquire(NEVER), undefined, 'however deep below');
    });

    test('numbers that are no domain are refused', () => {
      const { abi, memory } = open();
      for (const domain of [-1, 32, 9, 2 ** 31 - 1, -(2 ** 31)]) {
        assert.equal(abi.token_acquire(windowAt(0), domain, 0, 0), L.E_RANGE);
        assert.equal(abi.token_victim(windowAt(0), domain, 1, 1, 0, 1, 1), L.E_RANGE);
        assert.equal(abi.token_finish(domain, 1, 0), L.E_RANGE);
        assert.throws(() => closeDomain({ memory }, domain), RangeError);
      }
    });
  });
}

describe('token: back-off', () => {
  test('the limit doubles from 2 ms to 250 ms, and the time is random below it', () => {
    const limits = Array.from({ length: 10 }, (_, attempt) => backOffMs(attempt, () => 1));
    assert.deepEqual(limits, [2, 4, 8, 16, 32, 64, 128, 250, 250, 250]);
    assert.equal(
      backOffMs(5, () => 0.25),
      16,
    );
    assert.equal(
      backOffMs(2000, () => 1),
      250,
    );
  });
});
