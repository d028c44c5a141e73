// The victim's pid goes to an innocent between choice and signal, within one clock tick: how often is the innocent signalled?
// With pidfds at any moment; without, at any moment up to the read of the kept descriptor that comes right before kill(2). What
// lies between that read and kill(2), a few microseconds, this path cannot close, and this test does not claim it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Identity, openIdentity } from '../../src/linux/identity.js';
import { killTask } from '../../src/linux/kill.js';
import { loadNative } from '../../src/linux/native.js';
import { realCount } from './support/count.js';
import { hostileBinary } from './support/hostile-binary.js';
import { startReuseHelper } from './support/reuse-helper.js';

interface Result {
  readonly skip?: string;
  rounds: number;
  sameTick: number;
  wrong: number;
  signalsReported: number;
  outcomes: Record<string, number>;
  moments: Record<string, number>;
}

/** With all that follow below the highest of the smallest machines. */
const FIRST_PID = 10_000;
/** Rounds that fall on a tick's edge are done again, but not for ever: most rounds for each one asked for. */
const ROUNDS_MOST = 20;

/** When the reuse happens: before the kill, or around the n-th time that the kill asks the kept descriptor. */
const MOMENTS = ['before the kill', 'before read 1', 'before read 2', 'before read 3'];
const PIDFD_MOMENTS = ['after read 1', 'after read 2', 'after read 3'];

/** The identity, with the reuse at one moment of the kill. */
function trapped(identity: Identity, moment: string, reuse: () => void): Identity {
  let reads = 0;
  return {
    ...identity,
    alive() {
      reads++;
      if (moment === `before read ${reads}`) reuse();
      const alive = identity.alive();
      if (moment === `after read ${reads}`) reuse();
      return alive;
    },
  };
}

async function inNamespace(mode: 'auto' | 'none', count: number, binary: string): Promise<Result> {
  const { native, reason } = await loadNative({ native: mode });
  const result: Result = { rounds: 0, sameTick: 0, wrong: 0, signalsReported: 0, outcomes: {}, moments: {} };
  if (mode === 'auto' && native === null) return { ...result, skip: reason ?? 'no native calls' };
  const helper = startReuseHelper(binary);
  const moments = native ? [...MOMENTS, ...PIDFD_MOMENTS] : MOMENTS;
  try {
    // Only a successor with the very same start time proves anything: the start time would tell another one apart.
    for (let round = 0; result.sameTick < count && round < count * ROUNDS_MOST; round++) {
      const pid = FIRST_PID + round;
      const moment = moments[round % moments.length]!;
      if (!helper.first(pid)) return { ...result, skip: 'ns_last_pid does not take' };
      const identity = openIdentity(pid, 'statm');
      let reused: string | null = null;
      const reuse = () => {
        reused = helper.reuse();
      };
      if (moment === MOMENTS[0]) reuse();
      const report = await killTask(
        { pid, identity: trapped(identity, moment, reuse) },
        { native: mode, termMs: 50, stuckMs: 50 },
      );
      if (reused === null || reused === 'no')
        throw new Error(`no reuse in round ${round}, ${moment}: ${JSON.stringify(report)}`);
      identity.close();
      result.rounds++;
      if (reused === 'same') result.sameTick++;
      if (helper.check() !== 'clean') result.wrong++;
      result.signalsReported += report.signals.length;
      result.outcomes[report.outcome] = (result.outcomes[report.outcome] ?? 0) + 1;
      result.moments[moment] = (result.moments[moment] ?? 0) + 1;
    }
  } finally {
    helper.end();
  }
  return result;
}

function unshareArguments(): string[] {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return ['-s', 'KILL', '280', 'unshare', ...user, '--pid', '--fork', '--kill-child', '--mount-proc'];
}

function runApart(mode: 'auto' | 'none', count: number, binary: string): Result {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    BADNESS_REAL_CHILD: `reuse ${mode} ${count}`,
    BADNESS_REAL_BINARY: binary,
  };
  delete env.NODE_TEST_CONTEXT;
  const command = [...unshareArguments(), process.execPath, '--enable-source-maps', fileURLToPath(import.meta.url)];
  const ran = spawnSync('timeout', command, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (ran.status !== 0) throw new Error(`the namespace ended with ${ran.status ?? ran.signal}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as Result;
}

function noNamespace(): string | false {
  const tried = spawnSync('timeout', [...unshareArguments(), 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? false : `no pid namespace: ${tried.stderr?.trim()}`;
}

function defineTests(): void {
  const binary = hostileBinary();
  const skip = 'skip' in binary ? binary.skip : noNamespace();
  for (const mode of ['auto', 'none'] as const) {
    test(`pid reuse within one tick: the wrong process is never signalled (${mode})`, {
      skip,
      timeout: 290_000,
    }, (t) => {
      if ('skip' in binary) return;
      const result = runApart(mode, realCount(1000), binary.path);
      if (result.skip) return t.skip(result.skip);
      t.diagnostic(JSON.stringify(result));
      assert.equal(result.sameTick, realCount(1000));
      assert.equal(result.wrong, 0);
      assert.deepEqual(result.outcomes, { gone: result.rounds });
      assert.equal(result.signalsReported, 0);
    });
  }
}

const [role, mode, count] = (process.env.BADNESS_REAL_CHILD ?? '').split(' ');
if (role === 'reuse') {
  const result = await inNamespace(
    mode === 'none' ? 'none' : 'auto',
    Number(count),
    process.env.BADNESS_REAL_BINARY ?? '',
  );
  process.stdout.write(JSON.stringify(result));
} else defineTests();
