// `badness kill` without --enforce, and `badness doctor`: command lines, screens, JSON. Nobody is signalled here.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { badness, type Ran } from './support/badness.js';
import { type CommandLine, testLines } from './support/command-lines.js';
import { ownFolder } from './support/own-folder.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const NONE = /^$/;

const ROWS: CommandLine[] = [
  [
    'kill --help',
    0,
    /^Usage: badness kill[\s\S]*--enforce[\s\S]*Exit codes:[\s\S]*\n {2}8 {2}kill refused[\s\S]*\n 12 {2}busy: [^\n]*\n 14 {2}bad policy file[^\n]*\n$/,
    NONE,
  ],
  ['doctor --help', 0, /^Usage: badness doctor/, NONE],
  ['--help', 0, /\n {2}kill +one round[\s\S]*\n {2}doctor +[\s\S]*\n {2}8 {2}kill refused by name/, NONE],
  ['kill 4711', 2, NONE, /^badness: kill takes no operand, got "4711"; --queue names tasks that come first\n$/],
  ['kill --tasks x', 2, NONE, /^badness: Unknown option '--tasks'; see badness kill --help\n$/],
  ['kill --proc /proc', 2, NONE, /^badness: Unknown option '--proc'/],
  ['kill --domain memcg', 2, NONE, /^badness: --domain: only system yet, got "memcg"\n$/],
  ['kill --enforce --domain memcg', 2, NONE, /^badness: --domain: only system yet, got "memcg"\n$/],
  ['kill --signal HUP', 2, NONE, /^badness: --signal must be one of TERM, KILL, got "HUP"\n$/],
  ['kill --native koffi', 2, NONE, /^badness: --native must be one of auto, none, got "koffi"\n$/],
  ['kill --max-discount 0', 2, NONE, /--max-discount must be an integer/],
  ['kill --scheme badnes', 4, NONE, /^badness: unknown scheme "badnes", the nearest is badness/],
  ['kill --queue 1', 2, NONE, /^badness: --queue: text must be pids of 2\.\.4194304 between blanks, got "1"\n$/],
  ['kill --queue sshd', 2, NONE, /^badness: --queue: text must be pids/],
  ['doctor now', 2, NONE, /^badness: doctor takes no operand, got "now"/],
  ['doctor --scheme badness', 2, NONE, /^badness: Unknown option '--scheme'/],
  ['doctor', 0, /^kernel: .*\nsignals: (pidfd through koffi|kill\(2\) after)[\s\S]*\npressure \(PSI\): /, NONE],
];

/** Another process of the machine may be chosen and end at that moment (11), or be ending already and waited for (12): once more. */
function dryRun(args: string[], env: Record<string, string> = {}): Ran {
  for (let tries = 0; ; tries++) {
    const ran = badness(['kill', ...args], { env });
    if ((ran.status !== 11 && ran.status !== 12) || tries > 50) return ran;
  }
}

async function sleeper(t: TestContext): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['60']);
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

describe('command lines of kill and doctor', { skip }, () => {
  testLines(ROWS, '');

  test('a word in BADNESS_NATIVE that means nothing is a wrong command line', () => {
    for (const line of ['kill', 'doctor', 'record', 'preview --available 5%']) {
      const ran = badness(line.split(' '), { env: { BADNESS_NATIVE: 'koffi' } });
      assert.deepEqual([ran.status, ran.stdout], [2, '']);
      assert.match(ran.stderr, /^badness: BADNESS_NATIVE: native must be auto or none, got koffi\n$/);
    }
  });
});

describe('badness kill without --enforce', { skip }, () => {
  test('says who and why in the words of rank, and that nobody was signalled', () => {
    const { status, stdout, stderr } = dryRun([]);
    assert.match(stdout, /^[\d.]+ [GMT]iB of memory and swap, [\d.]+ [GMT]iB available\nscheme badness: /);
    assert.match(stdout, /\n\nnext victim: \d+ \(.*\): gives back [\d.]+ \wiB, /);
    assert.match(stdout, /\nnobody was signalled; with --enforce badness kill chooses again, and kills\n$/);
    assert.deepEqual([status, stderr], [0, '']);
    for (const line of stdout.split('\n')) assert.ok([...line].length <= 80, line);
  });

  test('a queued task comes first, and who was passed over is named', async (t) => {
    const child = await sleeper(t);
    const { status, stdout } = dryRun(['--queue', `${process.pid} 4194303 ${child.pid}`]);
    assert.equal(status, 0);
    assert.match(stdout, /\nqueue: 4194303 passed over: no such task\n/);
    assert.match(stdout, new RegExp(`\nqueue: ${process.pid} passed over: badness itself or an ancestor of it\n`));
    assert.match(stdout, new RegExp(`\nnext victim: ${child.pid} \\(sleep\\): [^]*\nchosen by the queue`));
    assert.equal(child.exitCode ?? child.signalCode, null);
  });

  test('--json: one object on one line, the victim a task record', async (t) => {
    const child = await sleeper(t);
    const { status, stdout, stderr } = dryRun(['--json', '--queue', String(child.pid), '--scheme', 'resident']);
    assert.deepEqual([status, stderr, stdout.split('\n').length], [0, '', 2]);
    const { schema, outcome, domain, enforce, chosen_by, victim, terms, kill, total_ms, ...rest } = JSON.parse(stdout);
    assert.deepEqual([schema, outcome, domain, enforce, chosen_by, kill], [1, 'dry', 'system', false, 'queue', null]);
    assert.deepEqual([victim.tgid, victim.comm, victim.eligible], [child.pid, 'sleep', true]);
    assert.deepEqual([terms.scheme, terms.base * 4096], ['resident', rest.expected_bytes]);
    assert.deepEqual(Object.keys(rest.before), ['available_bytes', 'per_cpu_bytes', 'total_bytes']);
    assert.ok(total_ms >= 0 && rest.freed_bytes === null && rest.after.total_bytes > 0);
  });

  test('it is the same choice with koffi and without', async (t) => {
    const child = await sleeper(t);
    for (const native of ['auto', 'none']) {
      const { stdout } = dryRun(['--json', '--native', native, '--queue', String(child.pid)]);
      assert.equal(JSON.parse(stdout).victim.tgid, child.pid);
    }
  });
});

