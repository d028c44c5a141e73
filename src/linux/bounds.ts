/**
 * Stage: bytes → table, the cheap way. One short reading (/proc/PID/statm) a task comes in, rows that bound the points
 * from above go out. Whoever would win on a bound is then read in full, and the others need not be: the victim is the
 * same as after a full reading of everybody, for a fraction of the system calls.
 *
 * Why a row is a bound: rss is read; swap is at most what the machine uses, and with rss together at most the address space;
 * page tables are at most what that allows (or twice what was read last, see `sound`); CPU time and run time only grow, so
 * the divisors of the last reading are at most today's; priority, privileges and oom_score_adj are taken at their worst.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { ScoreOptions } from '../rank.js';
import { COLUMNS } from '../snapshot-copy.js';
import { ROW_NEW } from './task-list.js';

/** What every bound of a round rests on. */
export interface BoundTerms {
  /** Pages of swap in use on the machine. */
  swapUsedPages: number;
  pageSize: number;
  /** Mappings that a process may have, {@link MAPPINGS_MAX} at least. */
  mappingsMost: number;
  /** Trust nothing remembered: page tables are bounded by the address space alone. */
  sound: boolean;
}

/** The kernel's default of vm.max_map_count; distributions raise it, to 1,048,576 say. */
export const MAPPINGS_MAX = 65_530;
/** Each mapping may open a page of each of them at both ends. */
const TABLE_LEVELS = 3;
/** Page tables may double and grow by this between two sound rounds without being looked at. */
const SLACK_PAGES = 1024;
const START_LATEST = 2 ** 31 - 1;

/**
 * Flags that no later reading can take back. A kernel thread becomes a process by exec (user mode helpers), and a name on
 * the never list another name.
 */
const LASTING = L.TASK_INIT | L.TASK_PROTECTED | L.TASK_SELF | L.TASK_SAME_MM;

/** Pages of page tables that so large an address space can have: four levels, 512 entries each. */
function mostTables(totalVm: number, { mappingsMost }: BoundTerms): number {
  return Math.min(TABLE_LEVELS * (totalVm + 1), Math.floor(totalVm / 256) + 2 * TABLE_LEVELS * mappingsMost);
}

/** Columns of one snapshot, as views. */
class Snapshot {
  readonly address: number;
  private readonly engine: Engine;

  constructor(engine: Engine, index: number) {
    this.engine = engine;
    this.address = L.TASKS + index * (L.SNAPSHOT_HEADER_BYTES + L.COLUMNS_BYTES * engine.capacity);
  }

  /** Address of a column. */
  column(offset: number): number {
    return this.address + L.SNAPSHOT_HEADER_BYTES + offset * this.engine.capacity;
  }

  f64(offset: number): Float64Array {
    return new Float64Array(this.engine.memory.buffer, this.column(offset), this.engine.capacity);
  }

  f32(offset: number): Float32Array {
    return new Float32Array(this.engine.memory.buffer, this.column(offset), this.engine.capacity);
  }

  u32(offset: number): Uint32Array {
    return new Uint32Array(this.engine.memory.buffer, this.column(offset), this.engine.capacity);
  }
}

function viewsOf(snapshot: Snapshot) {
  return {
    snapshot,
    totalVm: snapshot.f64(L.C_TOTAL_VM),
    rss: snapshot.f64(L.C_RSS),
    pgtables: snapshot.f64(L.C_PGTABLES_BYTES),
    utime: snapshot.f64(L.C_UTIME),
    stime: snapshot.f64(L.C_STIME),
    charge: snapshot.f64(L.C_CHARGE),
    cpuDiv: snapshot.f32(L.C_CPU_DIV),
    ids: snapshot.u32(L.C_ID),
    threads: snapshot.u32(L.C_THREADS),
    flags: snapshot.u32(L.C_FLAGS),
    adj: snapshot.u32(L.C_OOM_SCORE_ADJ),
    startS: snapshot.u32(L.C_START_S),
  };
}

/** Pages in memory and in swap at most. A page of the address space is in one of them or in neither. */
function heldPages(rss: number, totalVm: number, { swapUsedPages }: BoundTerms): number {
  return Math.min(rss + swapUsedPages, Math.max(rss, totalVm));
}

/** Writes the rows of a round into the snapshot that is being made. */
export class Bounds {
  private readonly engine: Engine;
  private readonly young: boolean;
  private readonly kernelAdj: boolean;
  private readonly snapshots: readonly [ReturnType<typeof viewsOf>, ReturnType<typeof viewsOf>];

  constructor(engine: Engine, options: ScoreOptions) {
    this.engine = engine;
    this.young = options.age === 'spare-young';
    this.kernelAdj = options.adj === 'kernel';
    this.snapshots = [viewsOf(new Snapshot(engine, 0)), viewsOf(new Snapshot(engine, 1))];
  }

