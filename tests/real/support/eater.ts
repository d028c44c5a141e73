// A process of tests/real/eater.c: takes memory when the test says so, at a rate.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { realBinary } from './hostile-binary.js';

export interface EaterStart {
  /** What it is called in /proc: comm, cut off after 15 bytes. */
  readonly name: string;
  /** Ignores SIGTERM. */
  readonly stubborn?: boolean;
  /** Directory of the cgroup it is in before it takes any memory. */
  readonly group?: string;
}

/** Neither root, nor anybody else's: SIGKILL asked is SIGKILL sent. */
const UID = 65534;

export class Eater {
  readonly pid: number;
  /** Signal or exit code, once it has ended. */
  readonly ended: Promise<string | number>;
  readonly #child: ChildProcess;
  /** MiB and microseconds of the last thing it said of its taking. */
  #progress = { mib: 0, us: 0 };
  #took: (() => void) | null = null;

  constructor(child: ChildProcess) {
    this.pid = child.pid!;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code!));
    });
    child.stdin!.on('error', () => {}); // it was killed
  }

  get lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How fast it has been at its last taking, MiB a second; NaN before anything was said. */
  get rate(): number {
    const { mib, us } = this.#progress;
    return (mib * 1e6) / us;
  }

  hear(line: string): void {
    if (line === 'took') this.#took?.();
    const [, mib, us] = /^(\d+) (\d+)$/.exec(line) ?? [];
    if (mib) this.#progress = { mib: Number(mib), us: Number(us) };
  }

  /** Touches so much more, at so many MiB a second or, for 0, at once. Resolves when it has, or is dead. */
  async take(mib: number, rate = 0): Promise<void> {
    const took = new Promise<void>((resolve) => {
      this.#took = resolve;
    });
    this.#child.stdin!.write(`take ${mib} ${rate}\n`);
    await Promise.race([took, this.ended]);
  }

  end(): Promise<string | number> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }
}

/** Starts one, which holds nothing yet. Throws where it cannot be compiled: ask realBinary('eater') first. */
export async function startEater({ name, stubborn, group }: EaterStart): Promise<Eater> {
  const binary = realBinary('eater');
  if ('skip' in binary) throw new Error(binary.skip);
  const child = spawn(binary.path, [name, ...(stubborn ? ['stubborn'] : [])], {
    ...{ stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', uid: UID, gid: UID },
  });
  await once(child, 'spawn');
  const eater = new Eater(child);
  const lines = createInterface({ input: child.stdout! });
  await once(lines, 'line');
  lines.on('line', (line) => eater.hear(line));
  if (group) writeFileSync(join(group, 'cgroup.procs'), String(eater.pid));
  return eater;
}

/** Touches memory and gives it back: a page that the host has not given to this machine yet is slow to have. */
export async function touchMemory(mib: number): Promise<void> {
  const eater = await startEater({ name: 'toucher' });
  await eater.take(mib);
  await eater.end();
}
