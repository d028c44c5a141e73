/**
 * Stage: bytes → table, of a recording. Tasks as they were staged, kept until their files change: from one snapshot of a recording to the
 * next most are the same, and parsing them is most of the time that looking at them takes.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { ProcPlace } from '../proc/proc-files.js';
import { type Staged, stageTask } from '../proc/read-task.js';
import type { SleepingParents } from '../proc/vfork.js';
import type { SnapshotChange } from './recording.js';

interface Row {
  readonly fields: Float64Array;
  readonly comm: Uint8Array;
}

/** Of one recording and one engine. */
export class StagedRows {
  readonly #rows = new Map<string, Row>();

  /** The recording goes on to this snapshot. */
  forget({ entries, owners, gone }: SnapshotChange): void {
    for (const paths of [entries.keys(), owners.keys(), gone]) {
      for (const path of paths) this.#rows.delete(pidOf(path));
    }
    // Whoever says that all of /proc is gone means everybody.
    if (gone.some((path) => pidOf(path) === '')) this.#rows.clear();
  }

  /** As stageTask. */
  stage(engine: Engine, place: ProcPlace, pid: string, parents?: SleepingParents): Staged {
    const comm = engine.window + L.W_COMM;
    const kept = this.#rows.get(pid);
    if (kept) {
      engine.fields.set(kept.fields);
      engine.bytes.set(kept.comm, comm);
      return 'staged';
    }
    const staged = stageTask(engine, place, pid, parents);
    const { fields, bytes } = engine;
    // Before exec, what a task is hangs on the files of its parent too.
    if (staged === 'staged' && (fields[L.FIELD_PF_FLAGS]! & L.PF_FORKNOEXEC) === 0) {
      this.#rows.set(pid, { fields: fields.slice(), comm: bytes.slice(comm, comm + L.COMM_BYTES) });
    }
    return staged;
  }
}

/** Of `/proc/PID/stat` and `/proc/PID`; empty for `/proc`. */
function pidOf(path: string): string {
  const [, , pid = ''] = path.split('/', 3);
  return pid;
}
