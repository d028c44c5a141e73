// Which cgroup, which limit, what is available: v1, v2, containers, from texts as kernels print them.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CgroupReader, cgroupLimitBytes, nearestLimit } from '../../src/linux/cgroup.js';
import { findMemoryCgroup, upwards } from '../../src/linux/cgroup-place.js';
import { autoDomain } from '../../src/linux/domain.js';
import { DESKTOP, FileTree, MIB, meminfoText, statV1, statV2, V1_UNLIMITED } from './support/pressure-fixtures.js';

/** A machine of which /proc is `proc`; `{root}` in a text is the tree's own path. */
function machine(t: TestContext, files: Record<string, string>): FileTree {
  const tree = new FileTree(t);
  const all = { 'proc/meminfo': meminfoText(DESKTOP), ...files };
  for (const [path, text] of Object.entries(all)) tree.write(path, text.replaceAll('{root}', tree.root));
  return tree;
}

const V1_MOUNTS =
  '31 23 0:28 / {root}/cg rw - tmpfs tmpfs rw\n' +
  '32 31 0:29 / {root}/cg/cpu rw,relatime - cgroup cgroup rw,cpu\n' +
  '35 31 0:32 / {root}/cg/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n' +
  '41 31 0:38 / {root}/cg/unified rw,relatime - cgroup2 cgroup2 rw\n';

const V1 = {
  'proc/self/mountinfo': V1_MOUNTS,
  'proc/self/cgroup': '9:name=systemd:/x\n4:memory:/a/b\n1:cpu:/\n0::/\n',
  'proc/1/cgroup': '4:memory:/\n0::/\n',
  'cg/memory/memory.limit_in_bytes': V1_UNLIMITED,
  'cg/memory/a/memory.limit_in_bytes': `${512 * MIB}\n`,
  'cg/memory/a/b/memory.limit_in_bytes': V1_UNLIMITED,
  'cg/unified/cgroup.procs': '',
};

const V2_MOUNT = '24 20 0:22 / {root}/cg rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';

test('cgroup: a process in the root of v2 sees the groups below it', (t) => {
  const files = { 'proc/self/mountinfo': V2_MOUNT, 'proc/self/cgroup': '0::/\n', 'proc/1/cgroup': '0::/\n' };
  const without = machine(t, { ...files, 'cg/cgroup.controllers': 'cpu pids\n' });
  assert.equal(findMemoryCgroup('self', without.at('proc')), null);
  const tree = machine(t, { ...files, 'cg/cgroup.controllers': 'cpu memory pids\n' });
  assert.deepEqual(findMemoryCgroup('self', tree.at('proc')), { version: 2, dir: tree.at('cg'), top: tree.at('cg') });
  assert.equal(autoDomain({ for: 'daemon', root: tree.at('proc') }).kind, 'system');
});

test('cgroup: v1 memory is found by its controller, beside a unified hierarchy without it', (t) => {
  const tree = machine(t, V1);
  const place = findMemoryCgroup('self', tree.at('proc'));
  assert.deepEqual(place, { version: 1, dir: tree.at('cg/memory/a/b'), top: tree.at('cg/memory') });
});

test('cgroup: v2: the nearest group above that has the controller is charged', (t) => {
  const tree = machine(t, {
    'proc/self/mountinfo': V2_MOUNT,
    'proc/self/cgroup': '0::/user.slice/app.scope/inner\n',
    'cg/user.slice/app.scope/inner/cgroup.procs': '',
    'cg/user.slice/app.scope/memory.current': '1\n',
    'cg/user.slice/memory.current': '1\n',
  });
  const place = findMemoryCgroup('self', tree.at('proc'));
  assert.deepEqual(place, { version: 2, dir: tree.at('cg/user.slice/app.scope'), top: tree.at('cg') });
});

test('cgroup: v2 without the memory controller is none', (t) => {
  const tree = machine(t, { 'proc/self/mountinfo': V2_MOUNT, 'proc/self/cgroup': '0::/\n', 'cg/cgroup.procs': '' });
  assert.equal(findMemoryCgroup('self', tree.at('proc')), null);
});

