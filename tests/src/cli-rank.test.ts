// `badness rank`: the table, hostile names, the round trip of its JSON, columns, colour, width, rounds.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { machineToRecord, SCHEMES, taskToRecord } from '../../src/index.js';
import { badness, onTerminal, records } from './support/badness.js';
import { fakeProc } from './support/fake-proc.js';
import fc from './support/fast-check.js';
import { arbitraryTask } from './support/tasks.js';

const MACHINE = { hz: 100, pageSize: 4096, uptimeS: 86_400.25, totalPages: 1 << 20 };

function lines(tasks: object[]): string {
  return [machineToRecord(MACHINE), ...tasks].map((record) => JSON.stringify(record)).join('\n');
}

function rankJson(input: string, ...args: string[]): string {
  const ran = badness(['rank', '--json', '--tasks', '-', ...args], { input });
  assert.equal(ran.stderr, '');
  assert.equal(ran.status, 0);
  return ran.stdout;
}

describe('rank: --json comes back as it went', () => {
  const unique = fc.uniqueArray(arbitraryTask, {
    minLength: 60,
    maxLength: 60,
    size: 'max',
    selector: ({ tgid }) => tgid,
  });
  const [tasks] = fc.sample(unique, { numRuns: 1, seed: 20_260_101 });
  const input = lines(tasks!.map((task) => taskToRecord({ ...task, tgid: task.tgid + 1 })));

  for (const scheme of SCHEMES) {
    test(`${scheme}: the same lines, and the same again from the output of another scheme`, () => {
      const once = rankJson(input, '--scheme', scheme);
      assert.equal(rankJson(once), once);
      assert.equal(rankJson(rankJson(input), '--scheme', scheme), once);
    });
  }

  test('parameters travel with the lines, and flags override them', () => {
    const once = rankJson(input, '--max-discount', '9', '--age', 'spare-young', '--adj', 'kernel');
    assert.equal(rankJson(once), once);
    assert.equal(records(rankJson(once, '--age', 'ignore'))[0]?.age, 'ignore');
    const header = records(
      rankJson(once, '--hz', '250', '--uptime', '5', '--total-pages', '7', '--page-size', '8192'),
    )[0];
    assert.deepEqual([header?.hz, header?.uptime_s, header?.total_pages, header?.page_size], [250, 5, 7, 8192]);
  });

  test('a cgroup that a file says is said again', () => {
    assert.equal(records(rankJson('{"tgid":5,"cgroup":"/a"}'))[1]?.cgroup, '/a');
  });

  test('this machine, in every scheme', () => {
    const live = badness(['rank', '--json']).stdout;
    // What happened while reading is not part of the snapshot.
    const header = { ...records(live)[0], gone: 0, unreadable: 0, left: 0 };
    assert.equal(rankJson(live), [JSON.stringify(header), ...live.split('\n').slice(1)].join('\n'));
  });
});

/** The lines of a table, without its heading. */
function rowsOf(text: string): string[] {
  const all = text.split('\n');
  const heading = all.indexOf('') + 1;
  return all.slice(heading + 1, all.indexOf('', heading));
}

