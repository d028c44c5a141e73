/** Stage: bytes → table. Everybody in full: the reading behind `rank`, `explain` and `compare`. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { beginSnapshot, type Machine } from '../task.js';
import { machineAt } from './machine.js';
import { type ProcFiles, pidsAmong } from './proc-files.js';
import { stageTask } from './read-task.js';
import type { SleepingParents } from './vfork.js';

/** Flags to add to the task that is staged in an engine's window. */
export type Exempt = (engine: Engine) => number;

/** Whom a full reading of /proc reads, and from where. */
export interface ReadOptions {
  /** Where /proc is. Default `/proc`. */
  root?: string;
  /** Tick rate that CPU times are expressed at. Default 100, as /proc has them. */
  hz?: number;
  /** Who is read: pids as /proc spells them. Default: everybody. */
  members?: () => readonly string[];
  /** A pid to leave out: that of whoever only looks and will be gone before anything is decided. */
  except?: number;
  /** Flags to add to each task as it is staged (linux/exempt.ts). */
  exempt?: Exempt;
}

/** What a reading found besides the tasks in the snapshot. */
export interface Reading {
  machine: Machine;
  /** Tasks read. */
  tasks: number;
  /** Tasks that ended while they were being read. */
  gone: number;
  /** Tasks that this user may not read. */
  unreadable: number;
  /** Tasks beyond the engine's capacity; the snapshot is not the whole machine when this is not 0. */
  left: number;
}

/** The reading, task by task: the caller may do something else in between, but not with this engine. */
export function* readingSteps(engine: Engine, files: ProcFiles, options: ReadOptions): Generator<undefined, Reading> {
  const { root = '/proc' } = options;
  const machine = machineAt(files, root, options.hz);
  const place = { files, root, hz: machine.hz, pageSize: machine.pageSize };
  const reading: Reading = { machine, tasks: 0, gone: 0, unreadable: 0, left: 0 };
  beginSnapshot(engine, machine);
  const except = String(options.except);
  const parents: SleepingParents = new Map();
  for (const pid of options.members?.() ?? pidsAmong(files.list(root))) {
    if (pid === except) continue;
    yield;
    const staged = stageTask(engine, place, pid, parents);
    if (staged !== 'staged') {
      reading[staged] += 1;
      continue;
    }
    if (options.exempt) engine.fields[L.FIELD_FLAGS]! |= options.exempt(engine);
    const slot = engine.abi.table_put(engine.window);
    if (slot === L.E_FULL) reading.left += 1;
    else if (slot >= 0) reading.tasks += 1;
    else reading.unreadable += 1;
  }
  engine.abi.table_publish();
  return reading;
}

/**
 * Reads every task of a system into a new snapshot and makes it the current one. Processes may end at any
 * point: they are counted as gone. Throws BadnessError `ENOTLINUX` where there is no /proc.
 */
export function readTasksFrom(engine: Engine, files: ProcFiles, options: ReadOptions = {}): Reading {
  const steps = readingSteps(engine, files, options);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}
