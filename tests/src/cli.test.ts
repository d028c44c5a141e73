// The command line: what each command line exits with, and what it says where. Every row runs the built command.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { SCHEMES } from '../../src/index.js';
import { badness, records, shell } from './support/badness.js';
import { type CommandLine, testLines } from './support/command-lines.js';
import { fakeProc } from './support/fake-proc.js';
import { ownFiles } from './support/own-folder.js';

const { folder, write: file } = ownFiles();

/** A machine that is easily reckoned: 1 GiB, up an hour; 40 is worst, 41 is older and discounted. */
const TASKS = file(
  'tasks.ndjson',
  `{"schema":1,"page_size":4096,"hz":100,"uptime_s":3600,"total_pages":262144}
{"tgid":1,"comm":"init","rss_pages":1000,"total_vm_pages":2000}
{"tgid":2,"comm":"kthreadd","kthread":true}
{"tgid":40,"comm":"hog","uid":1000,"rss_pages":70000,"total_vm_pages":90000,"start_time_ticks":342000}
{"tgid":41,"comm":"old","uid":1000,"rss_pages":80000,"total_vm_pages":95000,"utime_jiffies":9216,"nice":5}
{"tgid":42,"comm":"safe","rss_pages":90000,"total_vm_pages":95000,"oom_score_adj":-1000}
`,
);
const BAD = file('bad.ndjson', '{"tgid":1}\n{"tgid":2,"rss_page":1}\n');
const EMPTY = file('empty.ndjson', '');
const NEWER = file('newer.ndjson', '{"schema":9}\n');
const LATIN = file('latin.ndjson', Buffer.from('{"comm":"\xe9"}', 'latin1').toString('latin1'));
writeFileSync(LATIN, Buffer.from('{"tgid":3}\n{"comm":"\xe9"}\n', 'latin1'));
const SUM = file('sum.ndjson', `{"tgid":3}\n{"tgid":9,"rss_pages":9007199254740992,"swap_pages":9007199254740992}\n`);

const NONE = /^$/;
const T = `--tasks ${TASKS}`;

