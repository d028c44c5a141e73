/** Stage: table → report. The rows of an engine's current snapshot as task records that make the same rows again, with their marks. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { ScoreOptions } from '../rank.js';
import { type Machine, type Task, taskAt } from '../task.js';
import { machineToRecord, taskToRecord } from '../task-json.js';
import { MARKS, type Mark } from './recording.js';

export interface TableRows {
  readonly tasks: readonly Task[];
  readonly marks: ReadonlyMap<Mark, readonly number[]>;
}

/** Of a row that bounds a task from above, what is known of it; the rest was assumed at its worst. */
function partialTask({ tgid, ppid, sid, comm, totalVmPages, rssPages }: Task): Task {
  const known = (pages = 0) => (pages >= L.QUANTITY_MAX ? 0 : pages);
  return { tgid, ppid: ppid!, sid: sid!, comm: comm!, totalVmPages: known(totalVmPages), rssPages: known(rssPages) };
}

/** Without what a reader takes for granted, so that the row it makes is this one, flag by flag. */
function plainTask(task: Task, flags: number): Task {
  const { hasMm, statRssPages, state, ...rest } = task;
  const known = (flags & (L.TASK_HAS_MM | L.TASK_NO_MM)) !== 0;
  return {
    ...rest,
    // Whoever was gone when it was to be read in full has none.
    ...(state === '\0' ? {} : { state }),
    ...(known ? { hasMm: hasMm! } : {}),
    ...((flags & L.TASK_STAT_RSS) !== 0 ? { statRssPages: statRssPages! } : {}),
  };
}

export function rowsIn(engine: Engine): TableRows {
  const tasks: Task[] = [];
  const marks = new Map<Mark, number[]>();
  const mark = (kind: Mark, tgid: number) => {
    const known = marks.get(kind);
    if (known) known.push(tgid);
    else marks.set(kind, [tgid]);
  };
  for (let slot = 0; slot < engine.count; ++slot) {
    const flags = engine.u32(L.C_FLAGS, slot);
    const task = taskAt(engine, slot);
    const isPartial = (flags & L.TASK_BOUND) !== 0;
    tasks.push(isPartial ? partialTask(task) : plainTask(task, flags));
    if (isPartial) mark('partial', task.tgid);
    for (const [kind, flag] of Object.entries(MARKS) as [Mark, number][]) {
      if ((flags & flag) !== 0) mark(kind, task.tgid);
    }
  }
  return { tasks, marks };
}

/** The text of a statement `tasks`. */
export function recordsText(machine: Machine, options: ScoreOptions, { tasks }: TableRows): string {
  const records = [machineToRecord(machine, options), ...tasks.map((task) => taskToRecord(task))];
  return `${records.map((record) => JSON.stringify(record)).join('\n')}\n`;
}
