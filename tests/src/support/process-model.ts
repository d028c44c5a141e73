/** A small kernel: processes that fork, exit and change session, with few pids, so that they are soon used again. What is true is known. */
import type { FakeProc } from './fake-proc.js';

export interface ModelProcess {
  readonly pid: number;
  ppid: number;
  sid: number;
  pgrp: number;
  readonly start: number;
  environ: string;
  /** Forked by the root, or by one that is. */
  readonly descends: boolean;
}

const FIRST_PID = 4;
export const PID_MAX = 40;
/** Several start in the same tick; never so many that a pid comes round within one. */
const FORKS_PER_TICK = 3;

export const ROOT = 3;

export class ProcessModel {
  readonly processes = new Map<number, ModelProcess>();
  readonly #proc: FakeProc;
  readonly #uid: number;
  readonly #given: string;
  #last = ROOT;
  #forks = 30;

  /** Init, a shell, and the root; `environ` is what the root gives its children. */
  constructor(proc: FakeProc, uid: number, environ: string) {
    this.#proc = proc;
    this.#uid = uid;
    this.#given = environ;
    this.#add({ pid: 1, ppid: 0, sid: 1, pgrp: 1, start: 1, environ: 'A=1\0', descends: false });
    this.#add({ pid: 2, ppid: 1, sid: 2, pgrp: 2, start: 2, environ: 'A=1\0', descends: false });
    this.#add({ pid: ROOT, ppid: 2, sid: 2, pgrp: ROOT, start: 10, environ: 'A=1\0', descends: false });
  }

  /** The process that a random number stands for. */
  pick(number: number): ModelProcess {
    const all = [...this.processes.values()];
    return all[number % all.length]!;
  }

  /** No more when there is no pid left. */
  fork(parent: ModelProcess): void {
    const pid = this.#free();
    if (pid === 0) return;
    this.#last = pid;
    this.#forks += 1;
    const descends = parent.descends || parent.pid === ROOT;
    const environ = parent.pid === ROOT ? this.#given : parent.environ;
    const { sid, pgrp } = parent;
    this.#add({ pid, ppid: parent.pid, sid, pgrp, start: Math.floor(this.#forks / FORKS_PER_TICK), environ, descends });
  }

  exit(process: ModelProcess): void {
    if (process.pid <= ROOT) return;
    this.processes.delete(process.pid);
    this.#proc.end(process.pid);
    for (const child of this.processes.values()) {
      if (child.ppid !== process.pid) continue;
      child.ppid = 1;
      this.#write(child);
    }
  }

  /** setsid(2), refused to leaders of groups. */
  leave(process: ModelProcess): void {
    if (process.pid <= ROOT || process.pgrp === process.pid) return;
    process.sid = process.pid;
    process.pgrp = process.pid;
    this.#write(process);
  }

  /** A group of its own, or that of a brother, as shells make them for pipes. */
  group(process: ModelProcess, like: ModelProcess): void {
    if (process.pid <= ROOT || process.sid === process.pid) return;
    const joins = like.ppid === process.ppid && like.sid === process.sid;
    process.pgrp = joins ? like.pgrp : process.pid;
    this.#write(process);
  }

  /** An execve without environment. */
  clear(process: ModelProcess): void {
    process.environ = 'A=1\0';
    this.#write(process);
  }

  /** What the kernel says of pids and forks, as of now. */
  tell(): void {
    this.#proc.file('loadavg', `0.00 0.00 0.00 1/99 ${this.#last}\n`);
    this.#proc.file('stat', `cpu  1 2 3\nprocesses ${this.#forks}\n`);
  }

  /** The next in the circle that is no pid, no session and no group; 0 when there is none. */
  #free(): number {
    const used = new Set([...this.processes.values()].flatMap(({ pid, sid, pgrp }) => [pid, sid, pgrp]));
    for (let step = 1; step <= PID_MAX; ++step) {
      const pid = ((this.#last + step - FIRST_PID) % (PID_MAX - FIRST_PID)) + FIRST_PID;
      if (!used.has(pid)) return pid;
    }
    return 0;
  }

  #add(process: ModelProcess): void {
    this.processes.set(process.pid, process);
    this.#write(process);
  }

  #write(process: ModelProcess): void {
    this.#proc.put({ ...process, uid: this.#uid, vm: 100 });
  }
}
