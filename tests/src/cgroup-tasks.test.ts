// Who is in a cgroup and the groups below it, and how many of them the kernel has killed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupMembers, cgroupOomKills, machineOomKills } from '../../src/linux/cgroup.js';
import { type FileCalls, NODE_FILES } from '../../src/linux/file-calls.js';
import { FileTree } from './support/pressure-fixtures.js';

test('cgroup: members are those of all groups below; one outside of the pid namespace makes the list incomplete', (t) => {
  const tree = new FileTree(t, {
    'g/cgroup.procs': '10\n11\n',
    'g/x/cgroup.procs': '12\n',
    'g/x/y/cgroup.procs': '13\n10\n',
  });
  assert.deepEqual(cgroupMembers(tree.at('g')), { pids: [10, 11, 12, 13], complete: true });
  tree.write('g/x/cgroup.procs', '0\n12\n');
  assert.deepEqual(cgroupMembers(tree.at('g')), { pids: [10, 11, 12, 13], complete: false });
  assert.deepEqual(cgroupMembers(tree.at('none')), { pids: [], complete: true }, 'a group that is gone has none');
});

test('cgroup: the members of thousands of groups are all there', (t) => {
  const groups = Array.from({ length: 4200 }, (_, index) => [`g/${index}/cgroup.procs`, `${index + 1}\n`] as const);
  const tree = new FileTree(t, Object.fromEntries(groups));
  const { pids, complete } = cgroupMembers(tree.at('g'));
  assert.deepEqual([pids.length, complete], [4200, true]);
});

test('cgroup: more members than one read of the file holds', (t) => {
  const pids = Array.from({ length: 20_000 }, (_, index) => 100_000 + index);
  const tree = new FileTree(t, { 'g/cgroup.procs': `${pids.join('\n')}\n` });
  assert.deepEqual(cgroupMembers(tree.at('g')).pids, pids);
});

test('cgroup: kills of the kernel: v1 is summed over the groups, v2 sums itself, old kernels do not tell', (t) => {
  const tree = new FileTree(t, {
    'a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    'a/b/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
    'old/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\n',
    'two/memory.events': 'low 0\nhigh 0\nmax 9\noom 5\noom_kill 4\noom_group_kill 1\nsock_throttled 0\n',
    'two/c/memory.events': 'low 0\nhigh 0\nmax 9\noom 5\noom_kill 4\n',
    'proc/vmstat': 'nr_free_pages 1\noom_kill 17\n',
  });
  assert.equal(cgroupOomKills(tree.at('a'), 1), 5);
  assert.equal(cgroupOomKills(tree.at('old'), 1), null);
  assert.equal(cgroupOomKills(tree.at('two'), 2), 4);
  assert.equal(machineOomKills(tree.at('proc')), 17);
  assert.equal(machineOomKills(tree.at('none')), null);
});

test('cgroup: kills of the kernel stand behind the first page that /proc/vmstat hands out', (t) => {
  const text = `${'nr_free_pages 1\n'.repeat(300)}oom_kill 17\n`;
  const tree = new FileTree(t, { 'proc/vmstat': text });
  // As seq_file(5) does: whole lines, and no more than a page.
  const page = text.lastIndexOf('\n', 4096) + 1;
  const readerInto: FileCalls['readerInto'] = (bytes) => {
    const read = NODE_FILES.readerInto(bytes);
    return (fd, at, length, position) =>
      read(fd, at, Math.min(length, position < page ? page - position : length), position);
  };
  assert.equal(machineOomKills(tree.at('proc'), { ...NODE_FILES, readerInto }), 17);
});

test('cgroup: kills of the kernel that cannot be read are not told, and nothing is thrown', (t) => {
  const tree = new FileTree(t, { 'proc/vmstat': 'oom_kill x\n', 'g/memory.events': 'oom_kill\n' });
  assert.deepEqual([machineOomKills(tree.at('proc')), cgroupOomKills(tree.at('g'), 2)], [null, null]);
});
