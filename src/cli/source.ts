/**
 * Stage: bytes → table. Where a command's tasks come from: this machine's /proc, one mounted elsewhere, a file of
 * task records, or a recording. All the rest of a command is the same.
 */
import { readdirSync } from 'node:fs';
import { type Engine, loadTasks, type Machine, openEngine, type ScoreOptions, type Task } from '../index.js';
import { readTasks } from '../linux/index.js';
import type { RankedBy } from '../policy/index.js';
import { loadRecorded, tasksRecorded } from '../recording/index.js';
import { integer, schemeNamed, seconds, usage } from './arguments.js';
import { CommandError, EXIT } from './exit.js';
import { type Lens, openLens, readLens } from './lens.js';
import type { Values } from './options.js';
import { openRecordedFiles } from './recording-file.js';
import { readTaskFile, type TaskFile } from './task-file.js';

const TASKS_MAX = 1_048_576;
const U32_MAX = 4_294_967_295;
/** Room for processes that start between counting and reading. */
const SLACK = 1024;

/** Tasks in the current snapshot of an engine, and what is known about them. */
export interface Source {
  engine: Engine;
  machine: Machine;
  /** Scheme and parameters: the command line's, else the policy's, else those that the file was written with. */
  scoring: ScoreOptions;
  /** Rules and a plug-in, where the command line asks for some. */
  by: RankedBy;
  tasks: number;
  gone: number;
  unreadable: number;
  /** Tasks that did not fit; the ranking is not of the whole machine when this is not 0. */
  left: number;
  /** Whether the tasks are this machine's own, now. */
  live: boolean;
  /** Where /proc is, unless the tasks came from a file. */
  root: string | undefined;
  /** The cgroup of a task, where a file said it. */
  cgroupOf(task: { slot: number; tgid: number }): string | undefined;
  /** Fills a fresh snapshot: reads /proc again, or puts the file's tasks in again. */
  refill(): void;
}

/** What the command line says about the machine. */
function machineOptions(values: Values): Partial<Machine> {
  const machine: Partial<Machine> = {};
  const { uptime, hz } = values;
  const pages = values['total-pages'];
  const pageSize = values['page-size'];
  if (hz !== undefined) machine.hz = integer('--hz', hz, 48, 1535);
  if (pages !== undefined) machine.totalPages = integer('--total-pages', pages, 0, 2 ** 53);
  if (values.tasks === undefined) {
    if (uptime !== undefined) throw usage('--uptime goes with --tasks; a machine and a recording say their own');
    if (pageSize !== undefined) throw usage('--page-size goes with --tasks; a machine and a recording say their own');
    return machine;
  }
  if (uptime !== undefined) machine.uptimeS = seconds('--uptime', uptime);
  if (pageSize !== undefined) machine.pageSize = integer('--page-size', pageSize, 1, U32_MAX);
  return machine;
}

/** Opens an engine and fills it from where the command line says. `schemes` are those it names. */
export async function openSource(values: Values): Promise<Source> {
  const machine = machineOptions(values);
  const lens = await readLens(values);
  if (values.at !== undefined && values.replay === undefined) throw usage('--at goes with --replay');
  if (values.replay !== undefined) return openRecording(values, machine, lens);
  if (values.tasks === undefined) return openProc(values.proc, machine, lens);
  if (values.proc !== undefined)
    throw usage('--tasks and --proc exclude each other: tasks come from the one or the other');
  return openFile(await readTaskFile(values.tasks), machine, lens);
}

function processesBelow(root: string): number {
  try {
    return readdirSync(root).length;
  } catch {
    // The reader says in words what is wrong with it.
    return 0;
  }
}

/** An engine with room for so many tasks. */
export function openEngineOf(count: number): Promise<Engine> {
  if (count > TASKS_MAX) throw new CommandError(EXIT.badTask, `expected at most ${TASKS_MAX} tasks, got ${count}`);
  return openEngine({ maxTasks: Math.max(count, 1) });
}

/** An engine with room for the tasks of a /proc, and for those that start meanwhile. */
export function openEngineFor(root: string): Promise<Engine> {
  return openEngine({ maxTasks: Math.min(processesBelow(root) + SLACK, TASKS_MAX) });
}

async function openProc(proc: string | undefined, stated: Partial<Machine>, lens: Lens): Promise<Source> {
  const { scoring } = lens;
  const root = proc ?? '/proc';
  const engine = await openEngineFor(root);
  // Whoever looks is gone before anybody could be chosen.
  const self = proc === undefined ? { except: process.pid } : {};
  const hz = stated.hz === undefined ? {} : { hz: stated.hz };
  const by = await openLens(lens, engine, root);
  const known = { engine, scoring, by, live: proc === undefined, root, cgroupOf: () => undefined };
  const source = known as unknown as Source;
  source.refill = () => {
    const { machine, ...reading } = readTasks(engine, { root, ...hz, ...self });
    Object.assign(source, reading, { machine: { ...machine, ...stated } });
    source.scoring = { ...scoring, totalPages: source.machine.totalPages };
  };
  source.refill();
  return source;
}

/** The cgroups of a task, as its file has them: the path of its memory's, else of v2's. */
function cgroupIn(text: string): string | undefined {
  const of = (pattern: RegExp) => pattern.exec(text)?.[1];
  return of(/^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m) ?? of(/^0::(.*)$/m);
}

async function openRecording(values: Values, stated: Partial<Machine>, lens: Lens): Promise<Source> {
  if (values.tasks !== undefined || values.proc !== undefined) {
    throw usage('--replay, --tasks and --proc exclude each other: tasks come from one of them');
  }
  const files = await openRecordedFiles(values);
  const engine = await openEngineOf(tasksRecorded(files));
  const hz = stated.hz === undefined ? {} : { hz: stated.hz };
  const cgroupOf = ({ tgid }: { tgid: number }) => {
    const path = `/proc/${tgid}/cgroup`;
    return files.entries.get(path)?.kind === 'file' ? cgroupIn(files.start(path)) : undefined;
  };
  const by = await openLens(lens, engine, files);
  const source = { engine, by, live: false, root: undefined, cgroupOf } as unknown as Source;
  source.refill = () => {
    const { machine, scoring: written, ...reading } = loadRecorded(engine, files, hz);
    Object.assign(source, reading, { machine: { ...machine, ...stated } });
    source.scoring = { totalPages: source.machine.totalPages, ...written, ...lens.scoring };
  };
  source.refill();
  return source;
}

async function openFile(file: TaskFile, stated: Partial<Machine>, lens: Lens): Promise<Source> {
  const { tasks, lines } = file;
  const machine = { ...file.machine, ...stated };
  if (file.options.scheme !== undefined) schemeNamed(file.options.scheme);
  const engine = await openEngineOf(tasks.length);
  let at = 0;
  function* counting(): Generator<Task> {
    for (at = 0; at < tasks.length; ++at) yield tasks[at]!;
  }
  const refill = () => {
    try {
      loadTasks(engine, counting(), machine);
    } catch (error) {
      // Each value is in range, but not the sum of some of them.
      throw new CommandError(EXIT.badTask, `line ${lines[at]}: ${(error as Error).message}`);
    }
  };
  refill();
  return {
    engine,
    machine,
    scoring: { totalPages: machine.totalPages, ...file.options, ...lens.scoring },
    by: await openLens(lens, engine, undefined),
    tasks: tasks.length,
    gone: 0,
    unreadable: 0,
    left: 0,
    live: false,
    root: undefined,
    cgroupOf: ({ slot }) => tasks[slot]?.cgroup,
    refill,
  };
}