describe('badness kill --policy, without --enforce', { skip }, () => {
  /** A sleeper that nobody else's rules match, and a policy file with a rule that matches it. */
  async function ruled(t: TestContext, effect: string): Promise<{ child: { pid: number }; path: string }> {
    const span = `61.${process.pid}`;
    const child = spawn('sleep', [span]);
    t.after(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const folder = ownFolder(t);
    const path = join(folder, 'badness.toml');
    writeFileSync(
      path,
      `version = 1\nenforce = true\n[[rule]]\ncomm = "sleep"\ncmdline = "sleep ${span}"\n${effect}\n`,
    );
    return { child: child as { pid: number }, path };
  }

  test('a rule decides, and is said; enforce in the file kills nobody', async (t) => {
    const { child, path } = await ruled(t, 'class = "first"\nleast = "0B"');
    const { status, stdout } = dryRun(['--policy', path]);
    assert.equal(status, 0);
    assert.match(
      stdout,
      new RegExp(`\nnext victim: ${child.pid} \\(sleep\\): [^]*\nrule 1: class first, [\\d,]+ points\n`),
    );
    assert.match(stdout, /\nnobody was signalled; with --enforce/);
    const { victim, rules } = JSON.parse(dryRun(['--policy', path, '--json', '--scheme', 'family']).stdout);
    assert.deepEqual([victim.tgid, victim.rules.length, victim.rules[0].effect], [child.pid, 1, 'class first']);
    assert.ok(rules.looked > 0);
  });

  test('never by a rule is never, in the queue too', async (t) => {
    const { child, path } = await ruled(t, 'never = true');
    const { status, stdout } = dryRun(['--policy', path, '--queue', String(child.pid)]);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`\nqueue: ${child.pid} passed over: on the never list, or never by a rule\n`));
  });

  test('a bad file is refused with its lines, before anything is looked at', async (t) => {
    const { path } = await ruled(t, 'nevre = true');
    const { status, stdout, stderr } = badness(['kill', '--policy', path]);
    assert.deepEqual([status, stdout], [14, '']);
    assert.match(stderr, /badness\.toml:6: rule\[0\]\.nevre is not known; the nearest key is never\nbadness: /);
  });
});

describe('badness doctor', { skip }, () => {
  test('says which path signals take and why', () => {
    const { stdout } = badness(['doctor'], { env: { BADNESS_NATIVE: 'none' } });
    assert.match(stdout, /^signals: kill\(2\) after reading the kept descriptor \(switched off\)$/m);
    assert.match(stdout, /^warning: a pid reused in the microseconds before kill\(2\) cannot be told$/m);
    for (const fact of [
      'capabilities',
      'open files',
      'locked memory',
      'cgroup memory',
      'pressure \\(PSI\\)',
      'hidepid',
    ])
      assert.match(stdout, new RegExp(`^${fact}: .`, 'm'));
  });

  test('--json: one object on one line, capabilities by name', () => {
    const { stdout, stderr, status } = badness(['doctor', '--json']);
    assert.deepEqual([status, stderr, stdout.split('\n').length], [0, '', 2]);
    const facts = JSON.parse(stdout);
    assert.deepEqual(
      Object.keys(facts).join(' '),
      'schema kernel native capabilities limits cgroup_memory psi swap_total_kib hidepid daemons warnings',
    );
    assert.ok(['pidfd', 'kill'].includes(facts.native.path) && 'process_mrelease' in facts.native);
    for (const name of facts.capabilities) assert.match(name, /^CAP_[A-Z_]+$/);
    assert.ok('nofile_hard' in facts.limits && Array.isArray(facts.warnings));
  });
});
