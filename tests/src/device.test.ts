/** The C host of examples/device: it decides as Node does, byte for byte; its header is that of the layout; its documentation holds. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { decide } from '../../src/decision.js';
import { openEngine } from '../../src/engine.js';
import { readTasks } from '../../src/linux/read-all.js';
import { rankTasks } from '../../src/rank.js';
import { SCHEMES, type SchemeName } from '../../src/schemes.js';
import { FakeProc, type FakeTask, statText, statusText } from './support/fake-proc.js';
import fc, { SEED } from './support/fast-check.js';
import { deviceHost } from './support/native-tool.js';

const host = deviceHost();
const skip = 'skip' in host ? host.skip : false;
const RUNS = 40;

function run(...args: string[]): SpawnSyncReturns<string> {
  assert.ok('path' in host);
  return spawnSync(host.path, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
}

/** What the host prints of a /proc: the record, and the ranking as lines. */
function told(root: string, scheme: SchemeName) {
  const { status, stdout, stderr } = run('--proc', root, '--scheme', scheme, '--record');
  assert.deepEqual([status, stderr], [0, '']);
  const [record, ...rest] = stdout.trimEnd().split('\n');
  return { record: record!, rows: rest.slice(0, -1), last: rest.at(-1)! };
}

/** The same of the library. */
async function expected(root: string, scheme: SchemeName) {
  const engine = await openEngine({ build: 'shared', maxTasks: 4096 });
  const { machine } = readTasks(engine, { root });
  const options = { scheme, totalPages: machine.totalPages };
  const record = Buffer.from(decide(engine, options).bytes).toString('hex');
  const { ranked, victim, outcome } = rankTasks(engine, options);
  const rows = ranked.map(({ rank, tgid, points }) => `${rank} ${tgid} ${points}`);
  return { record, rows, victim: victim?.tgid ?? 'none', outcome };
}

async function agree(root: string, scheme: SchemeName): Promise<void> {
  const [device, node] = [told(root, scheme), await expected(root, scheme)];
  assert.equal(device.record, node.record, scheme);
  assert.deepEqual(
    device.rows.map((row) => row.split(' ', 3).join(' ')),
    node.rows,
  );
  assert.equal(device.last.split(/[ :]/)[1], String(node.victim));
}

const pages = fc.integer({ min: 0, max: 2 ** 24 });
const task = fc.record<FakeTask>(
  {
    ...{ pid: fc.integer({ min: 1, max: L.PID_MAX }), vm: pages, rss: pages, statRss: pages, swap: pages },
    ...{ pte: fc.integer({ min: 0, max: 2 ** 20 }), utime: pages, stime: pages, start: fc.nat(10_000_000) },
    ...{ ppid: fc.nat(50), sid: fc.nat(50), nice: fc.integer({ min: -20, max: 19 }), uid: fc.nat(2), euid: fc.nat(2) },
    adj: fc.oneof(fc.constant(0), fc.integer({ min: L.ADJ_MIN, max: L.ADJ_MAX }), fc.constant(L.ADJ_MIN)),
    caps: fc.constantFrom('0', '1ffffffffff', '20000', '200000'),
    comm: fc.constantFrom('plain', 'a) (b', 'line\nfeed', 'fifteen bytes 5', ''),
    flags: fc.constantFrom(0, 0x400000, L.PF_KTHREAD, L.PF_EXITING, L.PF_FORKNOEXEC),
    state: fc.constantFrom('S', 'R', 'Z', 'D'),
    ...{ threads: fc.nat(3), mm: fc.boolean() },
  },
  { requiredKeys: ['pid', 'rss'] },
);
const machine = fc.record({
  pageSize: fc.constantFrom(4096, 16384, 65536),
  uptimeS: fc.integer({ min: 0, max: 10_000_000 }).map((ticks) => ticks / 100),
  swapTotalKib: fc.constantFrom(0, 999_999, 2 ** 22),
});

test('device: the decision record is the one Node writes, byte for byte, in every scheme', { skip }, async () => {
  const tables = fc.array(task, { maxLength: 40 });
  const each = fc.asyncProperty(machine, tables, fc.constantFrom(...SCHEMES), async (facts, tasks, scheme) => {
    const proc = new FakeProc(facts);
    try {
      for (const one of tasks) proc.put(one);
      await agree(proc.root, scheme);
    } finally {
      proc.remove();
    }
  });
  await fc.assert(each, { numRuns: RUNS * 3, seed: SEED });
});

test('device: the smallest host writes the same records of ordinary tasks, and names the same victim', {
  skip,
}, async () => {
  assert.ok('path' in host);
  const small = join(dirname(host.path), 'badness-small');
  // No exited leaders, and pages as they are here: what the other host is for.
  const tables = fc.array(
    task.map((one) => ({ ...one, state: 'S' })),
    { maxLength: 40 },
  );
  const facts = machine.map((one) => ({ ...one, pageSize: 4096 }));
  const each = fc.asyncProperty(facts, tables, fc.constantFrom(...SCHEMES), async (about, tasks, scheme) => {
    const proc = new FakeProc(about);
    try {
      for (const one of tasks) proc.put(one);
      const { status, stdout } = spawnSync(small, ['--proc', proc.root, '--scheme', scheme, '--record'], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      });
      const { record, victim } = await expected(proc.root, scheme);
      const lines = stdout.trimEnd().split('\n');
      assert.deepEqual([status, lines[0], lines.at(-1)!.split(' ')[1]], [0, record, String(victim)]);
    } finally {
      proc.remove();
    }
  });
  await fc.assert(each, { numRuns: RUNS, seed: SEED });
});

