// badness whatif: the same bytes whatever the number of threads, an exit code for every end, and bad recordings that stop nobody.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { badness, records } from './support/badness.js';
import { ownFiles } from './support/own-folder.js';
import { type RecordedMoment, recordingText } from './support/recordings.js';

const { folder, write: file } = ownFiles();

const SAME = file('same.toml', 'version = 1\n');
const NEVER = file('never.toml', 'version = 1\nnever = ["hog"]\n');
const WRONG = file('wrong.toml', 'version = 1\nnevr = []\n');
const MODULE = file('module.toml', 'version = 1\nscheme = { wasm = "/own.wasm" }\n');

function moments(count: number, percent: number): RecordedMoment[] {
  return Array.from({ length: count }, (_, index) => {
    const others = Array.from({ length: count * 5 }, (_, at) => [`task${at}`, 1000 + ((at * 37) % 400)]);
    return { monotonicMs: index * 1000, percent, tasks: { hog: 70_000, big: 50_000, ...Object.fromEntries(others) } };
  });
}

mkdirSync(join(folder, 'all/below'), { recursive: true });
for (let index = 0; index < 12; ++index) {
  // Sizes that differ, so that threads end out of order.
  const text = recordingText(moments(1 + ((index * 5) % 12), index % 3 === 2 ? 50 : 6));
  file(`all/${index % 4 === 0 ? 'below/' : ''}r${String(index).padStart(2, '0')}.proc`, text);
}
file('all/r05x.proc', 'badness-recording 1\nsnapshot monotonic_ms x\n');
writeFileSync(join(folder, 'all/r06x.proc'), Buffer.from([0x62, 0xff, 0x0a]));
file('all/notes.txt', 'no recording');
const CUT = file('cut.proc', recordingText(moments(1, 6)).replace(/end\n$/, ''));
const ALL = join(folder, 'all');

test('whatif: prints the same bytes with one thread, two and more', () => {
  for (const form of [[], ['--json']]) {
    const [one, ...others] = ['1', '2', '5'].map((jobs) =>
      badness(['whatif', '--policy', NEVER, '--jobs', jobs, ...form, ALL, CUT]),
    );
    assert.match(one!.stdout, /hog/);
    for (const other of others) assert.deepEqual(other, one);
  }
});

test('whatif: says recording, time, both victims, why, and totals; what is bad is named and counted', () => {
  const { status, stdout, stderr } = badness(['whatif', '--policy', NEVER, ALL]);
  assert.equal(status, 22);
  const first = stdout.split('\n').slice(0, 5);
  assert.match(first[0]!, /below\/r00\.proc \+0\.000s \(snapshot 1\): 100 \(hog\) → 101 \(big\)$/);
  assert.match(first[1]!, /^ {4}old {2}SIGTERM, gives back 273 MiB: 100 \(hog\) [\d,]+ points$/);
  assert.match(first[3]!, /^ {4}new {2}SIGTERM, gives back 195 MiB: 101 \(big\) [\d,]+ points$/);
  assert.match(first[4]!, /^ +100 \(hog\) may not be chosen \(rule\)$/);
  assert.match(
    stdout,
    /\n52 of 52 decisions change: 52 another victim\n8 of 14 recordings with a change, 78 snapshots; 2 left out\n$/,
  );
  assert.match(
    stderr,
    /^badness: .*r05x\.proc: left out: line 2: .*\nbadness: .*r06x\.proc: left out: expected UTF-8;.*\n$/,
  );
  const lines = records(badness(['whatif', '--policy', NEVER, '--json', ALL]).stdout);
  assert.deepEqual([...new Set(lines.map(({ kind }) => kind))], ['change', 'skipped', 'total']);
  assert.deepEqual([lines.at(-1)?.changed, lines.at(-1)?.skipped, lines.length], [52, 2, 55]);
});

test('whatif: exits 0 when nothing changes, 6 when something was left out besides, and says which is wrong', () => {
  const good = join(ALL, 'r01.proc');
  const rows: [args: string[], status: number, stderr: RegExp][] = [
    [['--policy', SAME, good], 0, /^$/],
    [['--policy', NEVER, '--against', NEVER, good], 0, /^$/],
    [['--policy', NEVER, good], 22, /^$/],
    [['--policy', SAME, '--all', good], 0, /^$/],
    [['--policy', SAME, good, join(ALL, 'r05x.proc')], 6, /left out: line 2/],
    [
      ['--policy', SAME, good, join(folder, 'none.proc')],
      6,
      /none\.proc: left out: expected a recording, got ENOENT\n$/,
    ],
    [['--policy', SAME, CUT], 0, /cut\.proc: was cut off: /],
    [[good], 2, /expected --policy FILE, the new policy\n$/],
    [['--policy', SAME], 2, /expected a RECORDING, got nothing/],
    [['--policy', SAME, '--jobs', '0', good], 2, /--jobs must be an integer 1\.\.64, got "0"/],
    [['--policy', WRONG, good], 14, /nevr/],
    [['--policy', SAME, '--against', WRONG, good], 14, /nevr/],
    [['--policy', MODULE, good], 14, /a scheme from a module needs a guard/],
    [['--policy', join(folder, 'none.toml'), good], 7, /expected a policy file/],
    [['--policy', SAME, join(ALL, 'empty')], 6, /got ENOENT/],
  ];
  for (const [args, status, stderr] of rows) {
    const ran = badness(['whatif', ...args]);
    assert.match(ran.stderr, stderr, args.join(' '));
    assert.equal(ran.status, status, args.join(' '));
  }
  mkdirSync(join(folder, 'empty'));
  const empty = badness(['whatif', '--policy', SAME, join(folder, 'empty')]);
  assert.deepEqual([empty.status, empty.stdout], [7, '']);
  assert.match(empty.stderr, /expected files that end in \.proc in .*empty, found none\n$/);
});

test('whatif: a recording that is too much for its thread takes no other recording along', () => {
  const huge = join(folder, 'huge');
  mkdirSync(huge);
  const tasks = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`task${at}`, 1000 + at]));
  const one = { percent: 6, tasks: { hog: 70_000, big: 50_000, ...tasks } };
  file('huge/a.proc', recordingText(Array.from({ length: 30 }, (_, index) => ({ monotonicMs: index, ...one }))));
  for (const name of ['b', 'c', 'd']) file(`huge/${name}.proc`, recordingText(moments(2, 6)));
  const env = { NODE_OPTIONS: '--max-old-space-size=24' };
  for (const jobs of ['1', '2']) {
    const { status, stdout, stderr } = badness(['whatif', '--policy', NEVER, '--jobs', jobs, huge], { env });
    assert.match(stderr, /a\.proc: left out: its thread has ended: .*memory/);
    assert.match(stdout, /\n6 of 6 decisions change: .*\n3 of 4 recordings with a change, 6 snapshots; 1 left out\n$/);
    assert.equal(status, 22);
  }
});