const ROWS: CommandLine[] = [
  [
    '',
    2,
    NONE,
    /^badness: expected a command: rank, explain, compare, preview, top, guard, ctl, kill, report, record, doctor, policy, simulate, test, whatif, fleet, completion; see badness --help\n$/,
  ],
  ['--help', 0, /Usage: badness COMMAND[\s\S]*Exit codes:/, NONE],
  ['help', 0, /Usage: badness COMMAND/, NONE],
  ['help top', 0, /^Usage: badness top/, NONE],
  ['--help ctl', 0, /^Usage: badness ctl/, NONE],
  ['help nope', 2, NONE, /^badness: help: expected one of rank, explain, .*, got "nope"\n$/],
  ['help rank top', 2, NONE, /got "rank top"/],
  ['ctl state --control=', 2, NONE, /^badness: --control must be a path or none, got ""\n$/],
  ['guard --control=', 2, NONE, /^badness: --control must be a path or none, got ""\n$/],
  ['--version', 0, /^\d+\.\d+\.\d+\n$/, NONE],
  [
    'rnak',
    2,
    NONE,
    /^badness: expected one of rank, explain, compare, preview, top, guard, ctl, kill, report, record, doctor, policy, simulate, test, whatif, fleet, completion, got "rnak", the nearest is rank; .*\n$/,
  ],
  ['--json', 2, NONE, /^badness: expected a command, got "--json"/],
  ['constructor', 2, NONE, /^badness: expected one of/],
  ['rank --help', 0, /Usage: badness rank[\s\S]*--columns[\s\S]*7 {2}file cannot be read\n/, NONE],
  ['explain --help', 0, /Usage: badness explain PID/, NONE],
  ['compare -h', 0, /Usage: badness compare/, NONE],
  ['compare -n 0', 0, /\nthe first 1 of each scheme\n/, NONE],
  ['rank --nope', 2, NONE, /^badness: Unknown option '--nope'; see badness rank --help\n$/],
  ['rank 40', 2, NONE, /^badness: rank takes no operand, got "40"/],
  ['compare 40', 2, NONE, /^badness: compare takes no operand/],
  ['rank -n x', 2, NONE, /^badness: -n must be an integer 0\.\.1048576, got "x"\n$/],
  [
    'rank -n -1',
    2,
    NONE,
    /^badness: Option '-n' wants a value, and what follows it begins with -; see badness rank --help\n$/,
  ],
  ['rank -n 1.5', 2, NONE, /-n must be an integer/],
  ['rank --rounds 0', 2, NONE, /^badness: --rounds must be an integer 1\.\./],
  ['rank --age old', 2, NONE, /--age must be one of spare-old, spare-young, ignore, got "old"/],
  ['rank --adj no', 2, NONE, /--adj must be one of never-only, kernel/],
  ['rank --max-discount 0', 2, NONE, /--max-discount must be an integer 1\.\.2147483648, got "0"/],
  ['rank --hz 47', 2, NONE, /--hz must be an integer 48\.\.1535, got "47"/],
  ['rank --uptime 5', 2, NONE, /--uptime goes with --tasks/],
  ['rank --page-size 5', 2, NONE, /--page-size goes with --tasks/],
  [`rank ${T} --uptime -1`, 2, NONE, /^badness: /],
  [`rank ${T} --proc /proc`, 2, NONE, /--tasks and --proc exclude each other/],
  ['rank --columns pid,nmae', 2, NONE, /unknown column "nmae", the nearest is name; there are rank, pid, /],
  [`rank ${T} --columns pid --json`, 2, NONE, /--columns is for the table/],
  ['explain', 2, NONE, /^badness: explain takes one PID, got 0/],
  ['explain 1 2', 2, NONE, /explain takes one PID, got 2/],
  ['explain node', 2, NONE, /PID must be an integer 0\.\.\d+, got "node"/],
  [`explain 77 ${T}`, 3, NONE, /^badness: no task has pid 77; badness rank --all lists those there are\n$/],
  ['explain 4194305', 3, NONE, /^badness: no task has pid 4194305/],
  [`rank ${T} --scheme badnes`, 4, NONE, /unknown scheme "badnes", the nearest is badness; there are linux-2\.4, /],
  [`explain 40 ${T} --scheme linux-2.6.9`, 4, NONE, /unknown scheme "linux-2.6.9"/],
  [`rank --proc ${folder}`, 5, NONE, /^badness: expected a Linux \/proc at .*, found none; give tasks instead\n$/],
  [`explain 1 --proc ${folder}`, 5, NONE, /expected a Linux/],
  [`compare --proc ${folder}`, 5, NONE, /expected a Linux/],
  [`rank --tasks ${BAD}`, 6, NONE, /^badness: line 2: "rss_page": expected .*; the nearest is rss_pages\n$/],
  [`rank --tasks ${NEWER}`, 6, NONE, /^badness: line 1: schema: expected 1 or older, got 9/],
  [`rank --tasks ${LATIN}`, 6, NONE, /^badness: line 2: expected UTF-8/],
  [`rank --tasks ${SUM}`, 6, NONE, /^badness: line 2: rssPages of task 9 is out of range/],
  [`compare --tasks ${BAD}`, 6, NONE, /^badness: line 2: /],
  [`rank --tasks ${folder}/none`, 7, NONE, /^badness: expected a file of task records at .*none, got ENOENT\n$/],
  [`rank --tasks ${folder}`, 7, NONE, /got EISDIR\n$/],
  [`rank --tasks ${EMPTY}`, 0, /next victim: nobody; no task may be chosen\n0 eligible, 0 not\n$/, NONE],
  ['rank --tasks -', 0, /next victim: nobody/, NONE],
  ['rank', 0, /^[\d.]+ [GMT]iB of memory and swap, up .*\nscheme badness: .*spares[\s\S]*\nnext victim: /, NONE],
  ['explain 1', 0, /not eligible in scheme badness: init\n[\s\S]*\nlinux-2\.6\.10/, NONE],
  ['compare', 0, /whom each scheme would choose/, NONE],
];

describe('command lines: exit code, data on standard output, one line of words on standard error', () => {
  testLines(ROWS, folder, ({ stderr }) => {
    assert.ok(stderr.split('\n').length <= 2, `one line, got ${stderr}`);
  });

  test('every scheme of the library can be asked for', () => {
    for (const scheme of SCHEMES) {
      const { status, stdout } = badness(['rank', '--scheme', scheme, '--tasks', TASKS, '--json', '-n', '1']);
      assert.equal(status, 0);
      assert.equal(records(stdout)[0]?.scheme, scheme);
    }
  });
});

describe('compare', () => {
  test('a row a scheme, and how many agree', () => {
    const { stdout } = badness(['compare', '--tasks', TASKS]);
    assert.match(stdout, /^badness +40 +70000 +273 MiB +3 min +0 +\d+\/15 +hog$/m);
    assert.match(stdout, /^resident +41 +80000 +313 MiB /m);
    assert.match(stdout, /\n\d+ of 15 schemes choose \d+ \(\w+\); \d+ different tasks are chosen\n$/);
  });

  test('-n shows the runners-up, --json holds whole records', () => {
    const { stdout } = badness(['compare', '--tasks', TASKS, '--json', '-n', '2']);
    const [header, ...schemes] = records(stdout);
    assert.equal(header?.schema, 1);
    assert.deepEqual(schemes.map(({ scheme }) => scheme).sort(), [...SCHEMES].sort());
    const own = schemes.find(({ scheme }) => scheme === 'resident')!;
    assert.deepEqual(
      (own.tasks as { tgid: number }[]).map(({ tgid }) => tgid),
      [41, 40],
    );
    assert.equal(own.victim, 41);
  });
});

