/**
 * Stage: registered tasks, before the table. Anything that holds memory, says how much, and can be asked to give it back: caches,
 * tenants, worker threads. Knows no system: it runs in a browser too.
 */
import { BadnessError } from '../errors.js';
import { type Clock, systemClock } from '../guard/clock.js';
import { RegisteredTask } from './registered-task.js';
import { checkSpec, type TaskSpec } from './task-spec.js';

/** How many tasks a registry holds. */
export interface RegistryOptions {
  /** Most tasks at a time, 1 … 65,536. Default 4,096. */
  readonly maxTasks?: number;
  /** For tests. Whose `now` a `startedMs` is of; default performance.now(). */
  readonly clock?: Clock;
}

/** No pid is so large. */
const FIRST_ID = 2 ** 32;
const TASKS_DEFAULT = 4096;
const TASKS_MOST = 65_536;

/** The tasks of one program, or of one kind in it. */
export class TaskRegistry {
  readonly maxTasks: number;
  readonly #clock: Clock;
  readonly #tasks = new Map<number, RegisteredTask>();
  #nextId = FIRST_ID;

  /** Throws RangeError. */
  constructor({ maxTasks = TASKS_DEFAULT, clock = systemClock }: RegistryOptions = {}) {
    if (!(Number.isInteger(maxTasks) && maxTasks >= 1 && maxTasks <= TASKS_MOST)) {
      throw new RangeError(`maxTasks must be an integer 1..${TASKS_MOST}, got ${maxTasks}`);
    }
    this.maxTasks = maxTasks;
    this.#clock = clock;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /**
   * Adds a task. Its id is never given to another, so what registers again is another. Throws TypeError or RangeError for what is no
   * task, BadnessError `E2BIG` above `maxTasks`.
   */
  register(spec: TaskSpec): RegisteredTask {
    checkSpec(spec);
    if (this.#tasks.size >= this.maxTasks) {
      throw new BadnessError('E2BIG', `registered tasks must be at most ${this.maxTasks} (maxTasks)`);
    }
    const id = this.#nextId++;
    const task = new RegisteredTask(id, spec, this.#clock.now(), () => this.#tasks.delete(id));
    this.#tasks.set(id, task);
    return task;
  }

  /** The tasks in the order of their registration. Later ones are not in it. */
  list(): RegisteredTask[] {
    return [...this.#tasks.values()];
  }

  /** What all of them hold now, bytes. */
  measure(): number {
    return this.list().reduce((sum, task) => sum + task.measure(), 0);
  }
}
