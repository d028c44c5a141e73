/** `badness record`, and commands that read a recording in place of a machine. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseRecording, RecordedFiles } from '../../src/recording/index.js';
import { Redactor } from '../../src/recording/redact.js';
import { badness, records, shell } from './support/badness.js';
import { ownFolder } from './support/own-folder.js';

const GROUP = 'tests/fixtures/limited-group.proc';

/** A child with a name and arguments of its own, of this test alone. */
async function startNamed(t: TestContext): Promise<number> {
  const child = spawn(
    process.execPath,
    ['-e', 'process.title="secret-name";console.log(1);setTimeout(()=>{},60000)', 'secret-argument'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child.pid!;
}

test('record: one snapshot of this machine goes to standard output, and ranks as the machine does', async (t) => {
  const pid = await startNamed(t);
  const { status, stdout } = badness(['record']);
  assert.equal(status, 0);
  const recording = parseRecording(stdout);
  assert.equal(recording.isComplete, true);
  assert.equal(recording.snapshots.length, 1);
  const files = new RecordedFiles(recording);
  assert.match(files.text(`/proc/${pid}/cmdline`), /secret-/);
  assert.equal(files.owner(`/proc/${pid}`), process.getuid!());
  assert.ok(files.list('/proc').includes(String(process.pid)));
  const ranked = badness(['rank', '--json', '--replay', '-'], { input: stdout });
  assert.equal(ranked.status, 0, ranked.stderr);
  const [machine, ...tasks] = records(ranked.stdout);
  assert.ok((machine!.tasks as number) > 3);
  assert.ok(tasks.some(({ tgid }) => tgid === pid));
  const explained = badness(['explain', String(pid), '--replay', '-', '--scheme', 'linux-5.9', '--json'], {
    input: stdout,
  });
  const [, , terms] = records(explained.stdout);
  const score = files.text(`/proc/${pid}/oom_score`).trim();
  // The kernel's own score was read a moment later: a step of a thousandth of memory may lie between them.
  assert.ok(Math.abs(Number(score) - Number(terms!.oom_score)) <= 1, `${score} against ${terms!.oom_score}`);
});

test("record: a file is there when it is whole, is its owner's alone, and is not overwritten unasked", (t) => {
  const folder = ownFolder(t);
  const path = join(folder, 'a.proc');
  const first = badness(['record', '-o', path, '--for', '300ms', '--every', '100ms']);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /a\.proc: [2-4] snapshots of [\d,]+ tasks, \d+ ms each, \d.* [KM]iB\n$/);
  assert.deepEqual(readdirSync(folder), ['a.proc']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, 'utf8');
  assert.ok(parseRecording(text).snapshots.length >= 2);
  const second = badness(['record', '-o', path]);
  assert.equal(second.status, 2);
  assert.match(second.stderr, /is there already; --force replaces it/);
  assert.equal(readFileSync(path, 'utf8'), text);
  assert.equal(badness(['record', '-o', path, '--force']).status, 0);
  assert.equal(parseRecording(readFileSync(path, 'utf8')).snapshots.length, 1);
});

/** A recording that goes on, in a process of its own; resolves when a snapshot is in the file beside `path`. */
async function startRecording(t: TestContext, path: string, ...more: string[]) {
  const line = ['dist/cli.js', 'record', '-o', path, '--for', '1h', '--every', '50ms', ...more];
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'inherit', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  const part = `${path}.part-${child.pid}`;
  while (!existsSync(part) || !readFileSync(part, 'utf8').includes('\nsnapshot'))
    await new Promise((go) => setTimeout(go, 20));
  const stop = async () => {
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    return { status, stderr };
  };
  return { part, stop };
}

test('record: SIGINT ends it, and what was recorded is kept whole', async (t) => {
  const path = join(ownFolder(t), 'a.proc');
  const { part, stop } = await startRecording(t, path);
  assert.equal(existsSync(path), false);
  assert.equal((await stop()).status, 0);
  assert.equal(parseRecording(readFileSync(path, 'utf8')).isComplete, true);
  assert.equal(existsSync(part), false);
});

test('record: where somebody has put another file meanwhile, that one stays, and it is said where the recording is', async (t) => {
  const path = join(ownFolder(t), 'a.proc');
  const { part, stop } = await startRecording(t, path);
  writeFileSync(path, 'of somebody');
  const { status, stderr } = await stop();
  assert.equal(stderr, `badness: ${path} is there by now; the recording is ${part}\n`);
  assert.equal(status, 2);
  assert.equal(readFileSync(path, 'utf8'), 'of somebody');
  assert.equal(parseRecording(readFileSync(part, 'utf8')).isComplete, true);
});

test('record --force: what no file can replace stays, and it is said where the recording is', async (t) => {
  const path = join(ownFolder(t), 'a.proc');
  const { part, stop } = await startRecording(t, path, '--force');
  mkdirSync(path);
  const { status, stderr } = await stop();
  assert.equal(stderr, `badness: expected to write ${path}, got EISDIR; the recording is ${part}\n`);
  assert.equal(status, 7);
  assert.equal(parseRecording(readFileSync(part, 'utf8')).isComplete, true);
});

test('record: a file that can grow no more is named, and nothing of it remains', (t) => {
  const folder = ownFolder(t);
  const { status, stderr } = shell(`ulimit -f 1; badness record -o ${folder}/a.proc`);
  assert.equal(stderr, `badness: expected to write ${folder}/a.proc, got EFBIG\n`);
  assert.equal(status, 7);
  assert.deepEqual(readdirSync(folder), []);
});

test('record --redact: names, commands, users and cgroups are gone for good', async (t) => {
  await startNamed(t);
  const { stdout } = badness(['record', '--redact']);
  assert.doesNotMatch(stdout, /secret|-e\b/);
  assert.match(stdout, /^# Redacted:.*\n# Left as they are: pids/m);
  const recording = parseRecording(stdout);
  assert.deepEqual(recording.facts.redacted, ['names', 'commands', 'users', 'cgroups']);
});

test('redact: the same name becomes the same other name, and nothing that decides changes', () => {
  const files = new RecordedFiles(
    parseRecording(`badness-recording 1
snapshot monotonic_ms 1
/proc/5/stat
  5 (my \\\\app) S 1 5 5 0 -1 4194304 1 0 0 0 7 8 0 0 20 0 1 0 99 4096 1 18446744073709551615 11 22 33 44 55 0 0 0 0 66 0 0 17 1 0 0 0 0 0 77 88 99 1 2 3 4 0
/proc/5/status
  Name:\\tmy \\\\\\\\app
  Uid:\\t1000\\t1001\\t1000\\t1000
/proc/5/cmdline
  /opt/my\\x00--key=hush\\x00/opt/my\\x00\\
/proc/5/exe -> /opt/my
/proc/5/cgroup
  4:memory:/user/ada/x
  0::/user
/proc/5 owner 1000
/proc/6/stat
  6 (sshd) S 1
/proc/6 owner 0
/sys/fs/cgroup/memory/user/ada/memory.usage_in_bytes
  5
end
`),
  );
  const redactor = new Redactor();
  const { entries, owners } = redactor.state({
    ...files.moment,
    entries: files.entries,
    owners: files.owners,
    facts: files.facts,
  });
  const text = (path: string) => (entries.get(path) as { bytes: string }).bytes;
  assert.equal(
    text('/proc/5/stat'),
    '5 (task1) S 1 5 5 0 -1 4194304 1 0 0 0 7 8 0 0 20 0 1 0 99 4096 1 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n',
  );
  assert.equal(text('/proc/5/status'), 'Name:\ttask1\nUid:\t100001\t100002\t100001\t100001\n');
  assert.equal(text('/proc/5/cmdline'), 'word1\0word2\0word1\0');
  assert.deepEqual(entries.get('/proc/5/exe'), { kind: 'link', target: '/program1' });
  assert.equal(text('/proc/5/cgroup'), '4:memory:/group1/group2/group3\n0::/group1\n');
  assert.equal(text('/proc/6/stat'), '6 (sshd) S 1\n');
  assert.deepEqual(
    [...owners],
    [
      ['/proc/5', 100_001],
      ['/proc/6', 0],
    ],
  );
  assert.equal(text('/sys/fs/cgroup/memory/group1/group2/memory.usage_in_bytes'), '5\n');
  assert.equal(
    redactor.facts({ domain: { kind: 'memcg', version: 1, dir: '/sys/fs/cgroup/memory/user/ada' } }).domain.kind,
    'memcg',
  );
});

test('replay: rank, compare and explain take a snapshot by number, by time, and the last by default', () => {
  const ask = (line: string) => records(shell(`badness ${line} --replay ${GROUP} --json`).stdout);
  const uptime = (at: string) => ask(`rank -n 1 ${at}`)[0]!.uptime_s;
  assert.equal(uptime('--at 1'), uptime('--at first'));
  assert.equal(uptime('--at 999ms'), uptime('--at first'));
  assert.equal(uptime('--at 2'), uptime('--at 1.5s'));
  assert.equal(uptime(''), uptime('--at last'));
  assert.notEqual(uptime('--at 1'), uptime(''));
  assert.equal(ask('rank -n 1')[1]!.cgroup, '/group1');
  assert.ok(ask('compare').length > 5);
  const victim = ask('rank')[0]!.victim;
  assert.equal(ask(`explain ${victim}`)[1]!.tgid, victim);
});

test('replay: a guard that watches a recording says when it would have killed whom', () => {
  const { status, stdout } = shell(`badness guard --replay ${GROUP}`);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^badness \S+ replays \S+: 5 snapshots over 4\.0 s of memcg \/sys\/fs\/cgroup\/memory\/group1; memory: /,
  );
  assert.match(stdout, /^\+4\.\d{3}s would send SIGTERM to \d+ \(task3\): gives back 186 MiB/m);
  assert.match(stdout, /a dry run: nobody was signalled\n$/);
  const [start, ...events] = records(shell(`badness guard --replay ${GROUP} --json`).stdout);
  assert.equal(start!.snapshots, 5);
  assert.match(String(events.find(({ kind }) => kind === 'round')!.digest), /^[0-9a-f]{16}$/);
  assert.match(shell(`badness guard --replay ${GROUP} -m 1`).stdout, /nobody would have been killed\n$/);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`guard --replay: ${signal} ends it at once, also while its recording is being read`, async (t) => {
    const policy = join(ownFolder(t), 'a.toml');
    writeFileSync(policy, 'version = 1\n');
    const child = spawn(process.execPath, ['dist/cli.js', 'guard', '--replay', '-', '--policy', policy], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    t.after(() => child.kill('SIGKILL'));
    child.stdin.on('error', () => {});
    // More than a pipe holds: when all of it is written the command is reading.
    const beginning = `badness-recording 1\n${'# and so on\n'.repeat(1 << 18)}`;
    await new Promise((written) => child.stdin.write(beginning, written));
    child.kill(signal);
    child.stdin.end();
    const [, endedBy] = await once(child, 'close');
    assert.equal(endedBy, signal);
  });
}

const REFUSED: [line: string, status: number, stderr: RegExp][] = [
  [`rank --replay ${GROUP} --at 6`, 2, /--at must be a snapshot 1\.\.5, got 6/],
  [`rank --replay ${GROUP} --at soon`, 2, /--at must be the number of a snapshot .* got "soon"/],
  ['rank --at 1', 2, /--at goes with --replay/],
  [`rank --replay ${GROUP} --tasks x`, 2, /exclude each other/],
  ['rank --replay /nowhere', 7, /expected a recording at \/nowhere, got ENOENT/],
  ['rank --replay package.json', 6, /line 1: expected badness-recording 1 first/],
  [`guard --replay ${GROUP} --enforce`, 2, /--enforce is for a running machine/],
  ['record --every 1s', 2, /--every goes with --for/],
  ['record --for 5', 2, /--for must be a span such as 60s/],
  ['record --native maybe', 2, /--native must be one of auto, none, got "maybe"/],
  ['record --force', 2, /--force goes with -o/],
  ['record -o /nowhere/a.proc', 7, /expected to write \/nowhere\/a\.proc, got ENOENT/],
  [`guard --replay ${GROUP} -r 5`, 2, /--report is for a running machine/],
  [`rank --replay ${GROUP} --uptime 5`, 2, /--uptime goes with --tasks; a machine and a recording say their own/],
  [
    'record --domain memcg:group',
    2,
    /^badness: policy\.domain\.memcg must be the absolute path of a cgroup, .* got "group"/,
  ],
  ['record --domain descendants:0,1GiB', 2, /^badness: policy\.domain\.descendantsOf must be an integer 1\.\./],
  ['record --domain memcg:/no/such/group', 13, /is not there or has no memory limit/],
];

for (const [line, status, stderr] of REFUSED) {
  test(`record, replay: ${line} is refused in words`, () => {
    const ran = shell(`badness ${line}`);
    assert.match(ran.stderr, stderr);
    assert.equal(ran.status, status);
    assert.equal(ran.stdout, '');
  });
}

test('replay: what a recording of somebody else names its domain reaches the terminal as text and no more', () => {
  const input = readFileSync(GROUP, 'utf8').replaceAll('memory/group1', 'memory/\\x1b]0;title\\x07');
  for (const args of [['guard'], ['preview', '--available', '5%']]) {
    const { status, stdout } = badness([...args, '--replay', '-'], { input });
    assert.equal(status, 0);
    assert.match(stdout, /memory\/\\e\]0;title\\x07/);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u);
  }
});

test('replay: a plug-in is not asked, and that is said', (t) => {
  const policy = join(ownFolder(t), 'a.toml');
  writeFileSync(policy, 'version = 1\nscheme = { wasm = "/own.wasm", fallback = "resident" }\n');
  for (const command of ['guard', 'preview --available 5%']) {
    const { status, stdout, stderr } = shell(`badness ${command} --replay ${GROUP} --policy ${policy}`);
    assert.equal(stderr, 'badness: plug-in /own.wasm is not asked here: scheme resident counts\n');
    assert.match(stdout, /scheme\s+resident/);
    assert.equal(status, 0);
  }
});

test('replay: a recording that was cut off is read, and that is said', () => {
  const text = readFileSync(GROUP, 'utf8').replace(/end\n$/, '');
  const ran = badness(['rank', '--replay', '-', '-n', '1'], { input: text });
  assert.equal(ran.status, 0);
  assert.match(ran.stderr, /- was cut off/);
});
