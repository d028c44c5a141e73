/** Stage: kill, of a machine that does not exist: what its kernel does when nothing is left (oom_badness(), Linux 5.9 and later). */
import type { Engine } from '../engine.js';
import { scoreTasks, selectTask } from '../rank.js';
import { loadTasks } from '../task.js';
import { type Machine, PAGE_BYTES } from './machine.js';
import type { SimMachine } from './scenario.js';

export class SimKernel {
  readonly #engine: Engine;
  readonly #machine: Machine;
  readonly #totalPages: number;

  constructor(engine: Engine, machine: Machine, { memory, swap }: SimMachine) {
    this.#engine = engine;
    this.#machine = machine;
    this.#totalPages = Math.floor((memory + swap) / PAGE_BYTES);
  }

  /** SIGKILL for the most oom_score of all, unless one is dying already. */
  kill(): void {
    for (const { dying, releasedMs } of this.#machine.tasks.values()) {
      if (dying || releasedMs !== Number.POSITIVE_INFINITY) return;
    }
    // Names do not count, and a fork bomb has many.
    const records = this.#machine.records().map((record) => ({ ...record, comm: '' }));
    const totalPages = this.#totalPages;
    loadTasks(this.#engine, records, { hz: 100, pageSize: PAGE_BYTES, uptimeS: this.#machine.uptimeS(), totalPages });
    const options = { scheme: 'linux-5.9', totalPages } as const;
    scoreTasks(this.#engine, options);
    const { slot } = selectTask(this.#engine, options);
    if (slot >= 0) this.#machine.signal(records[slot]!.tgid, 'SIGKILL', 'kernel');
  }
}
