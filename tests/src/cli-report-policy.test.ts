// `badness report --policy`: what each policy would have done, for people, as JSON and on the page; what is wrong with a policy file.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { badness, records } from './support/badness.js';
import { KMSG_FILE, reportLines } from './support/oom-log.js';
import { ownFiles } from './support/own-folder.js';

const JAVA = { tgid: 501, comm: 'java', uid: 1000, total_vm_pages: 70_000, rss_pages: 60_000, pgtables_bytes: 0 };
const MYSQL = { tgid: 600, comm: 'mysqld', uid: 27, total_vm_pages: 50_000, rss_pages: 40_000, pgtables_bytes: 0 };
const SSHD = { tgid: 777, comm: 'sshd', uid: 0, total_vm_pages: 9000, rss_pages: 512, pgtables_bytes: 0 };
const REPORT = { era: '6.8', tasks: [JAVA, MYSQL, SSHD], victim: JAVA, totalPages: 200_000 } as const;
const LINES = reportLines({ ...REPORT, release: '6.18.44' });

describe('report --policy', () => {
  const { folder, write: file } = ownFiles();
  const LOG = file('kernel.log', `${LINES.join('\n')}\n`);
  const OTHER = file('other.toml', 'version = 1\n[[rule]]\ncomm = "mysqld"\ntimes = 3\n');
  const NOBODY = file('<nobody>.toml', 'version = 1\nnever = ["*"]\n');
  const OPEN = file('open.toml', 'version = 1\n[[rule]]\ncmdline = "*jar*"\ntimes = "1/2"\n');
  const BAD = file('bad.toml', 'version = 1\n\n[[rule]]\ncomm = "x"\nnevr = true\n');

  test('for people: each policy beside the kernel, with points and rules', () => {
    const { stdout, status } = badness(['report', '--policy', OTHER, '--policy', NOBODY, '--policy', OPEN, LOG], {
      env: { COLUMNS: '120' },
    });
    assert.equal(status, 0);
    const words = stdout.replaceAll(/\s+/g, ' ');
    assert.ok(
      words.includes('other.toml (auto, badness) would have chosen 600 (mysqld), 120,000 points, gives back 156 MiB'),
    );
    assert.ok(words.includes("rule 1: times 3/1, 120,000 points the kernel's 501 (java) has 60,000 points"));
    assert.ok(words.includes('<nobody>.toml (auto, badness) would have chosen nobody'));
    assert.ok(words.includes("the kernel's 501 (java) may not be chosen (rule); by its list never"));
    assert.ok(words.includes('not told by the log, and counted in favour of the task: cmdline of rule 1'));
  });

  test('--json: an entry a policy, in their order; without --policy no key', () => {
    const [event] = records(badness(['report', '--json', '--policy', OTHER, '--policy', NOBODY, LOG]).stdout);
    const [other, nobody] = event!.policies as Record<string, unknown>[];
    assert.deepEqual(
      [other!.file, other!.victim, other!.points, other!.same],
      [OTHER, { pid: 600, comm: 'mysqld' }, 120_000, false],
    );
    assert.deepEqual(other!.rules, [{ rule: 1, effect: 'times 3/1', points: 120_000, assumed: false }]);
    assert.deepEqual([nobody!.outcome, nobody!.victim, nobody!.points], ['no-victim', null, null]);
    const [plain] = records(badness(['report', '--json', LOG]).stdout);
    assert.equal('policies' in plain!, false);
    const { policies: _, ...rest } = event!;
    assert.deepEqual(rest, plain);
  });

  test('--html: a section of its own, and names of files do no harm', () => {
    const { stdout } = badness(['report', '--html', '--policy', NOBODY, LOG]);
    assert.match(stdout, /<h3>What each policy would have done<\/h3>/);
    assert.match(
      stdout,
      /<dt>policy<\/dt><dd>[^<]*&lt;nobody&gt;\.toml \(auto, badness\) would have chosen nobody<\/dd>/,
    );
    assert.ok(!stdout.includes('<nobody>'));
  });

  test('the real report of 6.18, under the default policy', () => {
    const policy = file('default.toml', 'version = 1\n');
    const [event] = records(badness(['report', '--json', '--policy', policy, KMSG_FILE]).stdout);
    const [found] = event!.policies as Record<string, unknown>[];
    assert.deepEqual([found!.victim, found!.same], [{ pid: 22179, comm: 'hog )1 [2]' }, true]);
  });

  const ROWS: [words: string[], status: number, stderr: RegExp][] = [
    [['--policy', BAD, LOG], 14, /bad\.toml:5: rule\[0\]\.nevr is not known; the nearest key is never\n/],
    [['--policy', OTHER, '--policy', BAD, LOG], 14, /bad\.toml: 1 error\n$/],
    [['--policy', join(folder, 'none.toml'), LOG], 7, /none\.toml/],
    [['--to-proc', '--policy', OTHER, LOG], 2, /--policy and --to-proc exclude each other/],
  ];
  for (const [words, status, stderr] of ROWS) {
    test(`badness report ${words.join(' ').replaceAll(folder, '…')} exits ${status}`, () => {
      const ran = badness(['report', ...words]);
      assert.deepEqual([ran.status, ran.stdout], [status, '']);
      assert.match(ran.stderr, stderr);
    });
  }
});
