// Real memory cgroups of v1: what is available, what is page cache, and which domain a guard takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupReader, cgroupMembers } from '../../src/linux/cgroup.js';
import { autoDomain } from '../../src/linux/domain.js';
import { MeminfoReader } from '../../src/linux/meminfo.js';
import { memorySource } from '../../src/pressure/memory-source.js';
import { ownFolder } from '../src/support/own-folder.js';
import { pause } from './support/count.js';
import { ended, MIB, makeGroup, onTmpfs, removeGroup, startHolder, startIn, until, v1Top } from './support/hog.js';

const found = v1Top();
const top = 'top' in found ? found.top : '';
const options = { skip: 'skip' in found ? found.skip : false, timeout: 120_000 };

test(
  'domain: memory that a process holds is missing from what is available; its end gives it back',
  options,
  async (t) => {
    const dir = makeGroup(t, top, 'hold', { 'memory.limit_in_bytes': 128 * MIB });
    const group = new CgroupReader({ dir, version: 1 });
    t.after(() => group.close());
    assert.equal(group.read().totalKib, 128 * 1024);
    const holder = startHolder(t, 60, dir);
    await until('60 MiB held', () => group.read().anonKib > 60 * 1024);
    const { availableKib, basisKib } = group.read();
    assert.ok(availableKib < 68 * 1024 && availableKib > 50 * 1024, `${availableKib} KiB available`);
    assert.ok(basisKib <= 128 * 1024 && basisKib > 110 * 1024, `${basisKib} KiB basis`);
    holder.kill('SIGKILL');
    await ended(holder);
    await until('given back', () => group.read().availableKib > 120 * 1024);
  },
);

test('domain: page cache up to the limit is no pressure', options, async (t) => {
  const files = ownFolder(t);
  if (onTmpfs(files)) return t.skip('files live in memory here');
  const dir = makeGroup(t, top, 'cache', { 'memory.limit_in_bytes': 64 * MIB });
  const group = new CgroupReader({ dir, version: 1 });
  t.after(() => group.close());
  const writer = startIn(t, [dir], `exec dd if=/dev/zero of=${files}/f bs=1M count=100 conv=fsync`);
  assert.equal(await ended(writer), 0);
  const read = group.read();
  assert.ok(read.usageKib > 48 * 1024, `the cache fills the group: ${read.usageKib} KiB`);
  assert.ok(read.availableKib > 56 * 1024, `${read.availableKib} KiB available`);
  const source = memorySource(group);
  assert.equal(source.read(0).level, 'none');
});

test('domain: library and daemon choose as stated, from a real process in a real group', options, async (t) => {
  const outer = makeGroup(t, top, 'outer', { 'memory.limit_in_bytes': 100 * MIB });
  const inner = makeGroup(t, outer, 'inner');
  const child = startIn(t, [inner], 'exec sleep 60');
  await until('in the group', () => cgroupMembers(outer).pids.includes(child.pid!));
  const library = autoDomain({ for: 'library', pid: child.pid! });
  assert.deepEqual(library, {
    kind: 'memcg',
    limit: { version: 1, dir: outer, limitBytes: 100 * MIB },
    reason: 'the nearest limit above',
  });
  assert.equal(autoDomain({ for: 'daemon', pid: child.pid! }).kind, 'system', 'the limit does not hold pid 1');
  assert.deepEqual(cgroupMembers(inner), { pids: [child.pid!], complete: true });
});

test('domain: a removed group is unreadable, not without pressure', options, async (t) => {
  const dir = makeGroup(t, top, 'removed', { 'memory.limit_in_bytes': 64 * MIB });
  const source = memorySource(new CgroupReader({ dir, version: 1 }));
  t.after(() => source.close());
  assert.deepEqual(source.read(0), { level: 'none', error: null });
  await removeGroup(dir);
  await pause(10);
  assert.match(source.read(1).error!, /^ENODEV/);
});

test('meminfo: this machine can be read, and the figures are possible', (t) => {
  const meminfo = new MeminfoReader();
  t.after(() => meminfo.close());
  const read = meminfo.readAll();
  assert.ok(read.availableKib > 0 && read.availableKib <= read.totalKib);
  assert.ok(read.swapFreeKib <= read.swapTotalKib);
  assert.ok(read.anonPagesKib < read.totalKib);
});
