/** Stage: kill, of a machine that does not exist: what its kernel does when nothing is left (oom_badness(), Linux 5.9 and later). */
import type { Engine } from '../engine.js';
import { scoreTasks, selectTask } from '../rank.js';
import { loadTasks } from '../task.js';
import type { Machine } from './machine.js';
import { isAlive } from './sim-task.js';

export class SimKernel {
  readonly #engine: Engine;
  readonly #machine: Machine;

  constructor(engine: Engine, machine: Machine) {
    this.#engine = engine;
    this.#machine = machine;
  }

  /** SIGKILL for the most oom_score of all, unless one is dying already. */
  kill(): void {
    for (const task of this.#machine.tasks.values()) if (task.dying || !isAlive(task)) return;
    // Names do not count, and a fork bomb has many.
    const records = this.#machine.records().map((record) => ({ ...record, comm: '' }));
    const facts = this.#machine.facts();
    loadTasks(this.#engine, records, facts);
    const options = { scheme: 'linux-5.9', totalPages: facts.totalPages } as const;
    scoreTasks(this.#engine, options);
    const { slot } = selectTask(this.#engine, options);
    if (slot >= 0) this.#machine.signal(records[slot]!.tgid, 'SIGKILL', 'kernel');
  }
}
