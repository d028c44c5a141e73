// Which pids may have been handed out since the look before.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PidCursor } from '../../src/linux/pid-cursor.js';
import { FileTree } from './support/pressure-fixtures.js';

const loadavg = (last: number) => `0.52 0.58 0.59 1/467 ${last}\n`;
const tree = (t: TestContext) => new FileTree(t, { loadavg: loadavg(500), 'sys/kernel/pid_max': '1000\n' });

/** The looks of one cursor: last pid and forks of each. */
function after(files: FileTree, ...looks: [last: number | string, forks: number][]): PidCursor {
  const cursor = new PidCursor(files.root);
  for (const [last, forks] of looks) {
    files.write('loadavg', typeof last === 'number' ? loadavg(last) : last);
    cursor.advance(forks);
  }
  return cursor;
}

const doubted = (cursor: PidCursor) => [1, 300, 500, 501, 510, 511, 999].filter((pid) => cursor.mayBeNew(pid));

test('pid cursor: new is what lies behind the last pid of then, up to that of now', (t) => {
  assert.deepEqual(doubted(after(tree(t), [500, 70], [510, 80])), [501, 510]);
  assert.deepEqual(doubted(after(tree(t), [500, 70], [500, 70])), []);
});

test('pid cursor: at the end of the pids it goes on from their start', (t) => {
  assert.deepEqual(doubted(after(tree(t), [510, 70], [300, 80])), [1, 300, 511, 999]);
});

test('pid cursor: more forks than pids in between, and every pid may be new', (t) => {
  const all = [1, 300, 500, 501, 510, 511, 999];
  assert.deepEqual(doubted(after(tree(t), [500, 70], [510, 81])), all, 'the pids went round, or one was chosen');
  assert.deepEqual(doubted(after(tree(t), [510, 70], [300, 861])), all, 'the same across the end');
  assert.deepEqual(doubted(after(tree(t), [510, 70], [300, 860])), [1, 300, 511, 999]);
});

test('pid cursor: what is not known is in doubt', (t) => {
  const all = [1, 300, 500, 501, 510, 511, 999];
  assert.deepEqual(doubted(after(tree(t), [500, 70])), all, 'the first look');
  assert.deepEqual(doubted(after(tree(t), [500, 70], [510, -1])), all, 'forks are not counted');
  assert.deepEqual(doubted(after(tree(t), [500, -1], [510, 80])), all, 'forks were not counted');
  assert.deepEqual(doubted(after(tree(t), [500, 70], ['0.00 0.00 0.00 0/0 0\n', 80])), all, 'a sandbox');
  assert.deepEqual(doubted(after(tree(t), [500, 70], ['nonsense', 80])), all);
  assert.deepEqual(doubted(after(new FileTree(t), [500, 70], [510, 80])), all, 'there was no such file');
  assert.deepEqual(
    doubted(after(new FileTree(t, { loadavg: '' }), [500, 70], [510, 80])),
    [501, 510],
    'pid_max is not told',
  );
});
