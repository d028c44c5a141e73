// `badness report`: logs from files and pipes, for people, as JSON, and as a page that nothing in a log can break.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readKernelLog } from '../../src/report/index.js';
import { badness, onTerminal, records, shell } from './support/badness.js';
import { type CommandLine, testLines } from './support/command-lines.js';
import { bytesOf, DRESSES, KMSG_FILE, reportLines, SAMPLES } from './support/oom-log.js';
import { ownFiles } from './support/own-folder.js';

const { folder, write } = ownFiles();

function file(name: string, lines: string[]): string {
  return write(name, bytesOf(`${lines.join('\n')}\n`));
}

const HOG = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 61_234, pgtables_bytes: 450_560 };
const SMALL = { tgid: 777, comm: 'sshd', uid: 0, total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 73_728 };
const REPORT = { era: '6.8', tasks: [HOG, SMALL], totalPages: 100_000, release: '6.18.44' } as const;
const RIGHT = file('right.log', reportLines({ ...REPORT, victim: HOG }).map(DRESSES.dmesg!));
const WRONG = file('wrong.log', reportLines({ ...REPORT, victim: SMALL }).map(DRESSES.syslog!));
const ALL = file(
  'all.log',
  SAMPLES.flatMap(({ lines }) => lines),
);

describe('report: command lines', () => {
  const NONE = /^$/;
  const ROWS: CommandLine[] = [
    [
      'report --help',
      0,
      /Usage: badness report \[options\] \[FILE\][\s\S]*--html[\s\S]*7 {2}file cannot be read\n 14 {2}bad policy file[^\n]*\n$/,
      NONE,
    ],
    [`report ${RIGHT}`, 0, /^event 1, 1445\.780 s after boot, lines 1 to \d+\n/, NONE],
    [`report ${RIGHT} ${WRONG}`, 2, NONE, /^badness: report takes one FILE, got 2; see badness report --help\n$/],
    [`report --json --html ${RIGHT}`, 2, NONE, /^badness: --json and --html exclude each other\n$/],
    [`report --scheme badness ${RIGHT}`, 2, NONE, /Unknown option '--scheme'/],
    [`report --json -n 1 ${RIGHT}`, 2, NONE, /^badness: -n is for tables; --json always has every row\n$/],
    [`report -n x ${RIGHT}`, 2, NONE, /-n must be an integer/],
    [`report ${folder}/none`, 7, NONE, /^badness: expected a kernel log at .*none, got ENOENT\n$/],
    [`report --html ${folder}/none`, 7, NONE, /got ENOENT\n$/],
    [`report ${folder}`, 7, NONE, /got EISDIR\n$/],
    ['report', 0, /^the log is empty\n$/, NONE],
    ['report --json', 0, NONE, NONE],
  ];
  testLines(ROWS, folder);

  test('a pipe, - and a file are the same', () => {
    const { stdout } = badness(['report', '--json', RIGHT]);
    assert.equal(shell(`badness report --json < ${RIGHT}`).stdout, stdout);
    assert.equal(shell(`cat ${RIGHT} | badness report --json -`).stdout, stdout);
  });

  test('a reader that has seen enough is no error', () => {
    const { status, stderr } = shell(`badness report ${ALL} | head -n 1`);
    assert.deepEqual([status, stderr], [0, '']);
  });

  test('on a terminal without a file it asks for one', (t) => {
    const ran = onTerminal('report < /dev/tty', 80, 24);
    if (ran === null) return t.skip('there is no script(1)');
    assert.match(ran.stdout, /report expects a FILE, or a log on standard input: dmesg \| badness report/);
    assert.equal(ran.status, 2);
  });
});

