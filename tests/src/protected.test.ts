// The protected set in shared memory: who is in it, whose children are, and what ends it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { ProtectedSet } from '../../src/protected.js';
import fc from './support/fast-check.js';

/** Tasks by id; the handle of a task is a number that is never used again. */
async function scene() {
  const engine = await openEngine({ maxTasks: 64 });
  const alive = new Map<number, number>();
  let handles = 100;
  const open = new Set<number>();
  const tasks = {
    open: (pid: number) => {
      const handle = alive.get(pid);
      if (handle === undefined) return undefined;
      const mine = handle * 1000 + ++handles;
      open.add(mine);
      return { tgid: pid, handle: mine };
    },
    isAlive: (handle: number) => {
      assert.ok(open.has(handle), 'a handle that was closed is never asked');
      return [...alive.values()].includes(Math.floor(handle / 1000));
    },
    close: (handle: number) => void assert.ok(open.delete(handle)),
  };
  let lives = 0;
  const start = (pid: number) => void alive.set(pid, ++lives);
  return { engine, set: new ProtectedSet(engine, tasks), start, end: (pid: number) => alive.delete(pid), open, tasks };
}

test('protected: once, until it is taken back; another thread that looks at the memory sees the same', async () => {
  const { engine, set, start, tasks, open } = await scene();
  start(10);
  assert.equal(set.protect(10, 500), 10);
  assert.equal(set.protect(10, 600), undefined);
  assert.deepEqual(new ProtectedSet(engine, tasks).list(), [{ tgid: 10, sinceTicks: 500, parent: 0 }]);
  assert.deepEqual(
    [set.unprotect(10), set.unprotect(10), set.has(10), set.count, open.size],
    [true, false, false, 0, 0],
  );
});

test('protected: no task is ESRCH, more than there is room for E2BIG; nothing is left open', async () => {
  const { set, start, open } = await scene();
  assert.throws(() => set.protect(10, 0), { code: 'ESRCH' });
  for (let pid = 2; pid < 2 + L.PROTECTED_MAX; ++pid) {
    start(pid);
    set.protect(pid, 0);
  }
  start(1_000_000);
  assert.throws(() => set.protect(1_000_000, 0), { code: 'E2BIG' });
  assert.equal(open.size, L.PROTECTED_MAX);
  set.clear();
  assert.deepEqual([set.count, open.size], [0, 0]);
});

test('protected: children that start from then on are, those before are not, and strangers are not', async () => {
  const { set, start } = await scene();
  start(10);
  set.protect(10, 500);
  assert.deepEqual(
    [
      [11, 10, 500],
      [11, 10, 499],
      [11, 12, 900],
      [10, 1, 3],
    ].map(([pid, ppid, ticks]) => set.covers(pid!, ppid!, ticks!)),
    [true, false, false, true],
  );
});

test('protected: an exit ends it, for the children to come too, and a reused pid has none of it', async () => {
  const { set, start, end, open } = await scene();
  start(10);
  set.protect(10, 500);
  end(10);
  start(10);
  assert.deepEqual([set.has(10), set.covers(10, 1, 900), set.inherits(10, 900)], [false, false, false]);
  assert.deepEqual(set.prune(), [{ tgid: 10, sinceTicks: 500, parent: 0 }]);
  assert.equal(open.size, 0);
  assert.equal(set.protect(10, 700), 10, 'the new one can be protected');
});

test('protected: whatever is done in whatever order, it is the set of what was asked and lives', async () => {
  const step = fc.tuple(
    fc.constantFrom('start', 'end', 'protect', 'unprotect', 'prune'),
    fc.integer({ min: 2, max: 9 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { set, start, end, open } = await scene();
      const lives = new Set<number>();
      const model = new Set<number>();
      for (const [act, pid] of steps) {
        if (act === 'start' && !lives.has(pid)) {
          start(pid);
          lives.add(pid);
        } else if (act === 'end') {
          end(pid);
          lives.delete(pid);
          model.delete(pid);
        } else if (act === 'protect' && lives.has(pid)) {
          set.protect(pid, 1);
          model.add(pid);
        } else if (act === 'unprotect') {
          assert.equal(set.unprotect(pid), model.delete(pid));
        } else if (act === 'prune') {
          set.prune();
          assert.equal(set.count, model.size);
        }
        const tgids = set.list().map(({ tgid }) => tgid);
        assert.deepEqual([...tgids].sort(), [...model].sort());
        assert.equal(open.size, set.count);
      }
    }),
    { numRuns: 60 },
  );
});