describe('explain', () => {
  test('shows the sum of the default scheme so that it can be followed', () => {
    const { stdout } = badness(['explain', '41', '--tasks', TASKS]);
    assert.match(stdout, /^41 \(old\): gives back 313 MiB of 1\.00 GiB, 1 h 0 min old, CPU 1:32, user 1000,/);
    assert.match(stdout, /CPU time {2}9,216 jiffies ÷ 1,024 = 9 units, root 3\n/);
    assert.match(stdout, /run time {2}3,600 s \(1 h 0 min\) ÷ 1,024 = 3 units, root of the root 1\n/);
    assert.match(stdout, /discount {2}3 × 1, at most 4: 3\n/);
    assert.match(stdout, /= points {2}80,000 ÷ 3 × 2 = 53,332 \(each division rounds down\)\n/);
  });

  test('the table fits 80 columns, each scheme once, its rank as rank has it', () => {
    const { stdout } = badness(['explain', '41', '--tasks', TASKS]);
    for (const line of stdout.split('\n')) assert.ok([...line].length <= 80, line);
    for (const scheme of SCHEMES) {
      assert.equal(stdout.split('\n').filter((line) => line.startsWith(`${scheme} `)).length, 1, scheme);
    }
  });

  test('a task that every term applies to still fits', () => {
    const all = { tgid: 5, comm: 'everything', total_vm_pages: 268_435_456, rss_pages: 16_777_216, swap_pages: 65_536 };
    const more = { pgtables_bytes: 134_217_728, utime_jiffies: 123_456_789, nice: 19, cap_eff: 'ffffffffffffffff' };
    const child = { tgid: 6, ppid: 5, comm: 'child', total_vm_pages: 134_217_728, rss_pages: 8_388_608 };
    const header = { uptime_s: 8_640_000, total_pages: 67_108_864 };
    const input = [header, { ...all, ...more, oom_adj: 3, oom_score_adj: 500 }, child].map((x) => JSON.stringify(x));
    const { stdout } = badness(['explain', '5', '--tasks', '-'], { input: input.join('\n') });
    for (const line of stdout.split('\n')) assert.ok([...line].length <= 80, line);
    assert.match(stdout, /^linux-2\.6\.11 +268435456 +\+134217728 +÷347÷9×2÷4÷4×8 +128928 +2$/m);
    assert.match(stdout, /^linux-3\.5 +16875520 +−2013240\+33554000 +- +48416280 +1$/m);
  });

  test('--json has the terms of every scheme that was asked for, and the points that rank gives', () => {
    const [, task, ...terms] = records(badness(['explain', '41', '--tasks', TASKS, '--json']).stdout);
    assert.equal(task?.tgid, 41);
    assert.equal(terms.length, SCHEMES.length);
    for (const { scheme, points, rank } of terms) {
      const ranked = records(badness(['rank', '--scheme', String(scheme), '--tasks', TASKS, '--json']).stdout);
      const same = ranked.find(({ tgid }) => tgid === 41)!;
      assert.deepEqual([points, rank], [same.points, same.rank], String(scheme));
    }
    const some = ['explain', '41', '--tasks', TASKS, '--json', '--scheme', 'linux-5.9', '--scheme', 'linux-2.4'];
    const asked = records(badness(some).stdout).slice(2);
    assert.deepEqual(
      asked.map(({ scheme }) => scheme),
      ['linux-5.9', 'linux-2.4'],
    );
  });

  test('one that is not eligible says why', () => {
    const { stdout, status } = badness(['explain', '42', '--tasks', TASKS]);
    assert.equal(status, 0);
    assert.match(stdout, /not eligible in scheme badness: adj -1000\n/);
    assert.match(stdout, /= points {2}none: not eligible \(adj -1000\)\n$/);
  });
});

describe('pipes', () => {
  test('a reader that has seen enough ends the command without a word', () => {
    const many = Array.from({ length: 5000 }, (_, index) => `{"tgid":${index + 5},"rss_pages":${index}}`).join('\n');
    const ran = shell(`badness rank --json --tasks - | head -n 1 | wc -l`, { input: many });
    assert.equal(ran.stderr, '');
    assert.equal(ran.stdout.trim(), '1');
  });

  test('standard output that cannot be written is said', { skip: process.platform !== 'linux' && '/dev/full' }, () => {
    const ran = shell(`badness rank --tasks ${TASKS} > /dev/full`);
    assert.match(ran.stderr, /^badness: expected to write to standard output, got ENOSPC\n$/);
    assert.equal(ran.status, 1);
  });
});

test('a /proc mounted elsewhere is read, and says who would go', () => {
  const root = fakeProc([
    { pid: 1, comm: 'init', rssKib: 4096 },
    { pid: 2, comm: 'kthreadd', rssKib: 0 },
    { pid: 30, comm: 'big', rssKib: 40_960 },
    { pid: 31, comm: 'never', rssKib: 81_920, adj: -1000 },
  ]);
  const { stdout, status } = badness(['rank', '--proc', root]);
  assert.equal(status, 0);
  assert.match(stdout, /\nnext victim: 30 \(big\): gives back 40\.0 MiB, 1 h 23 min old/);
  assert.match(stdout, /\n1 eligible, 3 not \(init 1, no mm 1, adj -1000 1\), 0 gone while reading\n$/);
});