test('cgroup: a container sees its own part of the hierarchy, by the root of the mount', (t) => {
  const tree = machine(t, {
    'proc/self/mountinfo': '35 31 0:32 /docker/abc {root}/cg/memory ro - cgroup cgroup rw,memory\n',
    'proc/self/cgroup': '4:memory:/docker/abc\n',
    'proc/7/cgroup': '4:memory:/docker/abc/sub\n',
    'proc/8/cgroup': '4:memory:/docker/abcd\n',
    'proc/9/cgroup': '4:memory:/../../other\n',
    'cg/memory/sub/memory.limit_in_bytes': '1\n',
  });
  assert.equal(findMemoryCgroup('self', tree.at('proc'))?.dir, tree.at('cg/memory'));
  assert.equal(findMemoryCgroup(7, tree.at('proc'))?.dir, tree.at('cg/memory/sub'));
  assert.equal(findMemoryCgroup(8, tree.at('proc')), null, 'a name that only begins alike');
  assert.equal(findMemoryCgroup(9, tree.at('proc')), null, 'outside of this cgroup namespace');
});

test('cgroup: blanks in a mount point are written in octal', (t) => {
  const tree = machine(t, {
    'proc/self/mountinfo': '35 31 0:32 / {root}/c\\040g rw - cgroup cgroup rw,memory\n',
    'proc/self/cgroup': '4:memory:/a b\n',
    'c g/a b/memory.limit_in_bytes': '1\n',
  });
  assert.equal(findMemoryCgroup('self', tree.at('proc'))?.dir, tree.at('c g/a b'));
});

test('cgroup: upwards ends at the top', () => {
  assert.deepEqual(upwards('/cg/a/b', '/cg'), ['/cg/a/b', '/cg/a', '/cg']);
  assert.deepEqual(upwards('/cg', '/cg'), ['/cg']);
  assert.deepEqual(upwards('/a/b', '/'), ['/a/b', '/a', '/']);
  assert.deepEqual(upwards('/cgx/a', '/cg'), ['/cgx/a']);
});

test('cgroup: of limits within each other the smallest counts, of equal ones the nearest', (t) => {
  const tree = machine(t, V1);
  const place = findMemoryCgroup('self', tree.at('proc'))!;
  assert.equal(nearestLimit(place)?.dir, tree.at('cg/memory/a'));
  tree.write('cg/memory/a/b/memory.limit_in_bytes', `${1024 * MIB}\n`);
  assert.equal(nearestLimit(place)?.dir, tree.at('cg/memory/a'), 'the outer one is met first');
  tree.write('cg/memory/a/b/memory.limit_in_bytes', `${512 * MIB}\n`);
  assert.equal(nearestLimit(place)?.dir, tree.at('cg/memory/a/b'));
  assert.equal(nearestLimit(place, 256 * MIB), null, 'what the machine cannot fill limits nothing');
});

test('cgroup v1: page cache is available, tmpfs and anonymous memory are not; totals count, not the group alone', (t) => {
  const tree = machine(t, {
    'g/memory.limit_in_bytes': `${512 * MIB}\n`,
    'g/memory.usage_in_bytes': `${510 * MIB}\n`,
    'g/memory.stat': statV1({ inactive: 300 * MIB, active: 50 * MIB }, 100 * MIB),
  });
  const group = new CgroupReader({ dir: tree.at('g'), version: 1 });
  t.after(() => group.close());
  const read = group.read();
  assert.equal(read.totalKib, 512 * 1024);
  assert.equal(read.availableKib, 352 * 1024);
  assert.equal(read.basisKib, 452 * 1024);
  assert.equal(read.usageKib, 510 * 1024);
  assert.equal(read.fileKib, 350 * 1024);
  tree.write('g/memory.limit_in_bytes', V1_UNLIMITED);
  assert.throws(() => group.read(), { code: 'EBADMSG' }, 'a limit that was lifted is no domain any more');
});

