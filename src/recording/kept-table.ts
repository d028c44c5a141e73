/**
 * Stage: bytes → table, of a recording that is gone through. From one snapshot to the next most tasks are the same, so the table of an engine
 * is kept and only rows whose files have changed are read and written again. Their order is not that of the recording; nothing hangs on it.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { machineAt } from '../proc/machine.js';
import { pidsAmong } from '../proc/proc-files.js';
import { stageTask } from '../proc/read-task.js';
import type { SleepingParents } from '../proc/vfork.js';
import { beginSnapshot, type Machine } from '../task.js';
import { flagsOf, loadRecorded } from './load.js';
import type { RecordedFiles } from './recorded-files.js';
import type { SnapshotChange, SnapshotFacts } from './recording.js';

const PROC = '/proc';
/** u32 of what is staged: the fields, and the comm behind them. */
const WORDS = (L.W_COMM + L.COMM_BYTES - L.W_FIELDS) / 4;
const ROWS_FIRST = 256;

/** Of one recording and one engine, which nobody else fills meanwhile. */
export class KeptTable {
  readonly #engine: Engine;
  readonly #files: RecordedFiles;
  readonly #staged: Uint32Array;
  /** What was staged for each row, but for marks, its flags in the table, and whose it is. */
  #rows = new Uint32Array(ROWS_FIRST * WORDS);
  readonly #flags: Uint32Array;
  readonly #pids: string[] = [];
  readonly #slots = new Map<string, number>();
  /** Whose files have changed since they were read. */
  readonly #changed = new Set<string>();
  /** Before exec, what a task is hangs on the files of its parent too. */
  readonly #forked = new Set<string>();
  /** Of the snapshot in the table; null where that is not one of files, or not a whole one. */
  #facts: SnapshotFacts | null = null;
  #members: ReadonlySet<string> | null = null;
  #marks: ReadonlyMap<number, number> = new Map();

  constructor(engine: Engine, files: RecordedFiles) {
    this.#engine = engine;
    this.#files = files;
    this.#staged = new Uint32Array(engine.memory.buffer, engine.window + L.W_FIELDS, WORDS);
    this.#flags = new Uint32Array(engine.capacity);
  }

  /** Flags of the rows as they were read, whatever somebody made of those in the table. */
  get flags(): Uint32Array {
    return this.#flags.subarray(0, this.#engine.count);
  }

  /** The files have gone on to this snapshot. */
  note({ entries, owners, gone }: SnapshotChange): void {
    if (this.#facts === null) return;
    for (const paths of [entries.keys(), owners.keys(), gone]) {
      for (const path of paths) this.#changed.add(pidOf(path));
    }
    // Whoever says that all of /proc is gone means everybody.
    if (gone.some((path) => pidOf(path) === '')) this.#facts = null;
  }

  /** The table is of the snapshot that the files stand at now. Throws as loadRecorded does. */
  load(): Machine {
    const { facts } = this.#files;
    if (facts.tasks !== null) {
      this.#facts = null;
      const { machine } = loadRecorded(this.#engine, this.#files);
      for (let slot = 0; slot < this.#engine.count; ++slot) this.#flags[slot] = this.#engine.u32(L.C_FLAGS, slot);
      return machine;
    }
    const machine = machineAt(this.#files, PROC);
    const ticks = Math.round(machine.uptimeS * L.USER_HZ);
    const before = this.#facts;
    if (before === null || before.members !== facts.members || ticks > L.QUANTITY_MAX) this.#begin(machine, facts);
    this.#facts = facts;
    this.#engine.view.setFloat64(this.#engine.snapshot + L.S_UPTIME_TICKS, ticks, true);
    if (before?.marks !== facts.marks) this.#mark();
    this.#readChanged(machine);
    return machine;
  }

  /** An empty table, for which everybody has changed. Throws RangeError for a machine that cannot be. */
  #begin(machine: Machine, { members }: SnapshotFacts): void {
    beginSnapshot(this.#engine, machine);
    this.#engine.abi.table_publish();
    this.#pids.length = 0;
    this.#slots.clear();
    this.#forked.clear();
    this.#changed.clear();
    const pids = members?.map(String) ?? this.#files.list(PROC);
    for (const pid of pids) this.#changed.add(pid);
    this.#members = members && new Set(pids);
  }

  #mark(): void {
    this.#marks = flagsOf(this.#files);
    for (const slot of this.#pids.keys()) this.#write(slot);
  }

  #readChanged({ hz, pageSize }: Machine): void {
    const place = { files: this.#files, root: PROC, hz, pageSize };
    const parents: SleepingParents = new Map();
    for (const pid of this.#forked) this.#changed.add(pid);
    for (const pid of pidsAmong([...this.#changed])) {
      this.#forked.delete(pid);
      const isOne = this.#members?.has(pid) ?? true;
      const isStaged = isOne && stageTask(this.#engine, place, pid, parents) === 'staged';
      if (isStaged && (this.#engine.fields[L.FIELD_PF_FLAGS]! & L.PF_FORKNOEXEC) !== 0) this.#forked.add(pid);
      if (!isStaged || !this.#keep(pid)) this.#drop(pid);
    }
    this.#changed.clear();
  }

  /** Puts whoever is staged into its row. False for values that do not fit, and where the engine has no room. */
  #keep(pid: string): boolean {
    const slot = this.#slots.get(pid) ?? this.#pids.length;
    if (slot === this.#engine.capacity) {
      // There may be room for it in the next snapshot.
      this.#facts = null;
      return false;
    }
    if ((slot + 1) * WORDS > this.#rows.length) {
      const rows = new Uint32Array(2 * this.#rows.length);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    this.#rows.set(this.#staged, slot * WORDS);
    this.#pids[slot] = pid;
    this.#slots.set(pid, slot);
    this.#count();
    return this.#write(slot);
  }

  /** The last row takes its place. */
  #drop(pid: string): void {
    const slot = this.#slots.get(pid);
    if (slot === undefined) return;
    const last = this.#pids.length - 1;
    const moved = this.#pids.pop()!;
    this.#slots.set(moved, slot);
    this.#slots.delete(pid);
    this.#count();
    if (slot === last) return;
    this.#pids[slot] = moved;
    this.#rows.copyWithin(slot * WORDS, last * WORDS, (last + 1) * WORDS);
    this.#write(slot);
  }

  #count(): void {
    this.#engine.view.setUint32(this.#engine.snapshot + L.S_COUNT, this.#pids.length, true);
  }

  /** What is kept of a row, and marks, to the table. False for values that do not fit. */
  #write(slot: number): boolean {
    const { abi, fields, window } = this.#engine;
    this.#staged.set(this.#rows.subarray(slot * WORDS, (slot + 1) * WORDS));
    fields[L.FIELD_FLAGS]! |= this.#marks.get(fields[L.FIELD_TGID]!) ?? 0;
    if (abi.table_refresh(window, slot) < 0) return false;
    this.#flags[slot] = this.#engine.u32(L.C_FLAGS, slot);
    return true;
  }
}

/** Of `/proc/PID/stat` and `/proc/PID`; empty for `/proc`. */
function pidOf(path: string): string {
  const from = path.indexOf('/', 1) + 1;
  if (from === 0) return '';
  const end = path.indexOf('/', from);
  return end < 0 ? path.slice(from) : path.slice(from, end);
}
