/** Stage: bytes → table. A snapshot of a recording as the current snapshot of an engine, and the memory that was measured there. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import type { MemoryState } from '../pressure/memory-state.js';
import { CgroupMemory } from '../proc/cgroup-memory.js';
import { MachineMemory } from '../proc/meminfo.js';
import { isGone } from '../proc/proc-files.js';
import { type Exempt, type Reading, type ReadOptions, readTasksFrom } from '../proc/read-all.js';
import type { ScoreOptions } from '../rank.js';
import { beginSnapshot, putStaged, stageTask } from '../task.js';
import { parseTaskLines } from '../task-json.js';
import type { RecordedFiles } from './recorded-files.js';
import { MARKS } from './recording.js';

/** What a snapshot brought into an engine. */
export interface RecordedReading extends Reading {
  /** How the tasks were scored by whoever wrote them; empty for files. */
  readonly scoring: ScoreOptions;
}

/** Flags of the marks of a snapshot, by pid. */
export function flagsOf({ facts }: RecordedFiles): Map<number, number> {
  const flags = new Map<number, number>();
  for (const [mark, pids] of facts.marks) {
    for (const pid of pids) flags.set(pid, (flags.get(pid) ?? 0) | MARKS[mark]);
  }
  return flags;
}

/**
 * Fills a new snapshot of the engine with the tasks of the snapshot that the files stand at. `exempt` adds flags as for a live
 * machine; what the recording says of tasks counts besides. Throws BadnessError `ENOTLINUX` for one without a machine,
 * `ETASKLINE`; RangeError for more tasks in records than the engine holds (`left` counts those of files).
 */
export function loadRecorded(
  engine: Engine,
  files: RecordedFiles,
  options: Pick<ReadOptions, 'exempt' | 'hz'> = {},
): RecordedReading {
  const flags = flagsOf(files);
  const { exempt } = options;
  const marked: Exempt = (staged) => (flags.get(staged.fields[L.FIELD_TGID]!) ?? 0) | (exempt?.(staged) ?? 0);
  const { members, tasks } = files.facts;
  if (tasks !== null) return loadRecords(engine, tasks, marked);
  const those = members && { members: () => members.map(String) };
  return { ...readTasksFrom(engine, files, { ...options, ...those, exempt: marked }), scoring: {} };
}

function loadRecords(engine: Engine, text: string, marked: Exempt): RecordedReading {
  const { machine, tasks, options } = parseTaskLines(text);
  beginSnapshot(engine, machine);
  for (const task of tasks) {
    stageTask(engine, task);
    engine.fields[L.FIELD_FLAGS]! |= marked(engine);
    putStaged(engine, task);
  }
  engine.abi.table_publish();
  return { machine, tasks: tasks.length, gone: 0, unreadable: 0, left: 0, scoring: options };
}

/** Tasks of a snapshot, so that an engine can be opened with room for them. */
export function tasksRecorded(files: RecordedFiles): number {
  const { members, tasks } = files.facts;
  if (tasks !== null) return tasks.split('\n').length;
  return members?.length ?? (files.exists('/proc') ? files.list('/proc').length : 0);
}

/** The memory of the domain of a recording, wherever its files stand when it is read. */
export class RecordedMemory {
  readonly #files: RecordedFiles;
  #reader: { read(): MemoryState } | null = null;

  constructor(files: RecordedFiles) {
    this.#files = files;
  }

  /** @throws errno names and BadnessError `EBADMSG` as for a live machine; `ENOMEMORY` for records that nobody measured memory for. */
  read(): MemoryState {
    const { facts } = this.#files;
    if (facts.memory) return facts.memory;
    if (facts.tasks !== null) {
      throw new BadnessError('ENOMEMORY', 'expected a statement memory beside the task records, found none');
    }
    this.#reader ??= this.#opened();
    return this.#reader.read();
  }

  #opened(): { read(): MemoryState } {
    try {
      return this.#open();
    } catch (cause) {
      if (!isGone(cause)) throw cause;
      throw new BadnessError('ENOMEMORY', `expected files that tell of memory: ${(cause as Error).message}`, { cause });
    }
  }

  #open(): { read(): MemoryState } {
    const files = this.#files;
    const { domain } = files.recording.facts;
    if (domain.kind === 'measured')
      throw new BadnessError('ENOMEMORY', `expected a statement memory of ${domain.name}, found none`);
    const machine = new MachineMemory(files);
    return domain.kind === 'system' ? machine : new CgroupMemory(files, domain, () => machine.read());
  }
}
