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

/** u32 of what is staged: the fields, and the comm behind them. */
const WORDS = (L.W_COMM + L.COMM_BYTES - L.W_FIELDS) / 4;
const ROWS_FIRST = 256;

/** Of one recording and one engine. */
export class StagedRows {
  readonly #engine: Engine;
  readonly #staged: Uint32Array;
  /** Where the row of each pid lies in `#rows`; whoever is forgotten leaves its place to the next. */
  readonly #places = new Map<string, number>();
  readonly #free: number[] = [];
  #rows = new Uint32Array(ROWS_FIRST * WORDS);

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#staged = new Uint32Array(engine.memory.buffer, engine.window + L.W_FIELDS, WORDS);
  }

  /** The recording goes on to this snapshot. */
  forget({ entries, owners, gone }: SnapshotChange): void {
    for (const paths of [entries.keys(), owners.keys(), gone]) {
      for (const path of paths) this.#forget(pidOf(path));
    }
    // Whoever says that all of /proc is gone means everybody.
    if (gone.some((path) => pidOf(path) === '')) for (const pid of [...this.#places.keys()]) this.#forget(pid);
  }

  #forget(pid: string): void {
    const place = this.#places.get(pid);
    if (place === undefined) return;
    this.#places.delete(pid);
    this.#free.push(place);
  }

  /** As stageTask, on its engine. */
  stage(place: ProcPlace, pid: string, parents?: SleepingParents): Staged {
    const kept = this.#places.get(pid);
    if (kept !== undefined) {
      this.#staged.set(this.#rows.subarray(kept * WORDS, (kept + 1) * WORDS));
      return 'staged';
    }
    const outcome = stageTask(this.#engine, place, pid, parents);
    // Before exec, what a task is hangs on the files of its parent too.
    if (outcome === 'staged' && (this.#engine.fields[L.FIELD_PF_FLAGS]! & L.PF_FORKNOEXEC) === 0) this.#keep(pid);
    return outcome;
  }

  #keep(pid: string): void {
    const place = this.#free.pop() ?? this.#places.size;
    this.#places.set(pid, place);
    if ((place + 1) * WORDS > this.#rows.length) {
      const rows = new Uint32Array(2 * this.#rows.length);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    this.#rows.set(this.#staged, place * WORDS);
  }
}

/** Of `/proc/PID/stat` and `/proc/PID`; empty for `/proc`. */
function pidOf(path: string): string {
  const from = path.indexOf('/', 1) + 1;
  if (from === 0) return '';
  const end = path.indexOf('/', from);
  return end < 0 ? path.slice(from) : path.slice(from, end);
}
