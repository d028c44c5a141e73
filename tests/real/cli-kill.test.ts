// `badness kill --enforce`, each time in a pid namespace that holds a hog of 300 MiB, an innocent of 60 MiB, and nobody else.
// Root needed. The parts that only the library has (reactions by policy) run beside it in the same scenes.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDomain } from '../../src/domains.js';
import { type Engine, openEngine } from '../../src/index.js';
import { killRound } from '../../src/linux/kill-round.js';
import { loadNative } from '../../src/linux/native.js';
import { definePolicy, type PolicyInput } from '../../src/policy/index.js';
import { KillToken } from '../../src/token.js';
import {
  HOG_MIB,
  installCommand,
  isScene,
  noScene,
  playScene,
  runScene,
  type SceneSetup,
  type Seen,
} from './support/cli-scene.js';
import { hostileBinary } from './support/hostile-binary.js';

const NOBODY = 65534;
const PANIC_CODE = 77;
/** When SIGKILL follows SIGTERM, unless something else is said. */
const TERM_MS = 3000;

/** Roles of this bundle inside a scene: one round by the library with a policy of its own. */
const POLICIES: Record<string, PolicyInput> = {
  'round: reaction none': { enforce: true, reaction: 'none' },
  'round: after a dead holder': { enforce: true },
  'round: no victim, panic': {
    enforce: true,
    noVictim: 'panic',
    panic: { end: { exit: PANIC_CODE }, delayS: -1, handOffMs: 0 },
  },
  'round: given up': {
    enforce: true,
    limits: { react: { eachMs: 300, wholeMs: 300 } },
    escalation: { termMs: 100, stuckMs: 200 },
  },
  'round: waited for': { enforce: true, escalation: { termMs: 100, stuckMs: 20_000 } },
};

/** The word of a thread that died while its kill was in flight; its deadline has passed. */
function leaveBehind(engine: Engine): void {
  openDomain(engine, { kind: 'system' });
  const token = new KillToken(engine, 0);
  assert.ok(token.nameVictim(token.acquire(1)!, { id: 4711, startTicks: 1 }, 1));
}

async function playRound(policy: PolicyInput): Promise<void> {
  if (process.ppid !== 1) throw new Error('only inside a scene');
  const engine = await openEngine({ maxTasks: 1024 });
  if (role === 'round: after a dead holder') leaveBehind(engine);
  const report = await killRound(engine, { policy: definePolicy(policy) });
  process.stdout.write(JSON.stringify(report));
}

type Play = (t: TestContext, setup: Partial<SceneSetup> & { args: string[] }) => Seen;

function reportOf(seen: Seen) {
  assert.notEqual(seen.stdout, '', `nothing was reported: ${seen.stderr}`);
  return JSON.parse(seen.stdout);
}

/** The promise of the round: the report comes when the memory is back, not before. */
function assertReleased(seen: Seen, status = 0): void {
  const { outcome, kill } = reportOf(seen);
  assert.deepEqual([seen.status, outcome, kill.outcome, seen.stderr], [status, 'released', 'released', '']);
  assert.deepEqual([seen.hogLives, seen.innocentLives], [false, true]);
  if (seen.heldBytes !== null)
    assert.ok(seen.heldBytes < (HOG_MIB * 2 ** 20) / 10, `${seen.heldBytes} bytes were held when the report came`);
}

const signals = (seen: Seen) => reportOf(seen).kill.signals.map(({ signal }: { signal: string }) => signal);

