// Who is in a cgroup and the groups below it, and how many of them the kernel has killed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupMembers, cgroupOomKills, machineOomKills } from '../../src/linux/cgroup.js';
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
});
