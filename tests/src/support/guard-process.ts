/** A `badness guard` of the test's own: the built command, and what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from './patience.js';

/** One object of its --json output; which keys it has depends on its kind. */
export interface GuardLine {
  readonly kind: 'start' | 'level' | 'unreadable' | 'round' | 'failed' | 'resumed' | 'report' | 'dropped';
  readonly at_ms: number;
  readonly level: string;
  readonly was: string;
  readonly words: string;
  readonly error: string | null;
  readonly report: RoundLine;
  readonly [key: string]: unknown;
}

/** What the tests read of a round. */
export interface RoundLine {
  readonly outcome: string;
  readonly reason: string | null;
  readonly enforce: boolean;
  readonly victim: { readonly tgid: number; readonly comm: string } | null;
  readonly kill: KillLine | null;
  readonly freed_bytes: number | null;
}

export interface KillLine {
  readonly signals: readonly { readonly tgid: number; readonly signal: string; readonly at_ms: number }[];
  readonly timings: { readonly released_ms: number | null };
}

export interface GuardStart {
  readonly args: readonly string[];
  /** Words for people instead of JSON. */
  readonly inWords?: boolean;
  /** A command that becomes the guard: `unshare`, … */
  readonly through?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

const LOOK_MS = 2;

export class GuardProcess {
  /** Its output; JSON is also in `lines`. */
  readonly said: string[] = [];
  readonly lines: GuardLine[] = [];
  /** What it said on standard error. */
  stderr = '';
  readonly child: ChildProcess;
  readonly #ended: Promise<string | number>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#ended = new Promise((end) => {
      child.once('close', (code, signal) => end(signal ?? code!));
    });
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    child.stderr!.on('data', (data) => {
      this.stderr += data;
    });
  }

  #hear(line: string): void {
    this.said.push(line);
    if (line.startsWith('{')) this.lines.push(JSON.parse(line));
  }

  get lives(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  of(kind: GuardLine['kind']): GuardLine[] {
    return this.lines.filter((line) => line.kind === kind);
  }

  get rounds(): RoundLine[] {
    return this.of('round').map(({ report }) => report);
  }

  /** Waits until it is so. @throws with all it said when it is not within the time, or it has ended. */
  async until(what: string, holds: () => boolean, withinMs = PATIENCE_MS): Promise<void> {
    for (const end = Date.now() + withinMs; !holds(); ) {
      if (Date.now() > end || !this.lives) throw new Error(`${what}: not seen; ${this.told()}`);
      await new Promise((look) => setTimeout(look, LOOK_MS));
    }
  }

  /** Everything it said, for the message of a failure. */
  told(): string {
    return `${this.lives ? 'it lives' : 'it has ended'}; ${this.stderr}\n${this.said.join('\n')}`;
  }

  /** Asks it to end; its exit code or signal, and how long it took. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ ended: string | number; ms: number }> {
    const began = performance.now();
    this.child.kill(signal);
    const ended = await this.#ended;
    return { ended, ms: performance.now() - began };
  }
}

/** Starts a guard. It is killed after the test at the latest. `stdout`: where to, when not to the test. */
export async function startGuardProcess(
  t: Pick<TestContext, 'after'>,
  { args, inWords, through = [], env, cwd }: GuardStart,
  stdout: 'pipe' | number = 'pipe',
): Promise<GuardProcess> {
  const form = inWords ? [] : ['--json'];
  const [file, ...rest] = [...through, process.execPath, resolve('dist/cli.js'), 'guard', ...form, ...args];
  const child = spawn(file!, rest, {
    // What a test runner or a journal put there is not the guard's.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, JOURNAL_STREAM: undefined, BADNESS_CONTROL: 'none', ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', stdout, 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return new GuardProcess(child);
}

/** Starts a guard and returns when it watches. */
export async function runGuard(t: Pick<TestContext, 'after'>, start: GuardStart): Promise<GuardProcess> {
  const guard = await startGuardProcess(t, start);
  await guard.until('the start', () => guard.said.length > 0);
  return guard;
}