test('cgroup v1: statistics that get shorter, as they do after a kill, are found where they stand now', (t) => {
  const stat = (file: number) =>
    statV1({ inactive: file, active: file }, 100 * MIB).replace(/total_unevictable.*\n/, '');
  const tree = machine(t, {
    'g/memory.limit_in_bytes': `${512 * MIB}\n`,
    'g/memory.usage_in_bytes': `${400 * MIB}\n`,
    'g/memory.stat': `${'x 1\n'.repeat(20)}${stat(50 * MIB)}`,
  });
  const group = new CgroupReader({ dir: tree.at('g'), version: 1 });
  t.after(() => group.close());
  assert.equal(group.read().availableKib, 212 * 1024);
  tree.write('g/memory.stat', stat(0));
  assert.equal(group.read().availableKib, 112 * 1024, 'what stood there before lies behind the end, whole');
});

test('cgroup v2: reclaimable slab is available too; more than the limit never is', (t) => {
  const tree = machine(t, {
    'g/memory.max': `${512 * MIB}\n`,
    'g/memory.current': `${500 * MIB}\n`,
    'g/memory.stat': statV2({ inactive: 100 * MIB, active: 20 * MIB }, 350 * MIB, 30 * MIB),
  });
  const group = new CgroupReader({ dir: tree.at('g'), version: 2 });
  t.after(() => group.close());
  assert.equal(group.read().availableKib, 162 * 1024);
  tree.write('g/memory.current', `${10 * MIB}\n`);
  assert.equal(group.read().availableKib, 512 * 1024);
  tree.write('g/memory.stat', 'anon 5\n');
  assert.throws(() => group.read(), { code: 'EBADMSG' });
  tree.write('g/memory.max', 'max\n');
  assert.throws(() => group.read(), { code: 'EBADMSG' });
  tree.write('g/memory.max', 'much\n');
  assert.throws(() => group.read(), { code: 'EBADMSG' });
});

test('cgroup v2: memory.high is the limit where it is the less, also without a memory.max', (t) => {
  const tree = machine(t, {
    'g/memory.max': 'max\n',
    'g/memory.high': `${300 * MIB}\n`,
    'g/memory.current': `${280 * MIB}\n`,
    'g/memory.stat': statV2({ inactive: 0, active: 0 }, 280 * MIB, 0),
  });
  assert.equal(cgroupLimitBytes(tree.at('g'), 2), 300 * MIB);
  const group = new CgroupReader({ dir: tree.at('g'), version: 2 });
  t.after(() => group.close());
  assert.equal(group.read().totalKib, 300 * 1024);
  assert.equal(group.read().availableKib, 20 * 1024);
  tree.write('g/memory.current', `${310 * MIB}\n`);
  assert.equal(group.read().availableKib, 0, 'above it nothing is left');
  tree.write('g/memory.max', `${200 * MIB}\n`);
  assert.equal(group.read().totalKib, 200 * 1024);
  assert.equal(cgroupLimitBytes(tree.at('g'), 2), 200 * MIB);
});

test('cgroup: swap is what the group may have of what the machine has', (t) => {
  const swap = () => ({ swapTotalKib: 1000 * 1024, swapFreeKib: 400 * 1024 });
  const v2 = machine(t, {
    'g/memory.max': `${512 * MIB}\n`,
    'g/memory.current': '0\n',
    'g/memory.stat': statV2({ inactive: 0, active: 0 }, 0, 0),
    'g/memory.swap.max': `${200 * MIB}\n`,
    'g/memory.swap.current': `${150 * MIB}\n`,
  });
  const two = new CgroupReader({ dir: v2.at('g'), version: 2 }, swap);
  t.after(() => two.close());
  assert.deepEqual([two.read().swapTotalKib, two.read().swapFreeKib], [200 * 1024, 50 * 1024]);
  v2.write('g/memory.swap.max', 'max\n');
  assert.deepEqual([two.read().swapTotalKib, two.read().swapFreeKib], [1000 * 1024, 400 * 1024]);
  v2.write('g/memory.swap.current', 'max\n');
  assert.throws(() => two.read(), { code: 'EBADMSG' }, 'a use without end is no number to go by');
  const v1 = machine(t, {
    'g/memory.limit_in_bytes': `${512 * MIB}\n`,
    'g/memory.usage_in_bytes': '0\n',
    'g/memory.stat': statV1({ inactive: 0, active: 0 }, 0, 30 * MIB),
    'g/memory.memsw.limit_in_bytes': `${612 * MIB}\n`,
  });
  const one = new CgroupReader({ dir: v1.at('g'), version: 1 }, swap);
  t.after(() => one.close());
  assert.deepEqual([one.read().swapTotalKib, one.read().swapFreeKib], [100 * 1024, 70 * 1024]);
});