test('device: the smallest host is small enough to be read at a sitting', () => {
  assert.ok(readFileSync('examples/device/small.c', 'utf8').split('\n').length <= 180);
});

function inProc(tasks: FakeTask[], change: (proc: FakeProc) => void = () => {}): Promise<void> {
  const proc = new FakeProc({ memTotalKib: 2 ** 22, swapTotalKib: 2 ** 20 });
  for (const one of tasks) proc.put(one);
  change(proc);
  return agree(proc.root, 'badness').finally(() => proc.remove());
}

test('device: a status that is longer than the window is read without its groups', { skip }, () =>
  inProc([
    { pid: 10, rss: 500, vm: 900, groups: 20_000, swap: 33 },
    { pid: 11, rss: 499, vm: 900 },
  ]),
);

test('device: a leader that has exited stands with the memory of a live thread', { skip }, async () => {
  const leader = { pid: 10, state: 'Z', threads: 2, mm: false, flags: L.PF_EXITING };
  const thread = { ...leader, pid: 12, state: 'S', mm: true, rss: 5000, vm: 9000, flags: 0, swap: 7 };
  const proc = new FakeProc();
  for (const one of [leader, { pid: 11, rss: 100, vm: 200 }]) proc.put(one);
  for (const [tid, files] of [
    [10, leader],
    [12, thread],
  ] as const) {
    mkdirSync(join(proc.root, `10/task/${tid}`), { recursive: true });
    proc.file(`10/task/${tid}/stat`, statText(files));
    proc.file(`10/task/${tid}/status`, statusText(files));
  }
  await agree(proc.root, 'badness');
  assert.equal(told(proc.root, 'badness').last, 'victim 10 (task-10)');
  proc.remove();
});

test('device: a child in vfork is not chosen for the memory of its parent', { skip }, async () => {
  const both = { rss: 5000, vm: 9000 };
  const parent = { ...both, pid: 20, state: 'D' };
  const proc = new FakeProc();
  for (const one of [parent, { ...both, pid: 21, ppid: 20, flags: L.PF_FORKNOEXEC }]) proc.put(one);
  mkdirSync(join(proc.root, '20/task/20'), { recursive: true });
  proc.file('20/task/20/stat', statText(parent));
  await agree(proc.root, 'badness');
  assert.deepEqual(
    told(proc.root, 'badness').rows.map((row) => row.split(' ')[1]),
    ['20'],
  );
  proc.remove();
});

test('device: tasks without a file that tells about them are gone, or nothing', { skip }, () =>
  inProc(
    [
      { pid: 30, rss: 100, vm: 100 },
      { pid: 31, rss: 900, vm: 900 },
      { pid: 32, rss: 800, vm: 900 },
    ],
    (proc) => {
      proc.drop(31, 'stat');
      proc.drop(32, 'oom_score_adj');
    },
  ),
);

test('device: a bad command line is refused in words, and touches nobody', { skip }, () => {
  for (const args of [
    ['--enforce'],
    ['--guard', '--proc', '/proc'],
    ['-m', '5,10'],
    ['-m', '0'],
    ['-s'],
    ['--scheme', 'worst'],
    ['--what'],
  ]) {
    const { status, stderr, stdout } = run(...args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^badness-device: \S/);
  }
  assert.equal(run('--proc', '/nonexistent').status, 5);
});

test('device: the C header says what the layout says, of every name', () => {
  const header = readFileSync('examples/device/abi.h', 'utf8');
  const found = new Map(
    [...header.matchAll(/^#define L_(\w+) \(?(-?\d+)(?:u|LL)?\)?$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  assert.deepEqual(Object.fromEntries(found), { ...L }, 'stale: run node scripts/abi-header.mjs');
});

const abiText = () => readFileSync('docs/abi.md', 'utf8');
const names = Object.keys(L);

test('docs: every constant that abi.md names is one of the layout, and so is every family of them', () => {
  const named = [...abiText().matchAll(/\b[A-Z]\w*_(?:[A-Z]\w*|\*)|`([A-Z]{2,})`/g)].map(
    ([whole, word]) => word ?? whole,
  );
  assert.ok(named.length > 80, String(named.length));
  const unknown = named.filter((name) =>
    name.endsWith('*') ? !names.some((one) => one.startsWith(name.slice(0, -1))) : !names.includes(name),
  );
  assert.deepEqual(unknown, []);
});

test('docs: abi.md repeats no number of the layout: outside of the names of types it has no digit', () => {
  const digits = abiText()
    .replaceAll(/\b[uf](?:32|64)\b/g, '')
    .replaceAll(/^\d\. /gm, '')
    .match(/.{0,20}\d.{0,20}/g);
  assert.deepEqual(digits, null);
});

test('docs: abi.md names every function of the engine, and no other', () => {
  const exported = [...readFileSync('assembly/index.ts', 'utf8').matchAll(/export \{([^}]*)\}/g)]
    .flatMap(([, list]) => list!.split(','))
    .map((name) => name.trim())
    .filter(Boolean);
  const missing = exported.filter((name) => !new RegExp(`\`${name}[\`(]`).test(abiText()));
  assert.deepEqual(missing, []);
  const called = [...abiText().matchAll(/`([a-z]+(?:_[a-z]+)*)\(/g)].map(([, name]) => name!);
  assert.deepEqual(
    called.filter((name) => !exported.includes(name)),
    [],
  );
});
