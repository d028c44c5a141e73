// Settings of earlyoom as a policy: the words that systemd makes of its file, its flags, its expressions, and what is said of the rest.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { importEarlyoom } from '../../src/cli/earlyoom.js';
import { earlyoomFlags } from '../../src/cli/earlyoom-flags.js';
import { environmentOf, wordsOfValue } from '../../src/cli/environment-file.js';
import { type Policy, parsePolicy } from '../../src/policy/index.js';
import { badness } from './support/badness.js';
import { ownFiles } from './support/own-folder.js';

const words = (file: string) => wordsOfValue(environmentOf(file).get('EARLYOOM_ARGS') ?? '');

/** What systemd 252 gave to a program as $EARLYOOM_ARGS of these files. */
const FILES: [file: string, words: string[]][] = [
  [`EARLYOOM_ARGS="-r 3600"`, ['-r', '3600']],
  [`EARLYOOM_ARGS="--avoid '(^|/)(init|X|sshd|firefox)$'"`, ['--avoid', '(^|/)(init|X|sshd|firefox)$']],
  [String.raw`EARLYOOM_ARGS="-m 5 --prefer '^a\.b$'"`, ['-m', '5', '--prefer', '^a.b$']],
  [String.raw`EARLYOOM_ARGS='-m 5 --prefer "^a\.b$" x'"'"'y' `, ['-m', '5', '--prefer', '^a.b$', 'xy']],
  [`EARLYOOM_ARGS=-m 5 --prefer '^a b$'  `, ['-m', '5', '--prefer', '^a b$']],
  ['EARLYOOM_ARGS="-m 5 \\\n  -s 3"\n # comment\n; other', ['-m', '5', '-s', '3']],
  ['export EARLYOOM_ARGS="-m 5"\nEARLYOOM_ARGS = "-m 6"', ['-m', '6']],
  [`EARLYOOM_ARGS="-m 5" "-s 3"   -x`, ['-m', '5-s', '3-x']],
  [
    String.raw`EARLYOOM_ARGS="--prefer '^(Web Content|a\\.b)$' --avoid \"x y\" --ignore \$HOME\`\q"`,
    ['--prefer', '^(Web Content|a.b)$', '--avoid', 'x y', '--ignore', '$HOME`q'],
  ],
  ["EARLYOOM_ARGS=-m\\ 5 a\\\nb 'c d' # not comment", ['-m', '5', 'ab', 'c d', '#', 'not', 'comment']],
  ["EARLYOOM_ARGS='-m 5\n-s 3' ", ['-m', '5', '-s', '3']],
  [
    `EARLYOOM_ARGS="-m 1"\nEARLYOOM_ARGS="--prefer 'a\\'b' c'd e'f g\\ h 'unclosed x"`,
    ['--prefer', "a'b", 'cd ef', 'g h', 'unclosed x'],
  ],
  [String.raw`EARLYOOM_ARGS="-m 5 \\ \a \\\\. '\\\\.' \t"`, ['-m', '5', ' a', '\\.', '\\.', 't']],
  ['EARLYOOM_ARGS=--prefer=x#y ;z', ['--prefer=x#y', ';z']],
  ['  EARLYOOM_ARGS="-m 2"x "y" z', ['-m', '2x', 'y', 'z']],
  ['EARLYOOM_ARGS="" ', []],
  [String.raw`EARLYOOM_ARGS="--prefer '' \"\" end"`, ['--prefer', '', '', 'end']],
  ['EARLYOOM_ARGS="-m 8"\r\nB=1\r\n', ['-m', '8']],
];

describe('earlyoom: its file', () => {
  for (const [file, expected] of FILES) {
    test(`earlyoom: ${JSON.stringify(file)} is read as systemd reads it`, () =>
      assert.deepEqual(words(file), expected));
  }
});

