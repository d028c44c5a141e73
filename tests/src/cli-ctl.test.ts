// badness ctl against a guard that runs, as they are shipped: what it says, its exit codes, one line for whatever goes wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseRecording, RecordedFiles } from '../../src/recording/index.js';
import { badness } from './support/badness.js';
import { get, within } from './support/control-scene.js';
import { CLI, ctl, sleeper, start, startGuard } from './support/guard-run.js';
import { ownFolder } from './support/own-folder.js';
import { PATIENCE_MS } from './support/patience.js';

const skip = process.platform !== 'linux' && 'needs Linux';

/** The queue, once it is so. */
async function queueWhen(path: string, isSo: (text: string) => boolean): Promise<string> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const { body } = await get(path, '/oom');
    if (isSo(body)) return body;
    assert.ok(Date.now() < end, `the queue stays ${JSON.stringify(body)}`);
    await new Promise((later) => setTimeout(later, 20));
  }
}

describe('ctl: a guard that runs', { skip }, () => {
  test('the queue is read, written, refused by name, and cleared', async (t) => {
    const { path } = await startGuard(t);
    const [one, two] = [sleeper(t), sleeper(t)];
    assert.deepEqual(await ctl(path, 'oom'), { status: 0, stdout: '\n', stderr: '' });
    assert.deepEqual(await ctl(path, 'oom', String(two), String(one)), { status: 0, stdout: '', stderr: '' });
    assert.equal((await ctl(path, 'oom')).stdout, `${two} ${one}\n`);
    const gone = await ctl(path, 'oom', String(one), '4194304');
    assert.deepEqual([gone.status, gone.stderr], [3, 'badness: ESRCH: no task has the id 4194304\n']);
    assert.equal((await ctl(path, 'oom', '1')).status, 17);
    assert.equal((await ctl(path, 'oom')).stdout, `${two} ${one}\n`);
    assert.equal((await ctl(path, 'oom', '--clear')).status, 0);
    assert.equal((await ctl(path, 'oom')).stdout, '\n');
  });

  test('protect, status, unprotect', async (t) => {
    const { path } = await startGuard(t);
    const pid = sleeper(t);
    assert.equal((await ctl(path, 'protect', String(pid))).status, 0);
    assert.match((await ctl(path, 'status')).stdout, new RegExp(`\n${String(pid).padEnd(10)} sleep {11} ?\n$`));
    assert.match((await ctl(path, 'state')).stdout, /protected: 1 task\n$/);
    const explained = JSON.parse((await get(path, `/explain/${pid}`)).body.split('\n')[1]!);
    assert.equal(explained.reason, 'protected');
    assert.equal((await ctl(path, 'unprotect', String(pid))).status, 0);
    assert.doesNotMatch((await ctl(path, 'status')).stdout, new RegExp(`^${pid} `, 'm'));
    for (const ask of ['protect', 'unprotect']) {
      assert.deepEqual(await ctl(path, ask, '4194304'), {
        ...{ status: 3, stdout: '', stderr: 'badness: ESRCH: no task has the id 4194304\n' },
      });
    }
  });

  test('a round by hand chooses, is told to all who listen, and stands among the decisions', async (t) => {
    const guard = await startGuard(t, '--json');
    const { path } = guard;
    const listeners = [
      start(t, ['ctl', 'events', '--json', '--control', path]),
      start(t, ['ctl', 'events', '--control', path]),
    ];
    while (JSON.parse((await get(path, '/state')).body).control.readers < 2)
      await new Promise((later) => setTimeout(later, 20));
    const round = await ctl(path, 'round', '--json');
    // Others on this machine may be killing at that moment.
    assert.ok([0, 12].includes(round.status), `${round.status} ${round.stderr}`);
    const { outcome, enforce, domain } = JSON.parse(round.stdout);
    assert.deepEqual([outcome, enforce, domain], [round.status === 0 ? 'dry' : 'in-flight', false, 'system']);
    const told = JSON.parse(
      (await listeners[0]!.until(/"kind":"round".*\n/)).split('\n').find((line) => line.includes('"round"'))!,
    );
    assert.deepEqual([told.report.outcome, told.asked], [outcome, true]);
    await listeners[1]!.until(new RegExp(` asked for: ${outcome}: .* ms\n`));
    assert.match(
      (await ctl(path, 'decisions', '-n', '1')).stdout,
      new RegExp(`^\\S+Z #0 asked for: ${outcome}: .* ms\n$`),
    );
    assert.match((await ctl(path, 'decision', '0')).stdout, / #0 asked for: /);
    const exported = await ctl(path, 'decision', '0', '--to-proc');
    const recording = parseRecording(exported.stdout);
    assert.equal(recording.isComplete, true);
    const { report } = JSON.parse(new RecordedFiles(recording).facts.decision!);
    assert.equal(report.outcome, outcome);
    const replayed = badness(['rank', '--replay', '-', '--json', '-n', '0'], { input: exported.stdout });
    if (report.victim) assert.equal(JSON.parse(replayed.stdout).victim, report.victim.tgid);
    assert.equal((await ctl(path, 'decision', '77', '--to-proc')).status, 17);
    assert.equal(
      JSON.parse((await ctl(path, 'decisions', '--json')).stdout.split('\n').at(-2)!).report.outcome,
      outcome,
    );
    assert.match(guard.text, /"kind":"round"/);
    assert.equal(await guard.stop(), 0);
    // They hear that it has ended, and end.
    for (const { exit } of listeners) assert.equal(await within(exit), 0);
    assert.equal(existsSync(path), false);
  });

  test('oom --feed keeps the queue filled from another process, and empties it at the end', async (t) => {
    const { path } = await startGuard(t);
    const feed = start(t, [
      'ctl',
      'oom',
      '--feed',
      '-n',
      '3',
      '--every',
      '100',
      '--scheme',
      'resident',
      '--control',
      path,
    ]);
    assert.match(await feed.until(/\n/), /^feeding .*: the 3 worst by scheme resident, every 100 ms\n$/);
    assert.match(await queueWhen(path, (text) => text !== '\n'), /^\d+( \d+){0,2}\n$/);
    const mine = sleeper(t);
    await ctl(path, 'oom', String(mine));
    // Its next list takes the place.
    await queueWhen(path, (text) => text !== `${mine}\n`);
    assert.equal(await feed.stop(), 0);
    assert.equal((await ctl(path, 'oom')).stdout, '\n');
  });

  test('oom --feed: a list that nobody renews any more does not last', async (t) => {
    const { path } = await startGuard(t);
    const feed = start(t, ['ctl', 'oom', '--feed', '--every', '100', '--control', path]);
    await feed.until(/feeding/);
    feed.child.kill('SIGKILL');
    await feed.exit;
    const end = Date.now() + PATIENCE_MS;
    while (!JSON.parse((await get(path, '/state')).body).queue_stale) {
      assert.ok(Date.now() < end, 'it lasts');
      await new Promise((later) => setTimeout(later, 20));
    }
    assert.match((await ctl(path, 'state')).stdout, /queue: \d+ tasks?, out of date;/);
  });

  test('oom --feed goes on for as long as it likes, and says nothing more', async (t) => {
    const { path } = await startGuard(t);
    const feed = start(t, ['ctl', 'oom', '--feed', '--every', '20', '--control', path]);
    await feed.until(/feeding/);
    // More than the eleven listeners at which Node warns of a leak.
    while (JSON.parse((await get(path, '/state')).body).control.requests < 60) {
      await new Promise((later) => setTimeout(later, 20));
    }
    assert.equal(await feed.stop(), 0);
    assert.equal(feed.errors, '');
  });

  test('oom --feed ends when the guard does', async (t) => {
    const guard = await startGuard(t);
    const { path } = guard;
    const feed = start(t, ['ctl', 'oom', '--feed', '--every', '50', '--control', path]);
    await feed.until(/feeding/);
    await guard.stop();
    assert.equal(await within(feed.exit), 15);
    assert.match(feed.errors, /^badness: E\w+: [^\n]+\n$/);
  });
});

describe('ctl: what goes wrong has one line and a code', { skip }, () => {
  test('nowhere to ask is said with its reason, and after what is wrong with the command line', () => {
    for (const line of ['oom x', 'protect', 'decisions -n 65', 'oom --feed --every 1']) {
      assert.equal(badness(['ctl', ...line.split(' '), '--control', 'none']).status, 2, line);
    }
    for (const line of ['oom', 'oom --feed', 'events', 'protect 5']) {
      const { status, stderr } = badness(['ctl', ...line.split(' '), '--control', 'none']);
      assert.equal(status, 15, line);
      assert.match(
        stderr,
        /^badness: no control socket: none was asked for, by --control or BADNESS_CONTROL; [^\n]+\n$/,
      );
    }
  });

  test('whatever answers, nothing in it reaches the terminal as more than text; a recording is left as it is', async (t) => {
    const evil = '\u001b]0;title\u0007 \u009b31m \u202e\n';
    const server = createServer((_, response) => response.end(evil));
    const path = join(ownFolder(t), 'evil.sock');
    await new Promise<void>((listening) => server.listen(path, listening));
    t.after(() => server.close());
    for (const ask of ['oom', 'status']) {
      assert.equal((await ctl(path, ask)).stdout, '\\e]0;title\\x07 \\u{9b}31m \\u{202e}\n', ask);
    }
    assert.equal((await ctl(path, 'decision', '1', '--to-proc')).stdout, evil);
  });

  test('no guard there is 15, a socket that may not be used is 16', async (t) => {
    const folder = ownFolder(t);
    const none = join(folder, 'none.sock');
    for (const ask of [
      ['oom'],
      ['state'],
      ['round'],
      ['events'],
      ['status'],
      ['oom', '--feed'],
      ['decisions'],
      ['protect', '5'],
    ]) {
      const { status, stdout, stderr } = badness(['ctl', ...ask, '--control', none]);
      assert.deepEqual(
        [status, stdout, stderr],
        [15, '', `badness: ENOENT: no guard listens at ${none}\n`],
        ask.join(' '),
      );
    }
    const { status, stderr } = badness(['ctl', 'oom', '--control', 'none']);
    assert.equal(status, 15);
    assert.match(stderr, /^badness: no control socket/);
    if (process.getuid?.() !== 0) return;
    const { path } = await startGuard(t);
    spawnSync('chmod', ['755', folder, join(path, '..'), join(path, '../..')]);
    const stranger = spawnSync(process.execPath, [join(process.cwd(), CLI), 'ctl', 'oom', '--control', path], {
      ...{ uid: 65_534, gid: 65_534, encoding: 'utf8' as const, cwd: '/' },
    });
    // Where the checkout cannot be read by others, Node does not even start.
    if (/Cannot find module|EACCES: permission denied, (open|lstat)/.test(stranger.stderr)) return;
    assert.deepEqual([stranger.status, stranger.stdout], [16, '']);
    assert.match(stranger.stderr, /^badness: EACCES: .* may not be used by this user\n$/);
  });

  const USAGE: [line: string, stderr: RegExp][] = [
    ['', /expected one of oom, protect, .*; see badness ctl --help/],
    ['oon', /ctl must be one of oom, .*, got "oon"/],
    ['oom x', /PID must be an integer 1\.\.4194304, got "x"/],
    ['oom 5 --clear', /oom --clear takes no PID/],
    ['oom 5 --feed', /--feed ranks by itself/],
    ['oom --every 50', /--every goes with ctl oom --feed/],
    ['oom --feed --every 1', /--every must be an integer 20\.\.60000/],
    ['oom --feed -n 5000', /-n must be an integer 1\.\.4096/],
    ['oom --json', /--json goes with ctl state, events, decisions, decision, round, not ctl oom/],
    ['status --json', /--json goes with ctl state,/],
    ['protect 5 --json', /--json goes with ctl state,/],
    ['state -n 5', /-n goes with ctl decisions and ctl oom --feed/],
    ['oom 5 -n 5', /-n goes with ctl decisions/],
    ['state --feed', /go with ctl oom, not ctl state/],
    ['protect', /ctl protect takes one PID, got 0/],
    ['unprotect 1 2', /ctl unprotect takes one PID, got 2/],
    ['status 5', /ctl status takes no operand, got "5"/],
    ['decisions -n 65', /-n must be an integer 1\.\.64/],
  ];
  for (const [line, stderr] of USAGE) {
    test(`badness ctl ${line} is a wrong command line`, () => {
      const ran = badness(['ctl', ...line.split(' ').filter(Boolean), '--control', '/nowhere/c.sock']);
      assert.match(ran.stderr, stderr);
      assert.deepEqual([ran.status, ran.stdout, ran.stderr.split('\n').length], [2, '', 2]);
    });
  }
});