test('cgroup: whoever tells the swap of the machine tells nothing else of the group', (t) => {
  const tree = machine(t, {
    'g/memory.limit_in_bytes': `${512 * MIB}\n`,
    'g/memory.usage_in_bytes': `${500 * MIB}\n`,
    'g/memory.stat': statV1({ inactive: 0, active: 0 }, 500 * MIB),
  });
  const machineMemory = {
    totalKib: 2 ** 24,
    availableKib: 2 ** 23,
    basisKib: 2 ** 24,
    swapTotalKib: 0,
    swapFreeKib: 0,
  };
  const group = new CgroupReader({ dir: tree.at('g'), version: 1 }, () => machineMemory);
  t.after(() => group.close());
  const { totalKib, availableKib, basisKib, swapTotalKib } = group.read();
  assert.deepEqual([totalKib, availableKib, basisKib, swapTotalKib], [512 * 1024, 12 * 1024, 512 * 1024, 0]);
});

test('domain: a daemon in a limited unit guards the host, because the limit does not hold pid 1', (t) => {
  const tree = machine(t, V1);
  const domain = autoDomain({ for: 'daemon', root: tree.at('proc') });
  assert.deepEqual(domain, { kind: 'system', reason: 'no memory limit holds pid 1' });
});

test('domain: a library guards the nearest limit above the application', (t) => {
  const tree = machine(t, V1);
  const domain = autoDomain({ for: 'library', root: tree.at('proc') });
  assert.equal(domain.kind, 'memcg');
  assert.deepEqual(domain.kind === 'memcg' && domain.limit, {
    version: 1,
    dir: tree.at('cg/memory/a'),
    limitBytes: 512 * MIB,
  });
});

test('domain: in a container the daemon guards its limit, seen through the cgroup namespace', (t) => {
  const tree = machine(t, {
    'proc/self/mountinfo': V2_MOUNT,
    'proc/self/cgroup': '0::/guard\n',
    'proc/1/cgroup': '0::/init\n',
    'cg/memory.current': '1\n',
    'cg/memory.max': `${512 * MIB}\n`,
    'cg/guard/memory.current': '1\n',
    'cg/guard/memory.max': `${64 * MIB}\n`,
    'cg/init/memory.current': '1\n',
    'cg/init/memory.max': 'max\n',
  });
  const daemon = autoDomain({ for: 'daemon', root: tree.at('proc') });
  assert.equal(daemon.kind === 'memcg' && daemon.limit.dir, tree.at('cg'));
  const library = autoDomain({ for: 'library', root: tree.at('proc') });
  assert.equal(library.kind === 'memcg' && library.limit.dir, tree.at('cg/guard'));
});

test('domain: a limit beyond the memory of the machine is none', (t) => {
  const tree = machine(t, { ...V1, 'cg/memory/a/memory.limit_in_bytes': `${64 * 1024 * MIB}\n` });
  assert.equal(autoDomain({ for: 'library', root: tree.at('proc') }).kind, 'system');
});

test('domain: pid 1 that cannot be seen leaves the system, and says so', (t) => {
  const { 'proc/1/cgroup': _, ...hidden } = V1;
  const tree = machine(t, hidden);
  const domain = autoDomain({ for: 'daemon', root: tree.at('proc') });
  assert.deepEqual(domain, { kind: 'system', reason: 'pid 1: cgroup of 1 cannot be read: ENOENT' });
});
