// earlyoom as a contestant: told that nearly all memory must be free it decides without end, in dry run. It is stopped
// between its turns, so that it runs only when it is asked to, and its CPU time is what the scheduler has counted.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** What it prints at the end of every decision. */
const DECIDED = 'dryrun, not actually sending any signal';

export class Earlyoom {
  /** Undefined where it is not installed or does not do what it is expected to. */
  static async start() {
    const args = ['--dryrun', '-m', '99,98', '-s', '100,99', '-r', '0'];
    const child = spawn('stdbuf', ['-oL', 'earlyoom', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const failed = new Promise((resolve) => {
      child.on('error', resolve);
      child.on('exit', resolve);
    });
    const contestant = new Earlyoom(child);
    const started = await Promise.race([contestant.decided().then(() => true), failed.then(() => false), patience()]);
    if (!started) {
      child.kill('SIGKILL');
      return undefined;
    }
    child.kill('SIGSTOP');
    return contestant;
  }

  constructor(child) {
    this.child = child;
    this.waiting = [];
    this.seen = 0;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.includes(DECIDED)) return;
        this.seen += 1;
        this.waiting.shift()?.();
      });
    }
  }

  decided() {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** CPU time of it so far, in µs. It has one thread. */
  cpuUs() {
    return Number(readFileSync(`/proc/${this.child.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  }

  /** Some decisions in a row; CPU time of one. Between two lines of output lies exactly one decision. */
  async step() {
    const [began, seen] = [this.cpuUs(), this.seen];
    this.child.kill('SIGCONT');
    await this.decided();
    this.child.kill('SIGSTOP');
    return { us: this.cpuUs() - began, scans: this.seen - seen };
  }

  end() {
    this.child.kill('SIGKILL');
  }
}

function patience() {
  return new Promise((resolve) => setTimeout(resolve, 5000, false));
}