function defineKills(play: Play, path: 'pidfd' | 'kill'): void {
  test('the hog is killed, its memory is back before the report comes, and the innocent lives', (t) => {
    const seen = play(t, { args: ['--enforce', '--json'] });
    assertReleased(seen);
    const report = reportOf(seen);
    assert.deepEqual([report.victim.tgid, report.chosen_by, report.enforce], [seen.hog, 'scheme', true]);
    assert.deepEqual([report.kill.path, signals(seen)], [path, ['SIGTERM']]);
    assert.ok(report.expected_bytes >= HOG_MIB * 2 ** 20);
    assert.ok(report.total_ms < TERM_MS, `${report.total_ms} ms`);
    t.diagnostic(`${report.total_ms} ms, freed ${report.freed_bytes}, cgroup held ${seen.heldBytes}`);
  });

  test('--signal KILL leaves SIGTERM out; the screen says what was sent and what came back', (t) => {
    const seen = play(t, { hogUid: NOBODY, args: ['--enforce', '--signal', 'KILL'] });
    assert.deepEqual([seen.status, seen.stderr, seen.hogLives, seen.innocentLives], [0, '', false, true]);
    assert.match(seen.stdout, new RegExp(`\nnext victim: ${seen.hog} \\(hostile\\): gives back 30\\d MiB, `));
    assert.match(
      seen.stdout,
      new RegExp(`\nSIGKILL to ${seen.hog} after \\d+ ms \\(by (pidfd|kill\\(2\\))\\)\nreleased after `),
    );
    assert.match(seen.stdout, /\nfreed: .*, 30\d MiB expected; /);
  });

  test('--signal KILL against a holder of CAP_SYS_RAWIO: SIGTERM there too, SIGKILL 200 ms later', (t) => {
    const seen = play(t, { hog: 'stubborn', args: ['--enforce', '--json', '--signal', 'KILL'] });
    assertReleased(seen);
    assert.deepEqual(signals(seen), ['SIGTERM', 'SIGKILL']);
    const { sigkill_ms } = reportOf(seen).kill.timings;
    assert.ok(sigkill_ms >= 195 && sigkill_ms < TERM_MS, `SIGKILL after ${sigkill_ms} ms`);
  });

  test('a hog that ignores SIGTERM gets SIGKILL after 3 s', (t) => {
    const seen = play(t, { hog: 'stubborn', args: ['--enforce', '--json'] });
    assertReleased(seen);
    assert.deepEqual(signals(seen), ['SIGTERM', 'SIGKILL']);
    const { sigkill_ms, total_ms } = reportOf(seen).kill.timings;
    assert.ok(
      sigkill_ms >= TERM_MS - 10 && total_ms < TERM_MS + 6000,
      `SIGKILL after ${sigkill_ms} ms, the end after ${total_ms} ms`,
    );
  });
}

function defineChoices(play: Play): void {
  test('without --enforce both live', (t) => {
    const seen = play(t, { args: ['--json'] });
    assert.deepEqual([seen.status, reportOf(seen).outcome, reportOf(seen).victim.tgid], [0, 'dry', seen.hog]);
    assert.deepEqual([seen.hogLives, seen.innocentLives], [true, true]);
  });
}

/** Whom a round takes when a queue, the escalation or the permissions say otherwise. */
function defineOtherEnds(play: Play): void {
  test('a queue that names the innocent first: it is killed, and the hog lives', (t) => {
    const seen = play(t, { args: ['--enforce', '--json', '--queue', 'DEAD INNOCENT HOG'] });
    const { outcome, victim, chosen_by, passed_over } = reportOf(seen);
    assert.deepEqual([outcome, victim.tgid, chosen_by], ['released', seen.innocent, 'queue']);
    assert.deepEqual(
      passed_over.map(({ reason }: { reason: string }) => reason),
      ['not there'],
    );
    assert.deepEqual([seen.status, seen.hogLives, seen.innocentLives], [0, true, false]);
  });

  test('a queue of the dead falls back to the scheme', (t) => {
    const seen = play(t, { args: ['--enforce', '--json', '--queue', 'DEAD'] });
    assertReleased(seen);
    assert.equal(reportOf(seen).chosen_by, 'scheme');
  });

  test('as a plain user against the hog of root: refused by name, and nobody dies in its place', (t) => {
    const seen = play(t, { uid: NOBODY, args: ['--enforce', '--json'] });
    const report = reportOf(seen);
    assert.deepEqual([seen.status, report.outcome, report.reason], [8, 'refused', 'EPERM']);
    assert.deepEqual([report.victim.tgid, report.kill.signals], [seen.hog, []]);
    assert.ok(
      report.kill.errors.some((one: { call: string; code: string }) => one.call === 'kill' && one.code === 'EPERM'),
    );
    assert.match(seen.stderr, /^badness: refused: \d+ \(hostile\): EPERM; nobody was signalled, and nobody else/);
    assert.deepEqual([seen.hogLives, seen.innocentLives], [true, true]);
  });

  test('nobody but init and badness itself: no victim', (t) => {
    const seen = play(t, { hog: null, args: ['--enforce', '--json'] });
    assert.deepEqual([seen.status, reportOf(seen).outcome, reportOf(seen).victim], [10, 'no-victim', null]);
    assert.equal(seen.stderr, 'badness: no victim: no task may be chosen\n');
  });
}

