// The daemons that the benches set side by side, each as its package starts it. They kill: only for namespaces of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { cpuMsOf } from './support.mjs';

const START_MS = 3000;
const NOHANG_SETTINGS = '/etc/nohang/nohang.conf';

const COMMANDS = {
  guard: [process.execPath, 'dist/cli.js', 'guard', '--enforce', '-r', '0'],
  earlyoom: ['earlyoom', '-r', '0'],
  nohang: ['nohang', '--monitor', '--config', NOHANG_SETTINGS],
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Daemon {
  /** `flags`: of Node, for the guard. */
  constructor(name, flags = []) {
    this.name = name;
    const [command, ...args] = COMMANDS[name];
    const own = name === 'guard' ? flags : [];
    this.child = spawn(command, [...own, ...args], {
      stdio: 'ignore',
      env: { ...process.env, BADNESS_CONTROL: 'none' },
    });
    this.failed = once(this.child, 'error').then(([error]) => error);
  }

  /** False when it is not there, or has ended. */
  async starts() {
    const error = await Promise.race([this.failed, pause(START_MS)]);
    return error === undefined && this.lives;
  }

  get lives() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  cpuMs() {
    return cpuMsOf(this.child.pid);
  }

  rssMib() {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))[1]) / 1024;
  }

  descriptors() {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  turn(on) {
    this.child.kill(on ? 'SIGCONT' : 'SIGSTOP');
  }

  end() {
    this.child.kill('SIGKILL');
  }
}

/** Those of the names that are installed; the guard must be. */
export async function startDaemons(names, flags = []) {
  const started = [];
  for (const name of names) {
    const daemon = new Daemon(name, flags);
    if (await daemon.starts()) started.push(daemon);
    else if (name === 'guard') throw new Error('the guard does not start');
  }
  return started;
}
