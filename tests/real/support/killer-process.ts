// The killer in a process of its own, as root or as a plain user, so that its rights are real. The test file's own bundle is started
// again with BADNESS_REAL_CHILD=killer; a whole `badness kill --enforce` can take its place behind the same interface.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { KillReport } from '../../../src/guard/kill-report.js';
import { type KillOptions, killTask } from '../../../src/linux/kill.js';
import { loadNative } from '../../../src/linux/native.js';

export interface TimedKill {
  readonly report: KillReport;
  /** When killTask was called, CLOCK_MONOTONIC in milliseconds (as {@link monotonicMs}). */
  readonly startedMs: number;
}

export interface KillerProcess {
  /** Null when there are native calls, else the reason. */
  readonly noNative: string | null;
  kill(pid: number, options: KillOptions): Promise<TimedKill>;
  end(): Promise<void>;
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts a killer; `uid` absent: as the test itself. */
export async function startKiller(
  bundle: string,
  setup: { native: 'auto' | 'none'; uid?: number },
): Promise<KillerProcess> {
  const env: NodeJS.ProcessEnv = { ...process.env, BADNESS_REAL_CHILD: 'killer', BADNESS_NATIVE: setup.native };
  delete env.NODE_TEST_CONTEXT;
  if (setup.uid !== undefined) env.BADNESS_REAL_UID = String(setup.uid);
  const child = fork(bundle, { env, execArgv: ['--enable-source-maps'], serialization: 'advanced' });
  const [hello] = (await once(child, 'message')) as [{ noNative: string | null }];
  return {
    noNative: hello.noNative,
    kill: (pid, options) => ask(child, pid, options),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function ask(child: ChildProcess, pid: number, options: KillOptions): Promise<TimedKill> {
  child.send({ pid, options });
  const [answer] = (await once(child, 'message')) as [TimedKill | { failed: string }];
  if ('failed' in answer) throw new Error(answer.failed);
  return answer;
}

/** True in the process that `startKiller` started; then the bundle serves kills instead of tests. */
export const isKillerProcess = process.env.BADNESS_REAL_CHILD === 'killer';

export async function serveKills(): Promise<void> {
  // Before the rights go: the plain user may not be able to read the directory koffi is in.
  const load = await loadNative();
  const uid = Number(process.env.BADNESS_REAL_UID ?? '-1');
  if (uid >= 0) {
    process.setgroups?.([]);
    process.setgid?.(uid);
    process.setuid?.(uid);
  }
  process.on('message', (request: { pid: number; options: KillOptions }) => {
    const startedMs = monotonicMs();
    killTask({ pid: request.pid }, request.options).then(
      (report) => process.send?.({ report, startedMs }),
      (error) => process.send?.({ failed: String(error?.stack ?? error) }),
    );
  });
  process.send?.({ noNative: load.native === null ? (load.reason ?? 'no native calls') : null });
}
