/**
 * Where there is no Linux: what needs none works, everything else says ENOTLINUX in words. In processes that are told another platform
 * and that find nothing below /proc and /sys.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** As it is. */
const HERE = 'here';
const PLATFORMS = ['darwin', 'win32'];
const NOT_LINUX = 'expected a Linux /proc at /proc, found none; give tasks instead';
const NOT_LINUX_EXIT = 5;
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };
const entries = Object.keys(exports).filter((name) => !/\.\w+$|\*$/.test(name));

function run(platform: string, ...args: string[]) {
  const env = { ...process.env, ELSEWHERE: platform, BADNESS_CONTROL: 'none', NO_COLOR: '1' };
  const told = platform === HERE ? [] : ['--require', './tests/src/support/elsewhere.cjs'];
  return spawnSync(process.execPath, [...told, ...args], { encoding: 'utf8', env, input: '' });
}

/** What a program prints, as JSON. */
function printed<T>(platform: string, program: string): T {
  const { status, stdout, stderr } = run(platform, '--input-type=module', '-e', program);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as T;
}

/** Calls of badness/linux that need Linux. Nobody is signalled if one of them went on: policies are dry, and the victim is the caller's own. */
const CALLS = [
  'readTasks(engine)',
  'readMachine()',
  'new ProcScanner(engine).decide()',
  "startGuard({ domain: 'system' })",
  "startGuard({ domain: { descendantsOf: process.pid, budget: '1GiB' } })",
  "openLinuxGuard({ policy, for: 'library' })",
  'killRound(engine, { policy })',
  'rankedPids(engine, { policy })',
  'new Recorder(engine)',
];

for (const platform of PLATFORMS) {
  test(`elsewhere (${platform}): every entry loads, and reads nothing below /proc and /sys`, () => {
    assert.ok(entries.length >= 7, 'the entries of the package');
    // One after the other in one process: each is a file of its own, and what is missed is counted for all of them.
    const names = JSON.stringify(entries.map((entry) => entry.replace(/^\./, 'badness')));
    const program = `
      const missed = [];
      for (const name of ${names}) {
        await import(name);
        if (globalThis.missed.length > 0) missed.push(name, ...globalThis.missed.splice(0));
      }
      console.log(JSON.stringify([process.platform, missed]));`;
    assert.deepEqual(printed(platform, program), [platform, []]);
  });

  test(`elsewhere (${platform}): what needs Linux says ENOTLINUX in words`, () => {
    const program = `
      import * as linux from 'badness/linux';
      import { openEngine } from 'badness';
      import { definePolicy } from 'badness/policy';
      const { readTasks, readMachine, ProcScanner, startGuard, openLinuxGuard, killRound, rankedPids, Recorder } = linux;
      const engine = await openEngine();
      const policy = definePolicy({ domain: 'system' });
      const errors = [];
      const calls = [${CALLS.map((call) => `() => ${call}`).join(', ')}];
      for (const call of calls) {
        try { await call(); errors.push(null); } catch (error) { errors.push([error.name, error.code, error.message]); }
      }
      console.log(JSON.stringify(errors));`;
    const expected = CALLS.map(() => ['BadnessError', 'ENOTLINUX', NOT_LINUX]);
    assert.deepEqual(printed(platform, program), expected);
  });

  test(`elsewhere (${platform}): a kill is refused, and nobody is signalled`, () => {
    const program = `
      import { spawn } from 'node:child_process';
      import { killTask, loadNative } from 'badness/linux';
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)']);
      const kill = process.kill;
      const signalled = [];
      process.kill = (...args) => signalled.push(args);
      const { native, reason } = await loadNative();
      const { outcome } = await killTask({ pid: child.pid, startTimeTicks: 1 });
      process.kill = kill;
      child.kill('SIGKILL');
      console.log(JSON.stringify({ native, reason, outcome, signalled }));`;
    const reason = `no native calls on ${platform}`;
    assert.deepEqual(printed(platform, program), { native: null, reason, outcome: 'refused', signalled: [] });
  });

  test(`elsewhere (${platform}): registered tasks are shed`, () => {
    const program = `
      import { definePolicy } from 'badness/policy';
      import { guardRegistered, TaskRegistry } from 'badness/registered';
      const registry = new TaskRegistry();
      let held = 2 ** 25;
      registry.register({ name: 'cache', memory: () => held, shed: () => { const was = held; held = 0; return was; } });
      const policy = definePolicy({ domain: { registered: 'caches', budget: '16MiB' }, enforce: true });
      const victim = await new Promise(async (found) => {
        const tell = (event) => { if (event.kind === 'round') { found(event.report.victim.comm); void guard.close(); } };
        const guard = await guardRegistered({ policy, registry, leastMs: 5, keepAlive: true, tell });
      });
      console.log(JSON.stringify([victim, held, globalThis.missed]));`;
    assert.deepEqual(printed(platform, program), ['cache', 0, []]);
  });
}

const RECORDING = 'tests/fixtures/limited-group.proc';
const TASKS = 'examples/evening.ndjson';
const LIVE = ['rank', 'explain 1', 'compare', 'preview --available 5%', 'top', 'guard', 'kill', 'record', 'doctor'];
const GIVEN = [
  `rank --tasks ${TASKS}`,
  `explain 812 --tasks ${TASKS}`,
  `compare --tasks ${TASKS}`,
  ...['rank', 'compare', 'guard', 'explain 13535', 'preview --available 5%'].map(
    (command) => `${command} --replay ${RECORDING}`,
  ),
  'report tests/vectors/kmsg-6.18-memcg.txt',
  'report tests/vectors/kmsg-6.18-memcg.txt --policy examples/policy-tests/badness.toml',
  'simulate scenarios/leaking-server.toml',
  'test examples/policy-tests/badness.toml examples/policy-tests/cases/servers.toml',
  `whatif --policy examples/policy-tests/badness.toml ${RECORDING}`,
  'policy show',
  'policy schema',
  'completion bash',
  '--help',
];

/** Of this machine's answers, which are asked for once. */
const here = new Map(GIVEN.map((command) => [command, run(HERE, 'dist/cli.js', ...command.split(' '))]));

for (const platform of PLATFORMS) {
  for (const command of LIVE) {
    test(`elsewhere (${platform}): badness ${command} says that it needs Linux, and ends with ${NOT_LINUX_EXIT}`, () => {
      const { status, stdout, stderr } = run(platform, 'dist/cli.js', ...command.split(' '));
      assert.deepEqual([status, stdout, stderr], [NOT_LINUX_EXIT, '', `badness: ${NOT_LINUX}\n`]);
    });
  }

  for (const [command, { stdout }] of here) {
    test(`elsewhere (${platform}): badness ${command} answers as here`, () => {
      assert.ok(stdout.length > 50, stdout);
      const there = run(platform, 'dist/cli.js', ...command.split(' '));
      assert.deepEqual([there.status, there.stdout, there.stderr], [0, stdout, '']);
    });
  }
}
