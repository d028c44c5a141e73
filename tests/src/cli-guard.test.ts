// `badness guard` as a command: what it refuses, what it says, how it ends, and that nobody who reads it can hold it up. Always a dry run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { badness } from './support/badness.js';
import { FakeMemory, noFakeMemory } from './support/fake-memory.js';
import { type GuardProcess, runGuard, startGuardProcess } from './support/guard-process.js';
import { PATIENCE_MS } from './support/patience.js';
import { StuckPipe } from './support/stuck-pipe.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const SYSTEM = ['--domain', 'system'];
/** Some tens of milliseconds, of which a busy machine makes more. */
const AT_ONCE_MS = 15_000;

/** Fills the socket that is its standard output, makes it wait for room again, and runs a command on it. Says the pid on standard error. */
const FILL_AND_RUN = `
  const { Socket } = require('node:net');
  const { spawn } = require('node:child_process');
  const socket = new Socket({ fd: 1 });
  try { for (;;) require('node:fs').writeSync(1, '.'.repeat(1000)); } catch {}
  socket._handle.setBlocking(true);
  const child = spawn(process.argv[1], process.argv.slice(2), { stdio: ['ignore', 1, 'inherit'] });
  child.once('exit', (code) => process.exit(code ?? 99));
  console.error(child.pid);
`;

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

type Row = [line: string, status: number, stderr: RegExp];

const ROWS: Row[] = [
  ['-m 0', 2, /^badness: -m must be TERM\[,KILL\], each 0\.\.100 and not both 0, got "0"\n$/],
  ['-m 101', 2, /^badness: -m must be .* got "101"\n$/],
  ['-m ten', 2, /^badness: -m must be .* got "ten"\n$/],
  ['-m 10,5,1', 2, /^badness: -m must be /],
  ['-s 101', 2, /^badness: -s must be .* each 0\.\.100 /],
  ['-M 0', 2, /^badness: -M must be .* each 0\.\.2147483647 /],
  ['-S x', 2, /^badness: -S must be /],
  ['-r x', 2, /^badness: -r must be an integer 0\.\.86400, got "x"\n$/],
  ['-r 86401', 2, /^badness: -r must be an integer/],
  ['--domain nonsense', 2, /^badness: --domain must be auto, system, memcg:\/path, node:N or .* got "nonsense"\n$/],
  ['--domain memcg:', 2, /^badness: --domain must be /],
  ['--domain memcg:a', 2, /^badness: policy\.domain\.memcg must be the absolute path of a cgroup.* got "a"\n$/],
  ['--domain node:x', 2, /^badness: --domain node:N must be an integer 0\.\.1023, got "x"\n$/],
  ['--domain descendants:4711', 2, /^badness: --domain must be /],
  ['--domain descendants:4711,0', 2, /^badness: policy\.domain\.budget must be a size /],
  ['--domain memcg:/no/such/group', 13, /^badness: (cgroup \/no\/such\/group .*is not there|no memory cgroup )/],
  ['--domain node:1023', 13, /^badness: there is no NUMA node 1023 here\n$/],
  ['--scheme badnes', 4, /^badness: unknown scheme "badnes", the nearest is badness/],
  ['--native koffi', 2, /^badness: --native must be one of auto, none, got "koffi"\n$/],
  ['--max-discount 0', 2, /^badness: --max-discount must be an integer/],
  ['--queue 5', 2, /^badness: Unknown option '--queue'; see badness guard --help\n$/],
  ['now', 2, /^badness: guard takes no operand, got "now"/],
];

describe('command lines of guard', { skip }, () => {
  for (const [line, status, stderr] of ROWS) {
    test(`badness guard ${line} exits ${status}`, () => {
      const ran = badness(['guard', ...line.split(' ')]);
      assert.match(ran.stderr, stderr);
      assert.deepEqual([ran.stdout, ran.status], ['', status]);
    });
  }

  test('badness guard --help says what it is, and what each exit code means', () => {
    const { status, stdout } = badness(['guard', '--help']);
    assert.match(
      stdout,
      /^Usage: badness guard[\s\S]*--enforce[\s\S]*\n 13 {2}guard: [^\n]*\n 14 [^\n]*\n 15 {2}ctl: [^\n]*\n 18 {2}guard: [^\n]*\n 19 [^\n]*\n$/,
    );
    assert.equal(status, 0);
  });

  test('a word in BADNESS_NATIVE that means nothing is a wrong command line', () => {
    const { status, stderr } = badness(['guard'], { env: { BADNESS_NATIVE: 'koffi' } });
    assert.equal(status, 2);
    assert.match(stderr, /^badness: BADNESS_NATIVE: native must be auto or none, got koffi\n$/);
  });
});

