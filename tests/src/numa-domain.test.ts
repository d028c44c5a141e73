// A NUMA node as a domain, on the files of a machine with two: what is left of it, and whose memory may be there.
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { goneError, keptIdentity } from '../../src/linux/identity.js';
import { listHolds, numaDomain } from '../../src/linux/numa-domain.js';
import { FileTree } from './support/pressure-fixtures.js';

function nodeText(node: number, kib: Record<string, number>): string {
  return Object.entries(kib)
    .map(([key, value]) => `Node ${node} ${`${key}:`.padEnd(16)}${String(value).padStart(8)} kB\n`)
    .join('');
}

const NODE = {
  MemTotal: 8_000_000,
  MemFree: 500_000,
  AnonPages: 6_000_000,
  'Active(anon)': 9,
  'Active(file)': 200_000,
  'Inactive(file)': 100_000,
};

function machine(t: TestContext) {
  const status = (list: string) => `Name:\tx\nMems_allowed:\t3\nMems_allowed_list:\t${list}\n`;
  return new FileTree(t, {
    'nodes/node0/meminfo': nodeText(0, { ...NODE, SReclaimable: 50_000 }),
    'nodes/node1/meminfo': nodeText(1, NODE),
    'nodes/node2/meminfo': nodeText(2, { MemTotal: 0, MemFree: 0 }),
    'proc/10/status': status('0-1'),
    'proc/11/status': status('0'),
    'proc/12/status': 'Name:\tno cpusets\n',
  });
}

test('numa: the lists that the kernel prints', () => {
  for (const [list, node, holds] of [
    ['0', 0, true],
    ['0-1', 1, true],
    ['0-1', 2, false],
    ['0,4-6', 5, true],
    ['0,4-6', 3, false],
    ['', 0, false],
    ['0-', 0, false],
    ['1-10', 10, true],
  ] as const) {
    assert.equal(listHolds(list, node), holds, `${list} ${node}`);
  }
});

test('numa: what is available on a node is free, file pages and slab that can go; percent is of that and anonymous memory', (t) => {
  const tree = machine(t);
  const roots = { proc: tree.at('proc'), nodes: tree.at('nodes') };
  const state = { totalKib: 8_000_000, swapTotalKib: 0, swapFreeKib: 0 };
  assert.deepEqual(numaDomain(0, roots).reader.read(), { ...state, availableKib: 850_000, basisKib: 6_850_000 });
  assert.deepEqual(numaDomain(1, roots).reader.read(), { ...state, availableKib: 800_000, basisKib: 6_800_000 });
});

test('numa: a node that is not there, or has no memory, is no domain', (t) => {
  const tree = machine(t);
  const roots = { proc: tree.at('proc'), nodes: tree.at('nodes') };
  assert.throws(() => numaDomain(7, roots), { code: 'ENOENT' });
  assert.throws(() => numaDomain(2, roots), { code: 'EBADMSG', message: /has no memory/ });
});

test('numa: only tasks that may use the node are members; what cannot be read is none', async (t) => {
  const tree = machine(t);
  const domain = numaDomain(1, { proc: tree.at('proc'), nodes: tree.at('nodes') });
  const engine = await openEngine({ maxTasks: 64 });
  const outside = (pid: number) => {
    engine.fields[L.FIELD_TGID] = pid;
    return domain.exempt!(engine);
  };
  assert.deepEqual([10, 11, 12, 13].map(outside), [0, L.TASK_OUTSIDE, 0, L.TASK_OUTSIDE]);
});

test('numa: who was moved away since it was read is not held', { skip: process.platform !== 'linux' }, (t) => {
  const tree = machine(t);
  const roots = { proc: tree.at('proc'), nodes: tree.at('nodes') };
  const identity = keptIdentity(process.pid, openSync('/proc/self/stat', 'r'));
  t.after(() => identity.close());
  assert.equal(numaDomain(0, roots).isMember(identity), true);
  assert.equal(numaDomain(1, roots).isMember(identity), /Mems_allowed_list:\t0-[1-9]/.test(identity.read('status')));
});

test('numa: who has ended since it was chosen is not held, and that is no error', (t) => {
  const tree = machine(t);
  const domain = numaDomain(0, { proc: tree.at('proc'), nodes: tree.at('nodes') });
  const read = () => {
    throw goneError(10);
  };
  const gone = { pid: 10, alive: () => false, text: () => null, read, close() {} };
  assert.equal(domain.isMember(gone), false);
});
