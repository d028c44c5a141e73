// memory.events of a real v2 group: the kernel's kills arrive through both bodies of the waiter, and the group's figures are read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupReader, cgroupOomKills } from '../../src/linux/cgroup.js';
import { loadNative } from '../../src/linux/native.js';
import { V2EventsSource } from '../../src/linux/v2-events.js';
import { createWaiter } from '../../src/linux/wait.js';
import { PATIENCE_MS } from '../src/support/patience.js';
import { ended, MIB, makeGroup, startHog, startHolder, until, v2Top } from './support/hog.js';

const { native } = await loadNative();
const found = v2Top(true);
const top = 'top' in found ? found.top : '';
const options = { skip: 'skip' in found ? found.skip : false, timeout: 120_000 };

for (const waiterNative of [native, null]) {
  test(`v2 events: a kill by the kernel wakes ${waiterNative ? 'poll' : 'fs.watch'}`, options, async (t) => {
    const dir = makeGroup(t, top, 'events', { 'memory.max': 48 * MIB });
    const source = new V2EventsSource(dir, { levels: { oom_kill: 'warn' } });
    const waiter = createWaiter(waiterNative);
    t.after(() => {
      source.close();
      waiter.close();
    });
    assert.equal(source.read(0).level, 'none');
    const hog = startHog(t, dir);
    let now = 0;
    for (let level = 'none'; level === 'none'; level = source.read(++now).level) {
      assert.equal(await waiter.wait(source.wakeUps(), PATIENCE_MS), 'ready');
    }
    assert.equal(await ended(hog), 'SIGKILL');
    assert.equal(cgroupOomKills(dir, 2), 1);
  });
}

test('v2: what is available follows what is held', options, async (t) => {
  const dir = makeGroup(t, top, 'hold', { 'memory.max': 128 * MIB });
  const group = new CgroupReader({ dir, version: 2 });
  t.after(() => group.close());
  startHolder(t, 60, dir);
  await until('60 MiB held', () => group.read().anonKib > 60 * 1024);
  const { availableKib } = group.read();
  assert.ok(availableKib < 68 * 1024 && availableKib > 50 * 1024, `${availableKib} KiB available`);
});