describe('rank: names can do no harm', () => {
  const NAMES: [bytes: Buffer, shown: string][] = [
    [Buffer.from('foo) Z 1 ('), 'foo) Z 1 ('],
    [Buffer.from('()()())))(((()'), '()()())))(((()'],
    [Buffer.from('npm i'), 'npm i'],
    [Buffer.from('   \n\n    '), "'   \\n\\n    '"],
    [Buffer.from('a\tb'), 'a\\tb'],
    [Buffer.from('\x1b[31mred\x1b[0m'), '\\e[31mred\\e[0m'],
    [Buffer.from('\x01\x7f\r'), '\\x01\\x7f\\r'],
    [Buffer.from([0x63, 0x61, 0x66, 0xc3]), 'caf\\xc3'],
    [Buffer.from([0xff, 0xfe]), '\\xff\\xfe'],
    [Buffer.from('\u202eexe'), '\\u{202e}exe'],
    [Buffer.from('\x9b31m', 'latin1'), '\\x9b31m'],
    [Buffer.from('\u009b31m'), '\\u{9b}31m'],
    [Buffer.from('back\\slash'), 'back\\\\slash'],
    [Buffer.from('漢字'), '漢字'],
    [Buffer.alloc(0), "''"],
  ];
  const root = fakeProc(NAMES.map(([comm], index) => ({ pid: 100 + index, comm, rssKib: 40_000 - index * 400 })));

  test('in a /proc: parsed whole, printed escaped, one line a task', () => {
    const { stdout } = badness(['rank', '--proc', root, '--columns', 'pid,name']);
    const shown = rowsOf(stdout).map((row) => row.slice(2));
    assert.deepEqual(
      shown,
      NAMES.map(([, name], index) => `${100 + index}  ${name}`.trimEnd()),
    );
    assert.match(stdout, new RegExp(`^${NAMES.length} eligible, 0 not, 0 gone`, 'm'));
  });

  test('through JSON and back: the same bytes', () => {
    const live = badness(['rank', '--proc', root, '--json']).stdout;
    assert.equal(rankJson(live), live);
    assert.match(live, /"comm":"caf\\udcc3"/);
    assert.match(live, /"comm":"\\u009b31m"/);
    assert.ok(!/\p{Cc}/u.test(live.replaceAll('\n', '')), 'nothing of it moves a terminal');
    const { stdout } = badness(['rank', '--tasks', '-', '--columns', 'pid,name'], { input: live });
    const table = badness(['rank', '--proc', root, '--columns', 'pid,name']).stdout;
    assert.deepEqual(rowsOf(stdout), rowsOf(table));
  });

  test('a living process that calls itself so', { skip: process.platform !== 'linux' && 'wants /proc' }, async () => {
    const name = ') Z\n\x1b[2J(';
    const code = `process.title = ${JSON.stringify(name)}; process.stdin.resume(); process.stdout.write('ready')`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      const { stdout } = badness(['explain', String(child.pid)]);
      assert.ok(stdout.startsWith(`${child.pid} () Z\\n\\e[2J(): gives back `), stdout);
      const mine = records(badness(['rank', '--json']).stdout).find(({ tgid }) => tgid === child.pid);
      assert.equal(mine?.comm, name);
      assert.equal(mine?.ppid, process.pid);
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
  });

  test('explain and compare escape them too', () => {
    assert.match(badness(['explain', '105', '--proc', root]).stdout, /^105 \(\\e\[31mred\\e\[0m\): /);
    for (const command of [['compare'], ['explain', '103'], ['rank']]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
      assert.doesNotMatch(badness([...command, '--proc', root]).stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });
});

describe('rank: the table', () => {
  const input = lines([
    { tgid: 1, comm: 'init', rss_pages: 10 },
    { tgid: 7, comm: 'kworker', kthread: true },
    { tgid: 20, comm: 'fifteen-letters', rss_pages: 300_000, total_vm_pages: 900_000, uid: 1000 },
    {
      tgid: 21,
      comm: 'b',
      rss_pages: 200_000,
      oom_score_adj: 300,
      utime_jiffies: 360_000,
      start_time_ticks: 8_000_000,
    },
    { tgid: 22, comm: 'c', rss_pages: 100, nice: 10 },
  ]);
  const rank = (...args: string[]) => badness(['rank', '--tasks', '-', ...args], { input }).stdout;

  test('says the machine, the scheme and whom it spares, who would go and why, and who was counted', () => {
    const text = rank();
    assert.match(text, /^4\.00 GiB of memory and swap, up 1 d 0 h, 5 tasks\nscheme badness: /);
    assert.match(text.replace(/\n {2}/g, ' '), /spares long-running and hard-working tasks \(÷ 4 at most\)/);
    assert.match(text, /^> 1 {3}20 {2}100000 {2}1\.14 GiB {2}24h {2}0:00\.00 {4}0 {2}1000 {2}fifteen-letters$/m);
    assert.match(text, /^next victim: 20 \(fifteen-letters\): gives back 1\.14 GiB, 1 d 0 h old, its age and$/m);
    assert.match(text, /CPU time divide by 3\n3 eligible, 2 not \(init 1, kthread 1\)\n$/);
  });

  test('-n bounds the rows, not the choice; --all adds those that may not be chosen', () => {
    assert.equal(rank('-n', '1').match(/^[> ] +\d+ +\d+ /gm)?.length, 1);
    assert.match(rank('-n', '0'), /next victim: 20 /);
    const all = rank('--all');
    assert.match(all, /WHY NOT/);
    assert.match(all, /^ {2}- +1 +- .*init +init$/m);
    assert.match(all, /^ {2}- +7 +- .*kthread +kworker$/m);
    assert.equal(records(rankJson(input, '-n', '2')).length, 3);
    assert.equal(records(rankJson(input, '-n', '2', '--all')).length, 5);
    assert.equal(records(rankJson(input)).length, 6);
  });

  test('--columns: in the order asked for, keys of a record as they are', () => {
    const text = rank('--columns', 'name,pid,oom_score_adj,state,vm', '--scheme', 'resident');
    assert.match(text, /^ {2}NAME +PID {2}OOM_SCORE_ADJ {2}STATE +VM$/m);
    assert.match(text, /^> fifteen-letters +20 +0 {2}S +3\.43 GiB$/m);
  });

  test('the age direction is said aloud, whichever it is', () => {
    assert.match(
      rank('--age', 'spare-young').replace(/\n {2}/g, ' '),
      /spares young tasks: .* go first \(× 4 at most\)/,
    );
    assert.match(rank('--age', 'ignore').replace(/\n {2}/g, ' '), /age and work done do not count/);
    assert.match(
      rank('--scheme', 'linux-2.6.10').replace(/\n {2}/g, ' '),
      /spares long-running and hard-working tasks, root/,
    );
  });

  test('COLUMNS is respected; without it nothing is cut in a pipe', () => {
    for (const width of [30, 40, 60, 80]) {
      const { stdout } = badness(['rank', '--tasks', '-'], { input, env: { COLUMNS: String(width) } });
      for (const line of stdout.split('\n')) assert.ok([...line].length <= width, `${width}: ${line}`);
      assert.match(stdout, /POINTS/);
    }
    assert.match(
      rank('--columns', 'pid,total_vm_pages,rss_pages,start_time_ticks,cap_eff,utime_jiffies,name'),
      /fifteen-letters$/m,
    );
  });

  test('oom_score is a number for kernels that have one, else null', () => {
    assert.deepEqual(
      records(rankJson(input, '--scheme', 'linux-5.9'))
        .slice(1)
        .map(({ tgid, oom_score }) => [tgid, oom_score]),
      [
        [21, 993],
        [20, 857],
        [22, 666],
        [1, 0],
        [7, 0],
      ],
    );
    for (const { oom_score } of records(rankJson(input)).slice(1)) assert.equal(oom_score, null);
  });

  test('colour only on a terminal, and not where NO_COLOR or --no-color refuses it', (context) => {
    const sgr = String.fromCharCode(27);
    assert.ok(!rank().includes(sgr));
    const shown = onTerminal('rank', 80, 24);
    if (!shown) return context.skip('no script(1) here to make a terminal with');
    assert.ok(shown.stdout.includes(`${sgr}[1;31m> `), 'the victim is red');
    assert.ok(!onTerminal('rank', 80, 24, { NO_COLOR: '1' })!.stdout.includes(sgr));
    assert.ok(!onTerminal('rank --no-color', 80, 24)!.stdout.includes(sgr));
    assert.ok(!onTerminal('rank', 80, 24, { TERM: 'dumb' })!.stdout.includes(sgr));
  });

  test('on a terminal it fits the screen', (context) => {
    for (const [columns, rows] of [
      [80, 24],
      [120, 40],
      [40, 24],
    ] as const) {
      const shown = onTerminal('rank --no-color', columns, rows);
      if (!shown) return context.skip('no script(1) here to make a terminal with');
      const all = shown.stdout.split('\n');
      assert.ok(all.length <= rows, `${all.length} lines on ${rows}`);
      for (const line of all) assert.ok([...line].length <= columns, line);
    }
  });
});

describe('rank: --rounds and --stats', () => {
  const KEYS = ['tasks', 'refined', 'read_us', 'score_us', 'select_us', 'round_us', 'cpu_us'];
  for (const scheme of ['badness', 'resident', 'linux-2.6.10', 'linux-5.9'] as const) {
    test(`${scheme}: the last object has one entry a round`, () => {
      const { stdout } = badness(['rank', '--json', '--scheme', scheme, '--rounds', '3', '--stats']);
      const last = records(stdout).at(-1)!;
      for (const key of KEYS) assert.equal((last[key] as number[]).length, 3, key);
      for (const us of last.round_us as number[]) assert.ok(us > 0);
      assert.ok((last.tasks as number[]).every((count) => count > 1));
      assert.equal(scheme !== 'linux-5.9', (last.descriptors as number) > 0);
      assert.equal(last.kernel_bytes === 0, last.descriptors === 0);
      assert.equal(badness(['rank', '--tasks', '-'], { input: stdout }).status, 0);
    });
  }

  test('for people: medians; and task files have rounds too', () => {
    const input = lines([{ tgid: 20, rss_pages: 5 }]);
    const { stdout } = badness(['rank', '--tasks', '-', '--rounds', '2', '--stats'], { input });
    assert.match(stdout, /^2 rounds: median [\d.]+ [µm]s \(the first [\d.]+ [µm]s\): read /m);
    assert.match(badness(['rank', '--stats']).stdout, /^1 round: median/m);
  });
});
