/** Stage: selection, for a page. What rules ask about the tasks of a scenario beyond the table: as the scenario says of their kind. */
import type { Task } from '../index.js';
import type { TaskTexts } from '../policy/index.js';
import { type Cast, castText, INIT, type Scenario } from '../simulate/index.js';

export class ScenarioTexts implements TaskTexts {
  /** Kinds by name; null for a name that several kinds have. */
  readonly #casts = new Map<string, Cast | null>();
  #tasks: ReadonlyMap<number, Task> = new Map();

  constructor({ task }: Scenario) {
    for (const cast of task) this.#casts.set(cast.comm, this.#casts.has(cast.comm) ? null : cast);
  }

  /** These are the tasks now. */
  moveTo(tasks: readonly Task[]): void {
    this.#tasks = new Map(tasks.map((task) => [task.tgid, task]));
  }

  begin(): void {}

  mayLook(): boolean {
    return true;
  }

  read(tgid: number, ppid: number, condition: Parameters<TaskTexts['read']>[2]): readonly string[] | null {
    if (condition === 'ancestor') return this.#ancestors(ppid);
    const cast = this.#casts.get(this.#tasks.get(tgid)?.comm ?? '') ?? null;
    return cast && [castText(cast, condition)];
  }

  #ancestors(ppid: number): string[] {
    const comms: string[] = [];
    for (let task = this.#tasks.get(ppid); task; task = this.#tasks.get(task.ppid ?? 0)) comms.push(task.comm ?? '');
    return [...comms, INIT];
  }
}