describe('what guard says when it begins', { skip }, () => {
  test('in words: version, domain and why, dry run, thresholds, scheme, how signals go', async (t) => {
    const guard = await runGuard(t, { args: [...SYSTEM, '-m', '12,6', '-M', '102400'], inWords: true });
    await guard.until('five lines', () => guard.said.length >= 5);
    const [first, ...others] = guard.said;
    assert.match(first!, /^badness \d+\.\d+\.\d+ guards system \(as asked\); memory: \d+ MiB \([\d.]+ %\) available, /);
    assert.equal(others[0], 'dry run: says who would be killed; --enforce kills');
    assert.match(
      others[1]!,
      /^warn: available <= .*; SIGTERM: available <= 12 % and 100 MiB, .*; SIGKILL: available <= 6 %/,
    );
    assert.match(others[2]!, /^scheme badness: /);
    assert.match(
      others[3]!,
      /^signals: (pidfd|kill\(2\), because of: .+); waits with (poll|timers); (not )?locked in memory$/,
    );
  });

  test('a service under systemd gives each line its priority', async (t) => {
    const guard = await runGuard(t, { args: SYSTEM, inWords: true, env: { JOURNAL_STREAM: '8:1' } });
    assert.match(guard.said[0]!, /^<6>badness /);
  });

  test('with --json: one object with the same facts', async (t) => {
    const guard = await runGuard(t, { args: [...SYSTEM, '-m', '12,6', '--scheme', 'resident'] });
    const { kind, domain, reason, scheme, enforce, thresholds } = guard.lines[0]!;
    assert.deepEqual([kind, domain, reason, scheme, enforce], ['start', 'system', 'as asked', 'resident', false]);
    const { term, kill } = thresholds as Record<'term' | 'kill', { available: object }>;
    assert.deepEqual([term.available, kill.available], [{ percent: 12 }, { percent: 6 }]);
  });

  test('--native none does without native calls, and says so', async (t) => {
    const guard = await runGuard(t, { args: [...SYSTEM, '--native', 'none'] });
    const { signals, signals_reason, waits, locked } = guard.lines[0]!;
    assert.deepEqual([signals, waits, locked], ['kill', 'timers', false]);
    assert.equal(signals_reason, 'switched off');
    assert.equal((await guard.stop()).ended, 0);
  });
});

