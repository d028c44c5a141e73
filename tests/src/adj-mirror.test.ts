// Protection in oom_score_adj, on files that look like /proc: what was there before comes back, and only what is ours is touched.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { AdjMirror } from '../../src/linux/adj-mirror.js';
import { FileTree } from './support/pressure-fixtures.js';

function stat(pid: number, start: number): string {
  return `${pid} (x) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 1 1 ${'0 '.repeat(26)}0\n`;
}

function scene(t: TestContext, adjs: Record<number, number>) {
  const tree = new FileTree(t);
  for (const [pid, adj] of Object.entries(adjs)) {
    tree.write(`proc/${pid}/stat`, stat(Number(pid), 100 + Number(pid)));
    tree.write(`proc/${pid}/oom_score_adj`, `${adj}\n`);
  }
  const path = tree.at('run/state.json');
  const adj = (pid: number) => Number(readFileSync(tree.at(`proc/${pid}/oom_score_adj`), 'utf8'));
  return { tree, path, adj, mirror: new AdjMirror(path, tree.at('proc')) };
}

test('mirror: -1000 while protected, the earlier value afterwards', (t) => {
  const { mirror, adj, path } = scene(t, { 10: 300, 11: -500 });
  for (const pid of [10, 11]) assert.deepEqual(mirror.protect(pid), { refused: null, unsaved: null });
  assert.deepEqual([adj(10), adj(11)], [-1000, -1000]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  mirror.unprotect([10]);
  assert.deepEqual([adj(10), adj(11)], [300, -1000]);
  mirror.close();
  assert.equal(adj(11), -500);
  assert.equal(existsSync(path), false);
});

test('mirror: a child that inherited -1000 gets what the parent had; one with a value of its own keeps it', (t) => {
  const { mirror, adj, tree, path } = scene(t, { 10: 300 });
  mirror.protect(10);
  for (const [pid, value] of [
    [20, -1000],
    [21, 50],
  ] as const) {
    tree.write(`proc/${pid}/stat`, stat(pid, 900));
    tree.write(`proc/${pid}/oom_score_adj`, `${value}\n`);
    mirror.inherit(10, pid);
  }
  const saved = () =>
    (JSON.parse(readFileSync(path, 'utf8')) as { tasks: { tgid: number }[] }).tasks.map(({ tgid }) => tgid);
  assert.deepEqual(saved(), [10], 'not for each child of many');
  assert.deepEqual(mirror.save(), { refused: null, unsaved: null });
  assert.deepEqual(saved(), [10, 20]);
  rmSync(path);
  assert.deepEqual(mirror.save(), { refused: null, unsaved: null });
  assert.equal(existsSync(path), false, 'nothing has changed');
  mirror.unprotect([10, 20, 21]);
  assert.deepEqual([adj(10), adj(20), adj(21)], [300, 300, 50]);
});

test('mirror: a value that somebody else has set meanwhile is theirs, and -1000 from before is nobody to restore', (t) => {
  const { mirror, adj, tree } = scene(t, { 10: 300, 11: -1000 });
  mirror.protect(10);
  mirror.protect(11);
  tree.write('proc/10/oom_score_adj', '700\n');
  mirror.close();
  assert.deepEqual([adj(10), adj(11)], [700, -1000]);
});

test('mirror: after a crash the next one restores, but not a task that has taken the pid since', (t) => {
  const { mirror, adj, tree, path } = scene(t, { 10: 300, 11: 400 });
  mirror.protect(10);
  mirror.protect(11);
  tree.write('proc/11/stat', stat(11, 5000));
  const next = new AdjMirror(path, tree.at('proc'));
  assert.equal(next.recover(), 1);
  assert.deepEqual([adj(10), adj(11)], [300, -1000]);
  assert.equal(existsSync(path), false);
  assert.equal(next.recover(), 0);
});

test('mirror: a state file that is none, or of a later version, restores nothing', (t) => {
  const { adj, tree, path } = scene(t, { 10: -1000 });
  const task = { tgid: 10, start_ticks: 110, oom_score_adj: 5 };
  const texts = ['', '[]', 'null', '{"version":2,"tasks":[]}', JSON.stringify({ version: 2, tasks: [task] })];
  const wrong = [
    { ...task, tgid: 1 },
    { ...task, tgid: '10' },
    { ...task, oom_score_adj: -1000 },
    { ...task, oom_score_adj: 5000 },
  ];
  for (const text of [...texts, JSON.stringify({ version: 1, tasks: wrong })]) {
    tree.write('run/state.json', text);
    assert.equal(new AdjMirror(path, tree.at('proc')).recover(), 0, text);
    assert.equal(adj(10), -1000);
  }
  tree.write('run/state.json', JSON.stringify({ version: 1, tasks: [task] }));
  assert.equal(new AdjMirror(path, tree.at('proc')).recover(), 1);
});

test('mirror: a link where the state file will be written is not followed', (t) => {
  const { mirror, tree, path } = scene(t, { 10: 300 });
  tree.write('run/other', 'theirs');
  tree.write('elsewhere', 'theirs');
  symlinkSync(tree.at('elsewhere'), `${path}.new`);
  symlinkSync(tree.at('run/other'), path);
  mirror.protect(10);
  assert.deepEqual(
    [readFileSync(tree.at('elsewhere'), 'utf8'), readFileSync(tree.at('run/other'), 'utf8')],
    ['theirs', 'theirs'],
  );
});

test('mirror: a value that cannot be read is not touched; a state that cannot be saved is no reason not to protect', (t) => {
  const { mirror, tree, adj } = scene(t, { 10: 300 });
  rmSync(tree.at('proc/10/oom_score_adj'));
  tree.write('proc/10/oom_score_adj/x', '');
  assert.deepEqual(mirror.protect(10), { refused: null, unsaved: null }, 'cannot be read: not tried');
  rmSync(tree.at('proc/10/oom_score_adj'), { recursive: true });
  tree.write('proc/10/oom_score_adj', '300\n');
  tree.write('file', '');
  const unsaved = new AdjMirror(tree.at('file/state.json'), tree.at('proc'));
  assert.equal(unsaved.recover(), 0);
  assert.match(unsaved.protect(10).unsaved ?? '', /^(EEXIST|ENOTDIR)$/);
  assert.equal(adj(10), -1000);
  unsaved.close();
  assert.equal(adj(10), 300);
});

test('mirror: what was saved before the machine was booted again is of nobody who is there now', (t) => {
  const { mirror, adj, tree, path } = scene(t, { 10: 300 });
  tree.write('proc/sys/kernel/random/boot_id', 'first\n');
  mirror.protect(10);
  tree.write('proc/sys/kernel/random/boot_id', 'second\n');
  assert.equal(new AdjMirror(path, tree.at('proc')).recover(), 0);
  assert.deepEqual([adj(10), existsSync(path)], [-1000, false]);
});

test('mirror: a state file that others could have written, a link, a pipe or a huge one takes nobody their protection', (t) => {
  const { adj, tree, path } = scene(t, { 10: -1000 });
  const text = JSON.stringify({ version: 1, tasks: [{ tgid: 10, start_ticks: 110, oom_score_adj: 900 }] });
  const recovered = () => new AdjMirror(path, tree.at('proc')).recover();
  const spoilt: Record<string, () => void> = {
    'writable by others': () => {
      tree.write('run/state.json', text);
      chmodSync(path, 0o666);
    },
    'a link': () => {
      tree.write('elsewhere.json', text);
      symlinkSync(tree.at('elsewhere.json'), path);
    },
    'a pipe that nobody writes to': () => assert.equal(spawnSync('mkfifo', [path]).status, 0),
    huge: () => tree.write('run/state.json', text + ' '.repeat(1 << 20)),
  };
  if (process.geteuid?.() === 0) {
    spoilt["somebody else's"] = () => {
      tree.write('run/state.json', text);
      chownSync(path, 65534, 65534);
    };
  }
  tree.write('run/x', '');
  for (const [what, spoil] of Object.entries(spoilt)) {
    spoil();
    assert.equal(recovered(), 0, what);
    assert.deepEqual([adj(10), existsSync(path)], [-1000, true], what);
    rmSync(path);
  }
  tree.write('run/state.json', text);
  assert.equal(recovered(), 1, 'its own');
});
