/** Stage: bytes → table. Tables of one machine from moment to moment, kept small: what changes as numbers, the rest once a task. */
import type { Machine, Task } from '../index.js';

/** What changes from moment to moment. */
const CHANGING = ['rssPages', 'rssAnonPages', 'totalVmPages', 'swapPages', 'pgtablesBytes', 'utimeJiffies'] as const;
const CELLS = CHANGING.length + 2;
/** Numbers that are kept at most: 32 MiB. Above it every second moment is given up. */
const NUMBERS_MAX = 4_194_304;

interface Frame {
  readonly atS: number;
  readonly machine: Machine;
  readonly numbers: Float64Array;
}

export class Frames {
  readonly #known = new Map<number, Task>();
  #frames: Frame[] = [];
  #numbers = 0;
  #seen = 0;
  #stride = 1;

  /** Tasks of one tgid must stay the same but for what they hold and have worked, and for exiting. */
  add(atS: number, machine: Machine, tasks: readonly Task[]): void {
    if (this.#seen++ % this.#stride !== 0) return;
    const numbers = new Float64Array(tasks.length * CELLS);
    for (const [row, task] of tasks.entries()) {
      if (!this.#known.has(task.tgid)) this.#known.set(task.tgid, task);
      const values = [task.tgid, task.exiting ? 1 : 0, ...CHANGING.map((key) => task[key] ?? 0)];
      numbers.set(values, row * CELLS);
    }
    this.#frames.push({ atS, machine, numbers });
    this.#numbers += numbers.length;
    while (this.#numbers > NUMBERS_MAX && this.#frames.length > 2) this.#thin();
  }

  get timesS(): number[] {
    return this.#frames.map(({ atS }) => atS);
  }

  /** The tasks and the machine of a moment, by its place in `timesS`. */
  at(index: number): { tasks: Task[]; machine: Machine } {
    const { numbers, machine } = this.#frames[index]!;
    const tasks = Array.from({ length: numbers.length / CELLS }, (_, row) => this.#task(numbers, row * CELLS));
    return { tasks, machine };
  }

  #task(numbers: Float64Array, from: number): Task {
    const task: Task = { ...this.#known.get(numbers[from]!)!, exiting: numbers[from + 1] === 1 };
    for (const [index, key] of CHANGING.entries()) task[key] = numbers[from + 2 + index]!;
    return { ...task, state: task.exiting ? 'X' : 'S' };
  }

  #thin(): void {
    this.#frames = this.#frames.filter((_, index) => index % 2 === 0);
    this.#numbers = this.#frames.reduce((sum, { numbers }) => sum + numbers.length, 0);
    this.#stride *= 2;
  }
}
