// A subtree of which a test says how large everybody is.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { SubtreeMembers } from '../../../src/linux/subtree.js';
import { SubtreeReader, type SubtreeReaderOptions } from '../../../src/linux/subtree-reader.js';
import { FakeProc, type FakeTask } from './fake-proc.js';

export const ROOT = 100;
export const MIB = 2 ** 20;
/** Pages of 4 KiB. */
export const pages = (mib: number) => mib * 256;

/** A root without memory to speak of, in a budget of 1,000 MiB. */
export class ChargeScene {
  readonly proc = new FakeProc();
  readonly members: SubtreeMembers;
  readonly reader: SubtreeReader;

  constructor(t: TestContext, tasks: FakeTask[], options: SubtreeReaderOptions = {}) {
    this.put({ pid: 1, ppid: 0, start: 1 }, { pid: ROOT, ppid: 1, start: 1000, vm: 10 }, ...tasks);
    this.members = new SubtreeMembers({ root: ROOT, procRoot: this.proc.root });
    this.reader = new SubtreeReader(this.members, 1000 * MIB, options);
    t.after(() => {
      this.members.close();
      this.proc.remove();
    });
  }

  /** Children of the root by default, without files mapped. */
  put(...tasks: FakeTask[]): void {
    for (const task of tasks) {
      this.proc.put({ ppid: ROOT, start: 1000 + task.pid, vm: task.pid, shared: task.shmem ?? 0, ...task });
    }
  }

  chargeMib(): number {
    const state = this.reader.read();
    const charge = this.reader.chargeBytes / MIB;
    assert.equal(state.availableKib, Math.max(0, 1000 * 1024 - Math.ceil(this.reader.chargeBytes / 1024)));
    return Math.round(charge * 100) / 100;
  }

  rollup(pid: number, anonMib: number, shmemMib: number): void {
    const line = (key: string, mib: number) => `${`${key}:`.padEnd(16)}${String(mib * 1024).padStart(8)} kB\n`;
    const head = '55c24d08e000-7ffd7cc5d000 ---p 00000000 00:00 0                          [rollup]\n';
    const parts = line('Pss_Anon', anonMib) + line('Pss_File', 3) + line('Pss_Shmem', shmemMib);
    this.proc.file(`${pid}/smaps_rollup`, `${head}${line('Rss', 999)}${line('Pss', 1)}${parts}${line('Swap', 0)}`);
  }
}
