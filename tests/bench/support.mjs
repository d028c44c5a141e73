// What the benches share: the engine's layout, contestants that are stepped one round at a time, medians.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { transformSync } from 'esbuild';

/** The numbers of assembly/layout.ts, which is only constants. */
export async function loadLayout() {
  const { code } = transformSync(readFileSync('assembly/layout.ts', 'utf8'), { loader: 'ts' });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** CPU time of this process so far, every thread of it, in µs. */
export function cpuUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CPU time of another process so far, every thread of it, in ms. Threads that have ended do not count. */
export function cpuMsOf(pid) {
  const folder = `/proc/${pid}/task`;
  const ns = readdirSync(folder).map((tid) =>
    Number(readFileSync(`${folder}/${tid}/schedstat`, 'latin1').split(' ')[0]),
  );
  return ns.reduce((sum, one) => sum + one, 0) / 1e6;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The least value that so many of a hundred do not exceed. */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1];
}

/** A process that says "ready" and then answers one line of JSON to each line it is sent. */
export class Contestant {
  constructor(command, args, options = {}) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
    this.ended = new Promise((resolve) => {
      this.child.on('exit', (code, signal) => resolve({ done: true, value: undefined, why: signal ?? code }));
      this.child.on('error', (error) => resolve({ done: true, value: undefined, why: error.message }));
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async line() {
    const { done, value } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnargs.join(' ')} ended: ${(await this.ended).why}`);
    return value;
  }

  /** Waits until it is ready. False when it ended instead. */
  async ready() {
    const { done } = await this.lines.next();
    return !done;
  }

  /** One round of it. */
  async step(line = 'go') {
    this.child.stdin.write(`${line}\n`);
    return JSON.parse(await this.line());
  }

  async end() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** The other side of a Contestant: answers every line by what `round` returns. */
export async function serve(round) {
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await round(line)));
}