describe('earlyoom: its flags', () => {
  test('earlyoom: letters in one word, values with and apart, long names with = and cut short', () => {
    const line = ['-nr60', '-m', '5,2', '-s10', '--pref=a=b', '--avoid', '-x', '--dry', '--ignore-root-user'];
    assert.deepEqual(
      earlyoomFlags(line).map(({ name, value }) => `${name} ${value}`),
      ['-n ', '-r 60', '-m 5,2', '-s 10', '--prefer a=b', '--avoid -x', '--dryrun ', '--ignore-root-user '],
    );
  });

  test('earlyoom: what it would refuse is refused by name', () => {
    for (const [line, expected] of [
      [['-x'], /"-x" is no flag of earlyoom/],
      [['--nope'], /"--nope" is no flag/],
      [['--ignore-root'], null],
      [['--i'], /"--i" is --ignore or --ignore-root-user/],
      [['-m'], /-m wants a value/],
      [['--prefer'], /--prefer wants a value/],
      [['--dryrun=1'], /--dryrun takes no value, got "1"/],
      [['5'], /"5" is no flag/],
      [['--', 'x'], /nothing may follow --/],
    ] as const) {
      if (expected === null) assert.doesNotThrow(() => earlyoomFlags(line));
      else assert.throws(() => earlyoomFlags(line), { name: 'RangeError', message: expected });
    }
  });
});

async function imported(args: string): Promise<{ policy: Policy; toml: string; unequal: readonly string[] }> {
  const { toml, unequal } = await importEarlyoom(`EARLYOOM_ARGS="${args}"\n`, 'earlyoom');
  const { policies } = await parsePolicy(toml);
  assert.equal(policies.length, 1);
  return { policy: policies[0]!, toml, unequal };
}

