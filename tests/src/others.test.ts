// Kills by others count as in flight: the kernel's, by its count; another daemon's, by who is dying; and never for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { Others } from '../../src/guard/others.js';
import { exemptOthersTasks } from '../../src/linux/exempt.js';
import { systemDomain } from '../../src/linux/linux-domain.js';
import { loadTasks, type Task } from '../../src/task.js';

const MIB = 2 ** 20;
const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 1000, totalPages: 1e6 };

async function scene(tasks: Task[] = [{ tgid: 10, rssPages: 5 }]) {
  const engine = await openEngine({ maxTasks: 64 });
  const box = { kills: 0 as number | null };
  const others = new Others(engine, { ...systemDomain(), oomKills: () => box.kills });
  const put = (now: Task[]) => loadTasks(engine, now, MACHINE);
  put(tasks);
  others.pressureBegins();
  return { box, engine, others, put };
}

const dying: Task = { tgid: 11, state: 'R', threads: 1, exiting: true };

test('others: nobody is dying and the kernel has killed nobody: not in flight', async () => {
  const { others } = await scene();
  assert.equal(others.areKilling(100 * MIB, 0), false);
});

test('others: a task without memory that has not ended is in flight, for 300 ms when no memory comes back', async () => {
  const { others } = await scene([{ tgid: 10, rssPages: 5 }, dying]);
  const seen = [0, 50, 299, 300, 350, 3000].map((ms) => others.areKilling(100 * MIB, ms));
  assert.deepEqual(seen, [true, true, true, false, false, false]);
});

test('others: while memory comes back it is waited for up to 2 s', async () => {
  const { others } = await scene([dying]);
  const seen = [0, 500, 1000, 1999, 2000].map((ms) => others.areKilling((100 + ms) * MIB, ms));
  assert.deepEqual(seen, [true, true, true, true, false]);
});

test('others: of tasks that come and go, none is waited for beyond one look', async () => {
  const { others, put } = await scene([dying]);
  const seen: boolean[] = [];
  for (let look = 0; look < 6; ++look) {
    put([{ ...dying, tgid: 100 + look }]);
    seen.push(others.areKilling(100 * MIB, look * 20));
  }
  assert.deepEqual(seen, [true, false, true, false, true, false]);
});

test('others: one who goes on dying is waited for while others come and go', async () => {
  const { others, put } = await scene([dying]);
  for (let look = 0; look < 6; ++look) {
    put([dying, { ...dying, tgid: 100 + look }]);
    assert.equal(others.areKilling(100 * MIB, look * 20), true);
  }
});

test('others: who was seen dying before memory was short is nobody to have waited for', async () => {
  const { others } = await scene([dying]);
  assert.equal(others.areKilling(100 * MIB, 0), true);
  others.pressureBegins();
  assert.equal(others.areKilling(100 * MIB, 60_000), true);
});

test('others: memory that comes back with breaks is waited for: the 300 ms are from when some came last', async () => {
  const { others } = await scene([dying]);
  const seen = [
    [0, 100],
    [200, 130],
    [400, 130],
    [499, 131],
    [798, 131],
    [799, 131],
  ].map(([ms, mib]) => others.areKilling(mib! * MIB, ms!));
  assert.deepEqual(seen, [true, true, true, true, true, false]);
});

test('others: a zombie, a kernel thread, and one of ours that does not go are nobody to wait for', async () => {
  const { engine, others } = await scene([
    { ...dying, state: 'Z' },
    { ...dying, tgid: 12, kthread: true },
    { ...dying, tgid: 13 },
  ]);
  assert.equal(others.areKilling(0, 0), true, 'the last one is only dying yet');
  const flags = engine.cell(L.C_FLAGS, 2, 4);
  engine.view.setUint32(flags, engine.view.getUint32(flags, true) | L.TASK_MEMDIE, true);
  assert.equal(others.areKilling(0, 5000), false);
});

test('others: a task without memory is dying, though it was not marked as leaving when that was read; unless it was not read', async () => {
  const { engine, others } = await scene([{ tgid: 11, state: 'S', threads: 1, hasMm: false }]);
  assert.equal(others.areKilling(0, 0), true);
  engine.view.setUint32(engine.cell(L.C_STATE, 0, 4), 0, true);
  assert.equal(others.areKilling(0, 5000), false);
});

test('others: a zombie leader with threads that have no memory any more is still dying', async () => {
  const { others } = await scene([{ ...dying, state: 'Z', threads: 3 }]);
  assert.equal(others.areKilling(0, 0), true);
});

test("others: the kernel's count that grew while memory is short is one in flight, before that it is history", async () => {
  const { box, others } = await scene();
  box.kills = 3;
  assert.deepEqual(
    [0, 50, 100].map((ms) => others.areKilling(0, ms)),
    [true, true, false],
  );
  box.kills = 4;
  others.pressureBegins();
  assert.equal(others.areKilling(0, 5000), false);
  box.kills = 5;
  assert.equal(others.areKilling(0, 5500), true, 'seen when it was only time to warn');
  others.pressureBegins();
  assert.equal(others.areKilling(0, 5501), false);
  box.kills = null;
  assert.equal(others.areKilling(0, 6000), false);
});

test('others: a wait in vain is not begun again for the same dying task, but for a later one', async () => {
  const { others, put } = await scene([dying]);
  for (const ms of [0, 300, 320]) others.areKilling(0, ms);
  assert.equal(others.areKilling(0, 340), false);
  put([{ tgid: 10, rssPages: 5 }]);
  assert.equal(others.areKilling(0, 400), false);
  put([dying]);
  assert.equal(others.areKilling(0, 500), true);
});

test('others: a guard that may not signal everybody chooses only tasks of its own user', async () => {
  const { engine } = await scene();
  const exempt = exemptOthersTasks([1000, 1001], false)!;
  const flags = (uid: number) => {
    engine.fields[L.FIELD_UID] = uid;
    return exempt(engine);
  };
  assert.deepEqual([1000, 1001, 0, 1002].map(flags), [0, 0, L.TASK_OUTSIDE, L.TASK_OUTSIDE]);
  assert.equal(exemptOthersTasks([1000], true), null);
});

test('others: when memory was not short meanwhile, one who is dying later is waited for anew', async () => {
  const { others, put } = await scene([dying]);
  assert.equal(others.areKilling(100 * MIB, 0), true);
  others.shortageEnds();
  put([{ ...dying, tgid: 12 }]);
  assert.deepEqual(
    [60_000, 60_299, 60_300].map((ms) => others.areKilling(100 * MIB, ms)),
    [true, true, false],
  );
  others.shortageEnds();
  assert.equal(others.areKilling(100 * MIB, 70_000), true, 'nor is a wait in vain remembered');
});
