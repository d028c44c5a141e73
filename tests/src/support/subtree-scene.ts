// A shell, a root, and whoever a test puts beside them.
import type { TestContext } from 'node:test';
import { SubtreeMembers, type SubtreeOptions } from '../../../src/linux/subtree.js';
import { FakeProc, type FakeTask } from './fake-proc.js';

export const UID = process.getuid?.() ?? 0;
export const COOKIE = '0123456789abcdef0123456789abcdef';
export const ENVIRON = `PATH=/bin\0BADNESS_SUBTREE=${COOKIE}\0HOME=/\0`;
export const ROOT = 100;

/** A shell (50, in the session of a terminal that 40 made) has started the root, process 100. */
export class Scene {
  readonly proc = new FakeProc();
  readonly members: SubtreeMembers;

  constructor(t: TestContext, options: Partial<SubtreeOptions> = {}, root: Partial<FakeTask> = {}) {
    this.put({ pid: 1, ppid: 0, start: 1 }, { pid: 40, start: 500 }, { pid: 50, ppid: 40, sid: 40, start: 600 });
    this.put({ pid: ROOT, ppid: 50, sid: 40, start: 1000, ...root });
    // There, and of no use before something is told.
    for (const file of ['loadavg', 'stat']) this.proc.file(file, '');
    this.members = new SubtreeMembers({ root: ROOT, procRoot: this.proc.root, ...options });
    t.after(() => {
      this.members.close();
      this.proc.remove();
    });
  }

  put(...tasks: FakeTask[]): void {
    for (const task of tasks) this.proc.put({ vm: 100, start: 1000 + task.pid, uid: UID, ...task });
  }

  /** Pids handed out so far, as the kernel tells: the last one, and how many forks there were. */
  told(last: number, forks: number): void {
    this.proc.file('loadavg', `0.00 0.00 0.00 1/99 ${last}\n`);
    this.proc.file('stat', `cpu  1 2 3\nprocesses ${forks}\n`);
  }

  look(): readonly string[] {
    this.members.refresh();
    return this.members.pids();
  }
}
