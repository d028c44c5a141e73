/**
 * Stage: bytes → table → selection, for whoever decides again and again. Keeps one descriptor a task on
 * /proc/PID/statm, re-reads only that each round, and reads in full only the tasks that can still win (bounds.ts says
 * why that finds the same victim). Everything is allocated when it is made; a round leaves almost no garbage.
 */
import { openSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { ProcPlace } from '../proc/proc-files.js';
import { stageTask } from '../proc/read-task.js';
import { scoreTasks, selectTask, worstSlots } from '../rank.js';
import { isBound } from '../rows.js';
import { schemeNumber } from '../schemes.js';
import { beginSnapshot, type Machine } from '../task.js';
import { Bounds, MAPPINGS_MAX } from './bounds.js';
import { blankDecided, type Decided } from './decided.js';
import { type FileCalls, NODE_FILES, type ReadAt } from './file-calls.js';
import { ForkWatch } from './fork-watch.js';
import { type Identity, keptIdentity } from './identity.js';
import { liveFiles } from './live-files.js';
import { readMachine, readMappingsMost, readMemory, readUptime } from './machine.js';
import { isForbidden, isGone } from './proc-files.js';
import type { ScanOptions } from './scan-options.js';
import { DESCRIPTOR_KERNEL_BYTES, descriptorBudget, ROW_GONE, ROW_NEW, TaskList } from './task-list.js';

/** Bytes asked of statm: two numbers, twenty digits each at most. */
const STATM_BYTES = 48;
/** One round in so many trusts nothing remembered: page tables are bounded by the address space alone, tasks are listed. */
const SOUND_EVERY = 16;
const REFINE_MAX = 64;
/** What a kill opens: identity, pidfd and stat of the victim and of a sharer, an eventfd, and files that it reads. */
const ROOM_DESCRIPTORS = 8;

/** Decides round after round about the tasks of one /proc. Signals nobody. */
export class ProcScanner {
  readonly machine: Machine;
  private readonly engine: Engine;
  private readonly options: ScanOptions;
  private readonly root: string;
  private readonly place: ProcPlace;
  private readonly bounds: Bounds;
  /** What statm said in this round, by place in the list. */
  private readonly totalVm: Float64Array;
  private readonly rss: Float64Array;
  private readonly tasks: TaskList;
  private readonly files: FileCalls;
  private readonly readAt: ReadAt;
  private readonly pids: () => readonly string[];
  private forks: ForkWatch | undefined;
  private round = 0;
  private gone = 0;
  private unreadable = 0;
  private listed = false;
  private sound = false;
  /** Somebody was gone in the round before, and another may have the pid by now. */
  private stale = false;
  private listMs = 0;
  private mappingsMost = MAPPINGS_MAX;

  constructor(engine: Engine, options: ScanOptions = {}) {
    this.engine = engine;
    this.options = options;
    this.root = options.root ?? '/proc';
    this.machine = readMachine(this.root, options.hz);
    const { hz, pageSize } = this.machine;
    this.place = { files: liveFiles, root: this.root, hz, pageSize };
    this.bounds = new Bounds(engine, options);
    this.totalVm = new Float64Array(engine.capacity);
    this.rss = new Float64Array(engine.capacity);
    this.files = options.files ?? NODE_FILES;
    this.readAt = this.files.readerInto(engine.bytes);
    this.pids = options.members ?? this.files.pidsIn(this.root);
    const budget = options.maxDescriptors ?? descriptorBudget(this.root);
    this.tasks = new TaskList(this.root, engine.capacity, budget, this.files);
    this.files.reserve(budget);
  }

  /** Descriptors kept open now, and the kernel memory they cost (slab, not in this process's RSS), in bytes. */
  get kernelCost(): { descriptors: number; bytes: number } {
    return { descriptors: this.tasks.kept, bytes: this.tasks.kept * DESCRIPTOR_KERNEL_BYTES };
  }

  /**
   * One round: lists, reads, scores and selects. The snapshot it leaves is the current one. `ofPages` is the size of what is
   * short of memory, which kernel schemes scale by; without it that of the options, or memory and swap of the machine.
   */
  decide(ofPages?: number): Decided {
    const began = performance.now();
    const { tasks, root, machine } = this;
    const { totalPages, swapUsedPages } = tasks.relieved(() => readMemory(root, machine.pageSize));
    const uptimeS = tasks.relieved(() => readUptime(root));
    const sound = this.round % SOUND_EVERY === 0;
    this.sound = sound;
    const mappings = sound ? tasks.relieved(() => readMappingsMost(root)) : 0;
    // Never fewer than once: whoever has mapped them keeps them.
    this.mappingsMost = Math.max(this.mappingsMost, mappings);
    this.round += 1;
    this.gone = 0;
    this.listed = this.mustList(sound);
    if (this.listed) this.list();
    tasks.openAll();
    this.read(sound);
    if (sound) tasks.favour(this.rss);
    beginSnapshot(this.engine, { ...machine, totalPages, uptimeS });
    this.bounds.write(tasks.count, tasks.rows, tasks.tgids, this.totalVm, this.rss, {
      swapUsedPages,
      sound,
      mappingsMost: this.mappingsMost,
      pageSize: machine.pageSize,
    });
    this.engine.abi.table_publish();
    tasks.number();
    return this.choose(
      { totalPages, ...this.options, ...(ofPages === undefined ? {} : { totalPages: ofPages }) },
      began,
    );
  }

  /**
   * The task in a row of the current snapshot, held by a descriptor of its own: reopened from the one kept, so that it
   * is the task that was read whatever its pid means by now. Null when none is kept for it.
   */
  identity(slot: number): Identity | null {
    const { tasks } = this;
    // Giving back may take the very descriptor that is wanted.
    const fd = tasks.relieved(() =>
      (tasks.fds[slot] ?? -1) < 0 ? -1 : openSync(`/proc/self/fd/${tasks.fds[slot]}`, 'r'),
    );
    return fd < 0 ? null : keptIdentity(tasks.tgids[slot]!, fd);
  }

  /** Before something that needs a few descriptors and must not fail for want of them: gives back of those it keeps. */
  makeRoom(): void {
    this.tasks.makeRoom(ROOM_DESCRIPTORS);
  }

  /** Reads a row of the current snapshot in full unless that was done; the next scoring gives its points. */
  readFully(slot: number): void {
    if (isBound(this.engine, slot)) this.refine(slot);
  }

  /** Closes every descriptor. The scanner can be used again and starts afresh. */
  close(): void {
    this.tasks.clear();
    this.forks?.close();
    this.forks = undefined;
    this.round = 0;
  }

  /** As `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Asks for forks in every round, so that the count is that of before the last listing. */
  private mustList(sound: boolean): boolean {
    // Members come and go without a fork.
    if (this.options.listing === 'always' || this.options.members) return true;
    this.forks ??= new ForkWatch(this.root);
    // Where counting costs more than listing it is asked only to see whether that still holds.
    if (!sound && this.forks.costMs > this.listMs) return true;
    return this.forks.mayHaveForked(this.tasks.count) || this.stale || sound;
  }

  private list(): void {
    const began = performance.now();
    const listed = this.tasks.relieved(this.pids);
    this.listMs = performance.now() - began;
    this.unreadable = 0;
    if (!this.tasks.equals(listed)) this.tasks.update(listed);
  }

  /** Reads every task's statm. Those that are gone are forgotten; the others keep their order. */
  private read(sound: boolean): void {
    const { tasks, engine, readAt } = this;
    const { fds, rows, count } = tasks;
    const at = engine.window + L.W_TEXT;
    let to = 0;
    for (let index = 0; index < count; ++index) {
      const fd = fds[index]!;
      let length: number;
      try {
        length = fd >= 0 ? readAt(fd, at, STATM_BYTES, 0) : this.readOnce(index, at);
      } catch (error) {
        length = this.readAgain(index, at, error);
      }
      if (length < 0) {
        rows[index] = ROW_GONE;
        continue;
      }
      // Without a descriptor nothing says that this is still the task of the last round.
      if (sound && fd < 0) rows[index] = ROW_NEW;
      this.keep(to++, engine.abi.statm_parse(engine.window, length) >= 0);
    }
    if (to < count) tasks.sweep();
    this.stale = this.gone > 0;
  }

  /** What statm said, by place in the list; a text that is not two numbers counts as nothing mapped. */
  private keep(place: number, isRead: boolean): void {
    const { fields } = this.engine;
    this.totalVm[place] = isRead ? fields[L.FIELD_TOTAL_VM_PAGES]! : 0;
    this.rss[place] = isRead ? fields[L.FIELD_RSS_PAGES]! : 0;
  }

  /** A reading without a kept descriptor. */
  private readOnce(index: number, at: number): number {
    const fd = this.tasks.open(index);
    try {
      return this.readAt(fd, at, STATM_BYTES, 0);
    } finally {
      this.files.close(fd);
    }
  }

  /**
   * After a reading that failed: the task behind a kept descriptor is gone, but its pid may be another's by now.
   * Returns the bytes read, or −1 when nobody is there or nobody to be read.
   */
  private readAgain(index: number, at: number, error: unknown): number {
    if (isForbidden(error)) {
      this.unreadable += 1;
      return -1;
    }
    if (!isGone(error)) throw error;
    this.gone += 1;
    this.tasks.release(index);
    try {
      return this.readOnce(index, at);
    } catch (second) {
      if (!isGone(second) && !isForbidden(second)) throw second;
      return -1;
    }
  }

  /** Scores and selects until the winner is a task that was read in full, and nothing in its rules is open. */
  private choose(options: ScanOptions, began: number): Decided {
    const scheme = schemeNumber(options.scheme ?? 'badness');
    const decided = blankDecided(this.tasks.count, options.totalPages ?? 0);
    options.rules?.begin(options);
    for (let width = 1, isScored = false; ; ) {
      const scoring = performance.now();
      if (!isScored) {
        scoreTasks(this.engine, options);
        options.rules?.adjust();
        isScored = true;
      }
      const selecting = performance.now();
      const { outcome, slot } = selectTask(this.engine, options);
      const selected = performance.now();
      decided.scoreUs += (selecting - scoring) * 1000;
      decided.selectUs += (selected - selecting) * 1000;
      Object.assign(decided, { outcome, slot });
      if (slot < 0) break;
      if (isBound(this.engine, slot)) {
        decided.refined += this.refineWorst(scheme, width);
        width = Math.min(width * 2, REFINE_MAX);
        isScored = false;
      } else if (!options.rules?.settle(slot)) break;
    }
    const { gone, unreadable, listed, sound } = this;
    Object.assign(decided, { gone, unreadable, listed, sound });
    decided.roundUs = (performance.now() - began) * 1000;
    decided.readUs = decided.roundUs - decided.scoreUs - decided.selectUs;
    return decided;
  }

  /** Reads those of the worst `width` rows in full that are only bounds. Returns how many. */
  private refineWorst(scheme: number, width: number): number {
    const slots = worstSlots(this.engine, scheme, width).filter((slot) => isBound(this.engine, slot));
    for (const slot of slots) this.refine(slot);
    return slots.length;
  }

  private refine(slot: number): void {
    const { engine, place } = this;
    const pid = String(engine.u32(L.C_ID, slot));
    const staged = this.tasks.relieved(() => stageTask(engine, place, pid));
    if (staged !== 'staged') {
      this.gone += 1;
      this.stageNobody(pid);
    } else if (this.options.exempt) {
      engine.fields[L.FIELD_FLAGS]! |= this.options.exempt(engine);
    }
    if (engine.abi.table_refresh(engine.window, slot) >= 0) return;
    this.stageNobody(pid);
    engine.abi.table_refresh(engine.window, slot);
  }

  /** Gone since it was listed, hidden from us, or beyond the columns: a row without memory cannot win. */
  private stageNobody(pid: string): void {
    const { fields } = this.engine;
    fields.fill(0);
    fields[L.FIELD_TGID] = Number(pid);
    fields[L.FIELD_STATE] = 'X'.charCodeAt(0); // A record of it has to have one.
    // Whoever shows up under this pid is no older than now.
    fields[L.FIELD_START_TIME_TICKS] = L.QUANTITY_MAX;
  }
}
