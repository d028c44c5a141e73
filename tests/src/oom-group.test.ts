// Which cgroup the kernel would kill whole: from trees as cgroup v2 shows them.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { findOomGroup } from '../../src/linux/oom-group.js';
import { FileTree } from './support/pressure-fixtures.js';

const MOUNT = '24 20 0:22 / {root}/cg rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';

/** Task 7 is in `at`; `flags` are what memory.oom.group says, by group. */
function tree(t: TestContext, at: string, flags: Readonly<Record<string, string>>, mount = MOUNT): FileTree {
  const made = new FileTree(t);
  made.write('proc/self/mountinfo', mount.replaceAll('{root}', made.root));
  made.write('proc/7/cgroup', `0::${at}\n`);
  made.write('proc/self/cgroup', '0::/guard\n');
  for (const [group, flag] of Object.entries(flags)) {
    made.write(`cg${group}/memory.current`, '1\n');
    made.write(`cg${group}/memory.oom.group`, `${flag}\n`);
  }
  return made;
}

function found(made: FileTree, within: string | null = null): string | null {
  const group = findOomGroup(7, within === null ? null : made.at(within), made.at('proc'));
  if (group) assert.equal(group.dir, made.at(`cg${group.path}`));
  return group?.path ?? null;
}

test('oom group: the outermost group with the flag dies, whatever those between say', (t) => {
  const made = tree(t, '/a/b/c/d', { '/a': '0', '/a/b': '1', '/a/b/c': '0', '/a/b/c/d': '1' });
  assert.equal(found(made), '/a/b');
});

test('oom group: nothing above the group that is short of memory counts; its own flag does', (t) => {
  const made = tree(t, '/a/b/c', { '/a': '1', '/a/b': '0', '/a/b/c': '1' });
  assert.equal(found(made, 'cg/a/b'), '/a/b/c');
  assert.equal(found(made, 'cg/a'), '/a');
  assert.equal(found(made, 'cg/other'), null, 'a task that has left it');
});

test('oom group: no flag, no group; the root has none', (t) => {
  assert.equal(found(tree(t, '/a/b', { '/a': '0', '/a/b': '0' })), null);
  assert.equal(found(tree(t, '/', {})), null);
});

test('oom group: a task in a group without the controller belongs to the one above that is charged', (t) => {
  const made = tree(t, '/a/plain', { '/a': '1' });
  made.write('cg/a/plain/cgroup.procs', '7\n');
  assert.equal(found(made), '/a');
});

test('oom group: a group that the guard is in does not die whole, one beside it does', (t) => {
  const made = tree(t, '/pod/app/worker', { '/pod': '1', '/pod/app': '1', '/pod/app/worker': '1' });
  made.write('proc/self/cgroup', '0::/pod/app/guard\n');
  made.write('cg/pod/app/guard/memory.current', '1\n');
  assert.equal(found(made), '/pod/app/worker');
  made.write('proc/self/cgroup', '0::/pod/app/worker\n');
  assert.equal(found(made), null);
});

test('oom group: v1 has no such thing; a task that is gone has no group', (t) => {
  const v1 = '35 31 0:32 / {root}/cg rw,relatime shared:7 - cgroup cgroup rw,memory\n';
  const made = tree(t, '/a', { '/a': '1' }, v1);
  made.write('proc/7/cgroup', '4:memory:/a\n');
  assert.equal(found(made), null);
  assert.equal(findOomGroup(8, null, made.at('proc')), null);
});