function defineRounds(play: Play, path: 'pidfd' | 'kill'): void {
  test('library: the reaction `none` leaves the victim alone, and says so', (t) => {
    const seen = play(t, { role: 'round: reaction none', args: [] });
    assert.deepEqual([reportOf(seen).outcome, reportOf(seen).kill], ['left-alone', null]);
    assert.deepEqual([seen.hogLives, seen.innocentLives], [true, true]);
  });

  test('library: a kill whose holder died past its deadline is ended, and the next one goes on', (t) => {
    const seen = play(t, { role: 'round: after a dead holder', args: [] });
    assertReleased(seen);
  });

  test('library: no victim, and policy answers that with a panic', (t) => {
    const seen = play(t, { hog: null, role: 'round: no victim, panic', args: [] });
    assert.equal(seen.status, PANIC_CODE, seen.stderr);
  });

  test('library: a round that stops waiting calls its kill off, sees to its end and reports it', (t) => {
    // Without kcmp the kill waits for the task that perhaps shares the memory until its own time is up, as is the round's.
    const seen = play(t, {
      hog: 'sharemm',
      role: path === 'pidfd' ? 'round: waited for' : 'round: given up',
      args: [],
    });
    const { outcome, reason, kill, totalMs } = reportOf(seen);
    assert.deepEqual([outcome, reason, kill.path], [kill.outcome, kill.reason, path]);
    const expected = path === 'pidfd' ? ['released'] : ['stuck aborted', 'stuck timeout'];
    assert.ok(expected.includes(reason === null ? outcome : `${outcome} ${reason}`), `${outcome} ${reason}`);
    assert.ok(seen.innocentLives);
    assert.ok(totalMs < 9000, `${totalMs} ms`);
  });
}

async function defineTests(): Promise<void> {
  const binary = hostileBinary();
  const skip = 'skip' in binary ? binary.skip : noScene();
  const folder = skip === false ? installCommand() : '';
  for (const native of ['auto', 'none'] as const) {
    const { native: calls, reason } = await loadNative({ native });
    const missing = native === 'auto' && calls === null ? (reason ?? 'no native calls') : false;
    const name = native === 'auto' ? 'koffi' : 'none';
    describe(`badness kill --enforce in a namespace of its own (${name})`, { skip: skip || missing }, () => {
      const play: Play = (_t, setup) =>
        runScene(fileURLToPath(import.meta.url), {
          ...{ binary: 'path' in binary ? binary.path : '', folder, native, hog: 'plain' },
          ...setup,
        });
      const path = native === 'auto' ? 'pidfd' : 'kill';
      defineKills(play, path);
      defineChoices(play);
      defineOtherEnds(play);
      defineRounds(play, path);
    });
  }
}

const role = process.env.BADNESS_REAL_CHILD ?? '';
if (isScene) await playScene();
else if (role in POLICIES) await playRound(POLICIES[role]!);
else await defineTests();
