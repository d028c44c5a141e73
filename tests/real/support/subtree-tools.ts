// The tools that the agent starts: tests/real/orphans.c and hostile.c. Whatever a tool says that it left behind is ended by the scene.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PATIENCE_MS } from '../../src/support/patience.js';
import { pause } from './count.js';

export class Tool {
  /** Pids that it has told so far. */
  readonly pids: number[] = [];
  readonly process: ChildProcess;

  constructor(program: string, words: readonly (string | number)[]) {
    this.process = spawn(program, words.map(String), { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
    this.process.stdin!.on('error', () => {});
    const lines = createInterface(this.process.stdout!);
    // hostile.c says READY, and perhaps whom it runs beside.
    lines.on('line', (line) => this.pids.push(Number(line.replace('READY', '') || this.process.pid)));
  }

  line(): void {
    this.process.stdin!.write('\n');
  }

  async told(count: number): Promise<this> {
    await until(`${count} pids told`, () => this.pids.length >= count);
    return this;
  }

  /** The tool itself has ended, of its own accord. */
  async over(): Promise<this> {
    if (this.process.exitCode === null) await once(this.process, 'exit');
    return this;
  }

  end(): void {
    for (const pid of [...this.pids, this.process.pid!]) {
      // 0 and its like are no pids of anybody.
      if (pid > 1) kill(pid);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended before.
  }
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await pause(2)) {
    if (Date.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
  }
}