describe('earlyoom: the policy', () => {
  test('earlyoom: without flags it kills by oom_score at 10 and 5 percent', async () => {
    const { policy, unequal } = await imported('');
    assert.deepEqual([policy.enforce, policy.scheme, unequal], [true, 'linux-5.9', []]);
    assert.deepEqual(policy.thresholds.term, { available: { percent: 10 }, swapFree: { percent: 10 } });
    assert.deepEqual(policy.thresholds.kill, { available: { percent: 5 }, swapFree: { percent: 5 } });
    assert.deepEqual(policy.rules, []);
  });

  test('earlyoom: thresholds in percent, in KiB, and the lower of both', async () => {
    const { policy } = await imported('-m 15,8.5 -M 1048576,524288 -S 2048 -s 3,4');
    assert.deepEqual(policy.thresholds.term, {
      available: { percent: 15, bytes: 2 ** 30 },
      swapFree: { percent: 4, bytes: 2 ** 21 },
    });
    assert.deepEqual(policy.thresholds.kill, {
      available: { percent: 8.5, bytes: 2 ** 29 },
      swapFree: { percent: 4, bytes: 2 ** 20 },
    });
    const alone = await imported('-M 1024');
    assert.deepEqual(alone.policy.thresholds.term.available, { bytes: 2 ** 20 });
    const never = await imported('-s 100');
    assert.deepEqual(never.policy.thresholds.kill.swapFree, { percent: 50 });
  });

  test('earlyoom: expressions, dry run, root, rss, programs and the desktop', async () => {
    const { policy } = await imported(
      "--ignore ^a --avoid '^(b|c d)$' --prefer x.y --dryrun --ignore-root-user --sort-by-rss -P /bin/p -N /bin/n -n",
    );
    assert.deepEqual([policy.enforce, policy.scheme], [false, 'resident']);
    assert.deepEqual(policy.rules, [
      { comm: '/^a/', never: true },
      { comm: '/^(b|c d)$/', times: '1/4' },
      { comm: '/(?s)x.y/', times: '4/1' },
      { user: 0, never: true },
    ]);
    const told = policy.notify.map(({ on, command, desktop }) => [on, command ?? desktop]);
    assert.deepEqual(told, [
      ['before_kill', ['/bin/p']],
      ['after_kill', ['/bin/n']],
      ['after_kill', true],
    ]);
  });

  test('earlyoom: of flags that stand there twice the last counts', async () => {
    const { policy } = await imported('-m 5 -m 7');
    assert.deepEqual(policy.thresholds.term.available, { percent: 7 });
  });

  test('earlyoom: every flag that has no equal is named, in the file too', async () => {
    for (const flag of [
      '-g',
      '-d',
      '--debug',
      '-k',
      '-i',
      '-p',
      '-v',
      '-h',
      '--help',
      '--syslog',
      '--kernel-oom',
      '-r 60',
      '-n',
    ]) {
      const { toml, unequal } = await imported(flag);
      const [name] = flag.split(' ');
      assert.ok(unequal.length === 1 && unequal[0]!.startsWith(`${name}: `), flag);
      const comments = toml
        .split('\n')
        .filter((line) => line.startsWith('#'))
        .join(' ')
        .replace(/ # +/g, ' ');
      assert.ok(comments.includes(unequal[0]!), comments);
    }
    const { unequal } = await importEarlyoom('# nothing\n', 'earlyoom');
    assert.match(unequal[0]!, /EARLYOOM_ARGS is not in it/);
  });

  test('earlyoom: an expression that cannot be said is left out and named, the others stay', async () => {
    for (const [expression, why] of [
      [String.raw`(a)\\\\1`, /left out: \\1, a reference back/],
      [String.raw`\\\\<a`, /left out: \\<, the edge of a word/],
      ['[[.a.]]', /left out: \[\. in brackets, a collating element/],
      ['a++', /left out: \+ after nothing/],
      ['(?i)a', /left out: \? after nothing/],
      ['a{1001}', /left out: rule\[0\]\.comm must be a regular expression of RE2/],
      ['[a', /left out: a bracket that is not closed/],
      ["''", /left out: it is empty/],
    ] as const) {
      const { policy, unequal } = await imported(`--avoid ^b --ignore ${expression}`);
      assert.deepEqual(policy.rules, [{ comm: '/^b/', times: '1/4' }], expression);
      assert.ok(
        unequal.some((sentence) => sentence.startsWith('--ignore "') && why.test(sentence)),
        unequal.join('\n'),
      );
    }
  });

  test('earlyoom: an expression that is left out cannot go on in a line of its own, nor colour a screen', async () => {
    const { policy, unequal } = await imported("--ignore '(\nenforce = false\n\x1b'");
    assert.deepEqual(policy.rules, []);
    assert.doesNotMatch(unequal.join(''), /\p{Cc}/u);
  });

  test('earlyoom: values that it would refuse are refused by flag and file', async () => {
    for (const [args, expected] of [
      ['-m x', /^earlyoom: EARLYOOM_ARGS: -m must be TERM\[,KILL\]/],
      ['-s 0', /-s must be TERM/],
      ['-r -1', /-r must be seconds/],
      ['-N notify', /-N must be an absolute path, got "notify"/],
      ['-N /bin/a\0', /^earlyoom: EARLYOOM_ARGS: notify\[0\]\.command\[0\] must be an argument without NUL/],
      ['--nope', /is no flag of earlyoom/],
    ] as const) {
      await assert.rejects(imported(args), { exit: 14, message: expected });
    }
  });
});

describe('policy import-earlyoom', () => {
  const { folder } = ownFiles();

  test('earlyoom: the policy goes to standard output, what it does not say to standard error; check accepts it', () => {
    const file = join(folder, 'earlyoom');
    writeFileSync(file, `EARLYOOM_ARGS="-m 5 -g --prefer '^(Web Content|Isolated Web Co)$'"\n`);
    const { status, stdout, stderr } = badness(['policy', 'import-earlyoom', file]);
    assert.equal(status, 0);
    assert.match(stderr, /^badness: --prefer: .*\nbadness: -g: kills the whole process group .*\n$/);
    writeFileSync(join(folder, 'badness.toml'), stdout);
    assert.match(badness(['policy', 'check', join(folder, 'badness.toml')]).stdout, /: good, 1 domain, 1 rule\n$/);
    const piped = badness(['policy', 'import-earlyoom', '-'], { input: 'EARLYOOM_ARGS="-m 5"' });
    assert.match(piped.stdout, /^# From standard input\.\nversion = 1\n[\s\S]*term\.available = "5%"\n/);
  });

  test('earlyoom: a file that is not there, and flags that are none, have exit codes', () => {
    const none = badness(['policy', 'import-earlyoom', join(folder, 'none')]);
    assert.equal(none.status, 7);
    assert.match(none.stderr, /^badness: expected the settings of earlyoom at .*none, got ENOENT\n$/);
    const bad = badness(['policy', 'import-earlyoom', '-'], { input: 'EARLYOOM_ARGS="--nope"' });
    assert.deepEqual([bad.status, bad.stdout], [14, '']);
    assert.match(bad.stderr, /^badness: standard input: EARLYOOM_ARGS: "--nope" is no flag of earlyoom\n$/);
  });
});