  /**
   * Row by row: `rows` says which row of the current snapshot each continues (ROW_NEW none), `totalVm` and `rss` what
   * was read just now, in pages.
   */
  write(
    count: number,
    rows: Int32Array,
    tgids: Int32Array,
    totalVm: Float64Array,
    rss: Float64Array,
    terms: BoundTerms,
  ): void {
    const current = this.engine.view.getUint32(L.H_CURRENT, true);
    const from = this.snapshots[current]!.snapshot;
    const to = this.snapshots[1 - current]!;
    // Run by run: most rounds are one run of rows that go on, the first is one of new rows.
    for (let start = 0; start < count; ) {
      const isNew = rows[start] === ROW_NEW;
      let end = start + 1;
      while (end < count && rows[end] === (isNew ? ROW_NEW : rows[end - 1]! + 1)) ++end;
      if (isNew) this.boundNew(to, start, end, totalVm, rss, terms);
      else {
        this.carry(start, end, rows[start]!, from, to.snapshot);
        for (let row = start; row < end; ++row) this.bound(to, row, totalVm[row]!, rss[row]!, terms);
      }
      start = end;
    }
    to.ids.set(tgids.subarray(0, count));
    this.finish(count, from, to.snapshot);
  }

  /** Copies rows that go on, column by column. */
  private carry(start: number, end: number, first: number, from: Snapshot, to: Snapshot): void {
    const { bytes } = this.engine;
    for (const [offset, width] of COLUMNS) {
      const source = from.column(offset) + first * width;
      bytes.copyWithin(to.column(offset) + start * width, source, source + (end - start) * width);
    }
  }

  private finish(count: number, from: Snapshot, to: Snapshot): void {
    const { view } = this.engine;
    for (const cell of [L.S_SLOW, L.S_ANY_FLAGS]) {
      view.setUint32(to.address + cell, view.getUint32(from.address + cell, true), true);
    }
    view.setUint32(to.address + L.S_PREPARED, 0, true);
    view.setUint32(to.address + L.S_COUNT, count, true);
  }

  /** Rows of tasks not seen before. In bulk where that can be: a first round is cold code, and all rows are new in it. */
  private boundNew(
    to: ReturnType<typeof viewsOf>,
    start: number,
    end: number,
    totalVm: Float64Array,
    rss: Float64Array,
    terms: BoundTerms,
  ): void {
    for (const [offset, width] of COLUMNS) {
      const at = to.snapshot.column(offset);
      this.engine.bytes.fill(0, at + start * width, at + end * width);
    }
    to.totalVm.set(totalVm.subarray(start, end), start);
    to.rss.set(rss.subarray(start, end), start);
    // Started in the future: no run time that would divide. C_START_TICKS stays 0, the first of all, so that no tie of
    // the old kernels passes it by.
    to.startS.fill(START_LATEST, start, end);
    to.cpuDiv.fill(1, start, end);
    to.flags.fill(L.TASK_BOUND | L.TASK_NICED, start, end);
    if (this.young) to.utime.fill(L.QUANTITY_MAX, start, end);
    if (this.kernelAdj) to.adj.fill(L.ADJ_MAX, start, end);
    for (let row = start; row < end; ++row) {
      const vm = totalVm[row]!;
      const charge = heldPages(rss[row]!, vm, terms) + mostTables(vm, terms) + 1;
      to.charge[row] = vm === 0 ? L.QUANTITY_MAX : charge;
      if (vm === 0) to.totalVm[row] = L.QUANTITY_MAX;
    }
  }

  /** Turns a row as it was into one that bounds what the task can have by now. */
  private bound(to: ReturnType<typeof viewsOf>, row: number, totalVm: number, rss: number, terms: BoundTerms): void {
    const known = to.flags[row]!;
    // Nothing mapped and known why: a kernel thread, or a leader that has exited and has no other threads. Not whom a rule excluded:
    // what the rule went by may have changed.
    const dead = (known & L.TASK_NO_MM) !== 0 && to.threads[row]! <= 1;
    const lasts = (known & L.TASK_RULE_NEVER) === 0 && ((known & L.TASK_KTHREAD) !== 0 || dead);
    if (totalVm === 0 && lasts) return;

    to.rss[row] = rss;
    // Zeros are also what a leader shows that has exited while its threads hold memory.
    to.totalVm[row] = totalVm === 0 ? L.QUANTITY_MAX : totalVm;
    // One page more than there can be, so that a bound never ties with the charge of another on when it started.
    const charge = heldPages(rss, totalVm, terms) + this.tables(to.pgtables[row]!, totalVm, terms) + 1;
    to.charge[row] = totalVm === 0 ? L.QUANTITY_MAX : Math.min(charge, L.QUANTITY_MAX);
    if (this.young) {
      // Here CPU time multiplies, so that no earlier reading bounds it.
      to.utime[row] = L.QUANTITY_MAX;
      to.stime[row] = 0;
    }
    if (this.kernelAdj) to.adj[row] = L.ADJ_MAX;
    to.flags[row] = (known & LASTING) | L.TASK_BOUND | L.TASK_NICED;
  }

  /** Pages of page tables at most. */
  private tables(lastBytes: number, totalVm: number, terms: BoundTerms): number {
    const sound = mostTables(totalVm, terms);
    // A row that was never read in full remembers no page tables.
    if (lastBytes === 0 || terms.sound) return sound;
    return Math.min(sound, 2 * Math.ceil(lastBytes / terms.pageSize) + SLACK_PAGES);
  }
}
