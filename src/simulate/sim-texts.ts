/** Stage: selection, of a machine that does not exist: what rules ask about a task beyond stat and status. */
import type { FileCondition } from '../policy/compiled-rule.js';
import type { TaskTexts } from '../policy/row-rules.js';
import type { Machine } from './machine.js';

/** comm of pid 1. */
const INIT = 'init';

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
    const { cast } = task;
    switch (condition) {
      case 'exe':
        return [cast.exe === '' ? `/usr/bin/${cast.comm}` : cast.exe];
      case 'cmdline':
        return [cast.cmdline === '' ? cast.comm : cast.cmdline];
      case 'cgroup':
        return [cast.cgroup];
      case 'ancestor':
        return this.#ancestors(ppid);
    }
  }

  #ancestors(ppid: number): string[] {
    const comms: string[] = [];
    for (let task = this.#machine.tasks.get(ppid); task; task = this.#machine.tasks.get(task.ppid)) {
      comms.push(task.cast.comm);
    }
    return [...comms, INIT];
  }
}