describe('report: for people', () => {
  test('who asked, what was short, who was killed, and the second ranking', () => {
    const { stdout } = badness(['report', RIGHT]);
    assert.match(stdout, /^ {2}asked {3}httpd \(pid 7\): GFP_KERNEL, 1 page, oom_score_adj 0$/m);
    assert.match(stdout, /^ {2}short {3}the whole machine, 391 MiB of RAM, 0 B of swap, 0 B of it free$/m);
    assert.match(stdout, /^ {2}killed {2}501 \(java\) of \/: gives back 240 MiB \(anon 239 MiB, file 0 B, shmem 0\n/m);
    assert.match(
      stdout,
      /^ {2}kernel {2}linux-5\.9, surely: the log names 6\.18\.44, and its lines are those of\n {10}6\.8 or later\n/m,
    );
    assert.match(stdout, /^ {2}again {3}linux-5\.9 names 501 \(java\), as the kernel did$/m);
    assert.match(stdout, /^> 1 +501 +61,344 +240 MiB +273 MiB +0 +1000 +java$/m);
    assert.match(stdout, /^1 OOM event in 17 lines: 15 read, 2 of the kernel about something else$/m);
  });

  test('a victim that cannot be told again is said, with the reason', () => {
    const { stdout } = badness(['report', WRONG]);
    assert.match(stdout, /again {3}linux-5\.9 names 501 \(java\), the kernel chose 777 \(sshd\)\n/);
    assert.match(stdout, /doubt {3}no report tells who was in vfork, in swapoff, or already reaped/);
    assert.match(stdout, /^> 2 {2}777 /m);
  });

  test('-n bounds the rows, and whom the kernel chose is always shown', () => {
    const { stdout } = badness(['report', '-n', '0', WRONG]);
    assert.match(stdout, /^> 2 {2}777 /m);
    assert.doesNotMatch(stdout, /^ {2}1 {2}501 /m);
    assert.match(stdout, /^ {2}1 more$/m);
  });

  test('all samples fit 80 columns', () => {
    const { stdout } = badness(['report', ALL], { env: { COLUMNS: '80' } });
    for (const line of stdout.split('\n')) assert.ok([...line].length <= 80 || !line.includes(' ', 12), line);
    assert.match(stdout, /^\d+ OOM events in \d+ lines: /m);
  });

  test('colour only on a terminal', (t) => {
    const esc = String.fromCharCode(27);
    assert.ok(!badness(['report', RIGHT]).stdout.includes(esc));
    const ran = onTerminal(`report ${RIGHT}`, 80, 24);
    if (ran === null) return t.skip('there is no script(1)');
    assert.ok(ran.stdout.includes(`${esc}[1;31m> 1`));
    assert.ok(!onTerminal(`report --no-color ${RIGHT}`, 80, 24)!.stdout.includes(esc));
  });
});

describe('report: --json', () => {
  test('one object an event', () => {
    const events = records(badness(['report', '--json', ALL]).stdout);
    assert.equal(events.length, readKernelLog(readFileSync(ALL)).events.length);
    for (const event of events) assert.equal(event.schema, 1);
  });

  test('the real report of 6.18', () => {
    const [event] = records(badness(['report', '--json', KMSG_FILE]).stdout);
    const { kernel_victim, kernel_scheme, constraint, oom_memcg, same, gives_back_kb, lines } = event!;
    const { pid, comm } = kernel_victim as Record<string, unknown>;
    assert.deepEqual([pid, comm], [22179, 'hog )1 [2]']);
    assert.deepEqual([kernel_scheme, same], ['linux-5.9', true]);
    assert.deepEqual([constraint, oom_memcg, gives_back_kb], ['CONSTRAINT_MEMCG', '/koom_s', 36_364]);
    assert.deepEqual(lines, { first: 2, last: 81, read: 54, other: 26, lost: 0, rows_refused: 0 });
  });

  test('the ranking can be ranked again', () => {
    const [event] = records(badness(['report', '--json', RIGHT]).stdout);
    const ranking = (event!.ranking as object[]).map((task) => JSON.stringify(task)).join('\n');
    const { stdout } = badness(['rank', '--tasks', '-', '--scheme', 'resident', '--json'], { input: ranking });
    assert.equal(records(stdout)[0]?.victim, 501);
  });
});

describe('report: nothing in a log can do harm', () => {
  const NAMES = ['<b>&"\'', '</svg><script>', '\x1b[31mred\x1b[0m', '\u202eexe', 'caf\udcc3', "'><img src=x"];
  const hostile = NAMES.map((comm, at) => {
    const victim = { ...HOG, comm };
    const lines = reportLines({ ...REPORT, tasks: [victim, SMALL], victim, invoker: comm, release: '6.18.<i>&44' });
    const cgroup = lines.map((line) => line.replace('task_memcg=/', `task_memcg=/<u>${at}`));
    return cgroup.map(DRESSES['/dev/kmsg']!);
  });
  const path = file('<hostile>&.log', hostile.flat());

  test('on a terminal: no control characters', () => {
    const { stdout, status } = badness(['report', path]);
    assert.equal(status, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.ok(stdout.includes('\\e[31mred'));
  });

  test('in JSON: the name, with every byte', () => {
    const events = records(badness(['report', '--json', path]).stdout);
    assert.deepEqual(
      events.map(({ kernel_victim }) => (kernel_victim as { comm: string }).comm),
      NAMES,
    );
  });

  const page = badness(['report', '--html', path]).stdout;

  test('in the page: only the tags that belong to it, all of them closed', () => {
    const KNOWN =
      'html head meta title style body h1 h2 h3 section dl dt dd svg text rect p b ul li div table thead tbody tr th td footer'.split(
        ' ',
      );
    const open: string[] = [];
    for (const [, slash, tag, rest] of page.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/gi)) {
      assert.ok(KNOWN.includes(tag!), `<${tag}> is not of the page`);
      assert.doesNotMatch(rest!, /\bon\w+=|\bhref=|\bsrc=/i);
      if (slash) assert.equal(open.pop(), tag);
      else if (tag !== 'meta' && !rest!.endsWith('/')) open.push(tag!);
    }
    assert.deepEqual(open, []);
    assert.equal(page.replace(/<[^<>]*>/g, '').match(/[<>]/g), null, 'no bracket is left over');
    for (const name of ['&lt;b&gt;&amp;&quot;&#39;', '&lt;/svg&gt;', '\\e[31mred', '\\u{202e}exe', 'caf\\xc3']) {
      assert.ok(page.includes(name), name);
    }
    assert.ok(page.includes('&lt;hostile&gt;&amp;.log'), 'the name of the file too');
  });

  test('in the page: nothing is loaded and nothing runs', () => {
    assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
    assert.doesNotMatch(page, /https?:|url\(|@import|<script/);
  });
});

describe('report: --html', () => {
  const page = badness(['report', '--html', RIGHT]).stdout;

  test('a page with the facts, a plot, the ranking and the other schemes', () => {
    assert.match(page, /^<!doctype html>\n<html lang="en">/);
    assert.match(page, /<dt>killed<\/dt><dd>501 \(java\) of \/: gives back 240 MiB/);
    assert.match(page, /<h3>Ranked again by linux-5\.9<\/h3>/);
    assert.match(page, /<tr class="victim"><td>1<\/td><td>501<\/td>/);
    assert.match(page, /<li>501 \(java\), gives back 240 MiB: .*linux-5\.9/);
    assert.match(page, /prefers-color-scheme: dark/);
  });

  test('-n bounds the rows of its table', () => {
    const rows = (count: string) => badness(['report', '--html', '-n', count, RIGHT]).stdout.match(/<tr/g)!.length;
    assert.deepEqual([rows('1'), rows('9')], [2, 3], 'and the heading');
  });

  test('bars are as long as memory is large, in the order of the ranking', () => {
    const bars = [...page.matchAll(/<rect class="rss" x="200\.0" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    assert.equal(bars.length, 2);
    const [hog, small] = bars;
    assert.ok(Math.abs(hog! / small! - 61_234 / 512) < 2, `${hog} to ${small}`);
    const room = [...page.matchAll(/x="([\d.]+)"[^>]*?(?:width="([\d.]+)")?/g)].map(
      ([, x, width]) => Number(x) + Number(width ?? 0),
    );
    assert.ok(Math.max(...room) <= 760, 'within the plot');
  });

  test('a log without events is a page too', () => {
    const empty = badness(['report', '--html'], { input: 'usb 1-1: new device\n' }).stdout;
    assert.match(empty, /<h1>OOM events in standard input<\/h1>[\s\S]*0 OOM events in 1 line.*<\/body><\/html>\n$/s);
  });
});
