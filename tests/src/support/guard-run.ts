// badness guard and badness ctl as they are shipped, started by a test and gone with it. The guards are dry: nobody is signalled.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { within } from './control-scene.js';
import { ownFolder } from './own-folder.js';

export const CLI = 'dist/cli.js';

export interface Ids {
  readonly uid?: number;
  readonly gid?: number;
}

const NOBODY = 65_534;

/** A user who is not root: this one, else nobody. Null where nobody may not read what was built. */
export function plainUser(): Ids | null {
  if (process.getuid?.() !== 0) return {};
  const ids = { uid: NOBODY, gid: NOBODY };
  return spawnSync(process.execPath, [CLI, '--version'], ids).status === 0 ? ids : null;
}

export interface Run {
  readonly child: ChildProcess;
  /** What it has said, in whole lines. */
  text: string;
  errors: string;
  until(pattern: RegExp): Promise<string>;
  /** Sends SIGTERM. The exit code. */
  stop(): Promise<number | null>;
  readonly exit: Promise<number | null>;
}

/** A command that goes on, in the name of a user where that is said. */
export function start(t: TestContext, args: string[], env: NodeJS.ProcessEnv = process.env, ids: Ids = {}): Run {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env, ...ids });
  t.after(() => child.kill('SIGKILL'));
  // With all that it said: the end of a process may be heard of before its last words.
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout });
  const run: Run = {
    child,
    text: '',
    errors: '',
    exit,
    until: (pattern) =>
      within(
        new Promise<string>((resolve) => {
          const look = () => pattern.test(run.text) && resolve(run.text);
          lines.on('line', look);
          look();
        }),
      ),
    stop() {
      child.kill('SIGTERM');
      return within(exit);
    },
  };
  lines.on('line', (line) => {
    run.text += `${line}\n`;
  });
  child.stderr.on('data', (data: Buffer) => {
    run.errors += data.toString();
  });
  return run;
}

export async function startGuard(t: TestContext, ...more: string[]): Promise<Run & { path: string }> {
  const path = join(ownFolder(t), 'run', 'c.sock');
  const run = start(t, ['guard', '-r', '0', '--domain', 'system', '--control', path, ...more]);
  await run.until(/control: .*\n|"kind":"start"/);
  return Object.assign(run, { path });
}

/** A child of the test that does nothing. */
export function sleeper(t: TestContext): number {
  const child = spawn('sleep', ['300']);
  t.after(() => child.kill('SIGKILL'));
  return child.pid!;
}

/** A command in the same time as this process goes on: the socket may be its own. */
export function ctl(path: string, ...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'ctl', ...args, '--control', path], (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}
