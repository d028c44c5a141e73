/** Stage: selection, of a machine that does not exist: what rules ask about a task beyond stat and status. */
import type { FileCondition } from '../policy/compiled-rule.js';
import type { TaskTexts } from '../policy/row-rules.js';
import type { Machine } from './machine.js';
import type { Cast } from './scenario.js';

/** comm of pid 1. */
export const INIT = 'init';

/** What a file of a task says, by what a scenario says of its kind. */
export function castText(cast: Cast, condition: Exclude<FileCondition, 'ancestor'>): string {
  if (condition === 'exe') return cast.exe === '' ? `/usr/bin/${cast.comm}` : cast.exe;
  if (condition === 'cmdline') return cast.cmdline === '' ? cast.comm : cast.cmdline;
  return cast.cgroup;
}

export class SimTexts implements TaskTexts {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  begin(): void {}

  mayLook(): boolean {
    return true;
  }

  read(tgid: number, ppid: number, condition: FileCondition): readonly string[] | null {
    const task = this.#machine.tasks.get(tgid);
    if (!task) return null;
    return condition === 'ancestor' ? this.#ancestors(ppid) : [castText(task.cast, condition)];
  }

  #ancestors(ppid: number): string[] {
    const comms: string[] = [];
    for (let task = this.#machine.tasks.get(ppid); task; task = this.#machine.tasks.get(task.ppid)) {
      comms.push(task.cast.comm);
    }
    return [...comms, INIT];
  }
}
