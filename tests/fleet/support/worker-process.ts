/** `badness fleet worker` as a process of a test's own, killed with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Scope } from './nats-server.js';

export interface WorkerProcess {
  /** Recordings that it was done with. */
  readonly done: string[];
  /** kill −9. */
  kill(): Promise<void>;
}

export function startWorker(t: Scope, url: string, jobs = 1): WorkerProcess {
  const args = ['dist/cli.js', 'fleet', 'worker', '--fleet', url, '--jobs', String(jobs), '--json'];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const done: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    done.push((JSON.parse(line) as { recording: string }).recording);
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  t.after(kill);
  return { done, kill };
}
