// One process of tests/real/hostile.c, started by the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { PATIENCE_MS } from '../../src/support/patience.js';
import type { MemoryCgroup } from './own-cgroup.js';

export interface HostileProcess {
  readonly pid: number;
  /** Another task on the same memory, when it has one. */
  readonly otherPid: number | null;
  /** Neither exited nor killed. */
  running(): boolean;
  /** SIGKILL to it; for the end of a test. */
  end(): void;
}

export interface HostileStart {
  readonly binary: string;
  readonly kind: string;
  readonly mib: number;
  readonly argument?: number;
  readonly uid?: number;
  readonly cgroup?: MemoryCgroup;
}

/** Starts one and returns when it holds its memory. It is in its cgroup before it takes any. */
export function startHostile(start: HostileStart): Promise<HostileProcess> {
  const { uid } = start;
  const child = spawn(
    start.binary,
    [start.kind, String(start.mib), ...(start.argument === undefined ? [] : [String(start.argument)])],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    },
  );
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error(`hostile ${start.kind} was not ready in time`)), PATIENCE_MS);
    const fail = (error: Error) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(error);
    };
    child.once('error', fail);
    child.once('exit', (code, signal) => fail(new Error(`hostile ${start.kind} ended early: ${code ?? signal}`)));
    child.once('spawn', () => {
      if (start.cgroup) start.cgroup.add(child.pid!);
      child.stdin!.end('\n');
    });
    child.stdin!.on('error', () => {});
    child.stdout!.once('data', (data: Buffer) => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve(handle(child, Number(/^READY (\d+)/.exec(String(data))?.[1] ?? 0)));
    });
  });
}

function handle(child: ChildProcess, other: number): HostileProcess {
  return {
    pid: child.pid!,
    otherPid: other || null,
    running: () => child.exitCode === null && child.signalCode === null,
    end: () => {
      child.kill('SIGKILL');
    },
  };
}