describe('what guard says of memory', { skip: skip || noFakeMemory() }, () => {
  const watch = (t: TestContext, memory: FakeMemory, more: { args?: string[]; inWords?: boolean } = {}) =>
    runGuard(t, { ...more, args: [...SYSTEM, ...(more.args ?? [])], through: memory.through });
  /** A round at this level has chosen somebody, or the level makes none. */
  const isDecided = (guard: GuardProcess, level: string) =>
    level === 'warn' ||
    level === 'none' ||
    guard.of('round').some((round) => round.level === level && round.report.victim);
  const levels = (guard: GuardProcess) => guard.of('level').map(({ was, level }) => `${was} ${level}`);

  test('each level once, and in a dry run whom it would kill, at once again only when it gets worse', async (t) => {
    const memory = new FakeMemory(t, 60);
    const guard = await watch(t, memory);
    for (const [percent, level] of [
      [14, 'warn'],
      [9, 'term'],
      [4, 'kill'],
      [60, 'none'],
    ] as const) {
      memory.set(percent);
      await guard.until(level, () => guard.of('level').at(-1)?.level === level && isDecided(guard, level));
    }
    assert.deepEqual(levels(guard), ['none warn', 'warn term', 'term kill', 'kill none']);
    // Elsewhere on this machine somebody may be ending at that moment, and is waited for.
    const decided = guard.of('round').filter(({ report }) => report.outcome !== 'in-flight');
    assert.deepEqual(
      decided.map(({ level, report }) => [level, report.outcome, report.enforce, report.kill]),
      [
        ['term', 'dry', false, null],
        ['kill', 'dry', false, null],
      ],
    );
    assert.ok(decided.every(({ report }) => report.victim!.tgid > 1));
    assert.equal((await guard.stop()).ended, 0);
  });

  test('in words: a line for the level, and one for whom it would kill', async (t) => {
    const memory = new FakeMemory(t, 9);
    const guard = await watch(t, memory, { inWords: true });
    await guard.until('the decision', () => guard.said.some((line) => line.startsWith('would ')));
    assert.match(guard.said[6]!, /^term: memory: 1440 MiB \(9\.0 %\) available, no swap that counts$/);
    const first = guard.said.find((line) => line.startsWith('would '));
    assert.match(first!, /^would send SIGTERM to \d+ \(.*\): gives back [\d.]+ \wiB, .* points$/);
    await guard.stop();
    assert.equal(guard.said.at(-1), 'SIGTERM: stopped');
  });

  test('a line about memory every -r seconds', async (t) => {
    const guard = await watch(t, new FakeMemory(t, 60), { args: ['-r', '1'] });
    await guard.until('two of them', () => guard.of('report').length >= 2);
    const [first, second] = guard.of('report');
    assert.match(first!.words, /^memory: 9600 MiB \(60\.0 %\) available/);
    assert.ok((second!.readings as number) > (first!.readings as number));
  });

  test('memory that cannot be read: refused at the start with code 13, later said once and once when it is over', async (t) => {
    const memory = new FakeMemory(t, 60);
    const guard = await watch(t, memory);
    memory.empty();
    await guard.until('unreadable', () => guard.of('unreadable').length > 0);
    assert.match(guard.of('unreadable')[0]!.error!, /meminfo/);
    const late = await startGuardProcess(t, { args: SYSTEM, through: memory.through });
    assert.equal(await new Promise((resolve) => late.child.once('close', resolve)), 13);
    assert.match(late.stderr, /^badness: pressure (of system )?cannot be read: .*meminfo/);
    memory.set(9);
    await guard.until('a round', () => guard.rounds.length > 0);
    const kinds = guard.lines.map(({ kind }) => kind as string).filter((kind) => kind !== 'note');
    assert.deepEqual(kinds.slice(0, 5), ['start', 'unreadable', 'unreadable', 'level', 'round'], guard.told());
    assert.equal(guard.of('unreadable')[1]!.error, null);
  });
});

describe('how guard ends, and who cannot hold it up', { skip }, () => {
  for (const native of ['auto', 'none']) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      test(`${signal} ends it at once, with code 0 (native ${native})`, async (t) => {
        const guard = await runGuard(t, { args: [...SYSTEM, '--native', native] });
        const { ended, ms } = await guard.stop(signal);
        assert.deepEqual([ended, guard.stderr], [0, '']);
        assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
      });
    }
  }

  /** Nothing that it says can tell: when it reads memory, it has begun. */
  const readsMemory = (pid: number) =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === '/proc/meminfo';
      } catch {
        return false;
      }
    });

  for (const inWords of [true, false]) {
    test(`a pipe that nobody reads does not (${inWords ? 'words' : 'json'})`, async (t) => {
      const pipe = new StuckPipe(t);
      pipe.fill();
      // Always short of memory, so that there is something to be said.
      const guard = await startGuardProcess(t, { args: [...SYSTEM, '-m', '100'], inWords }, pipe.writer);
      await guard.until('it guards', () => readsMemory(guard.child.pid!));
      const { ended, ms } = await guard.stop();
      assert.deepEqual([ended, pipe.drain()], [0, '']);
      assert.ok(ms < AT_ONCE_MS, `${ms} ms`);
    });
  }

  test('a socket that nobody reads, such as that of a journal, does not', async (t) => {
    const command = [process.execPath, 'dist/cli.js', 'guard', ...SYSTEM, '-m', '100', '--control', 'none'];
    const outer = spawn(process.execPath, ['-e', FILL_AND_RUN, ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => outer.kill('SIGKILL'));
    const pid = Number(await new Promise((resolve) => outer.stderr.once('data', resolve)));
    t.after(() => isRunning(pid) && process.kill(pid, 'SIGKILL'));
    const end = Date.now() + PATIENCE_MS;
    while (!readsMemory(pid) && Date.now() < end) await new Promise((look) => setTimeout(look, 2));
    const began = performance.now();
    process.kill(pid, 'SIGTERM');
    assert.equal(await new Promise((resolve) => outer.once('exit', resolve)), 0);
    assert.ok(performance.now() - began < AT_ONCE_MS);
  });

  test('a reader that has gone does not', async (t) => {
    const guard = await runGuard(t, { args: [...SYSTEM, '-m', '100'] });
    guard.child.stdout!.destroy();
    const { ended } = await guard.stop();
    assert.equal(ended, 0);
  });
});
