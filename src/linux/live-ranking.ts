/**
 * Stage: bytes → table → points → selection, for somebody who looks on: the worst of a machine, again and again. Keeps descriptors and
 * reads in full only who is shown, where the scheme allows that; else everybody, as `rank` does.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import {
  type RankedTask,
  type Ranking,
  rankedAt,
  rankTasks,
  type ScoreOptions,
  scoreTasks,
  worstSlots,
} from '../rank.js';
import { isBound } from '../rows.js';
import { DEFAULT_SCHEME, type SchemeName, schemeNumber } from '../schemes.js';
import type { Machine } from '../task.js';
import type { Exempt } from './exempt.js';
import { readMachine } from './machine.js';
import { readTasks } from './read-all.js';
import { ProcScanner } from './scan.js';
import { BOUNDED_SCHEMES } from './scan-options.js';

/** So many of those that are shown for being protected are read in full. */
const PROTECTED_MOST = 256;
/** Full readings for a list of the worst, whatever their number: some 10 ms of them. */
const READ_LEAST = 256;

/** By what a live ranking scores, and whom it leaves out. */
export interface LiveRankingOptions extends ScoreOptions {
  /** Where /proc is. Default `/proc`. */
  readonly root?: string;
  /** A pid that may not be chosen: that of whoever only looks and will be gone before anything is decided. */
  readonly except?: number;
}

/** One look of a live ranking. */
export interface LiveReading {
  readonly machine: Machine;
  /** Tasks seen. */
  readonly tasks: number;
  /** With the rows that were asked for; all of them were read in full. `eligible` counts those that were not as if they were. */
  readonly ranking: Ranking & { readonly scheme: SchemeName };
  /** There are fewer rows than were asked for: among thousands of equals everybody would have to be read to tell who is next. */
  readonly cut: boolean;
  /** Those of the protected that are there, in no order. */
  readonly protected: readonly RankedTask[];
}

/** Whether the points of the scheme can be bounded by a short reading (bounds.ts). */
function boundedScheme({ scheme = DEFAULT_SCHEME, age, adj }: ScoreOptions): (typeof BOUNDED_SCHEMES)[number] | null {
  if (age === 'spare-young' || adj === 'kernel') return null;
  return BOUNDED_SCHEMES.find((candidate) => candidate === scheme) ?? null;
}

/**
 * Ranks one machine again and again, in one scheme. The engine's table is its own meanwhile: one table has one writer, and
 * `explainTask` of the rows that were given is good until the next reading. Signals nobody.
 */
export class LiveRanking {
  readonly #engine: Engine;
  readonly #options: LiveRankingOptions;
  readonly #root: string;
  readonly #exempt: Exempt;
  readonly #scanner: ProcScanner | null;
  #protected: ReadonlySet<number> = new Set();

  /** Throws BadnessError `ENOTLINUX` without /proc. */
  constructor(engine: Engine, options: LiveRankingOptions = {}) {
    const { root = '/proc', except, ...scoring } = options;
    this.#engine = engine;
    this.#options = options;
    this.#root = root;
    this.#exempt = ({ fields }) => {
      const tgid = fields[L.FIELD_TGID]!;
      if (tgid === except) return L.TASK_SELF;
      return this.#protected.has(tgid) ? L.TASK_PROTECTED : 0;
    };
    const scheme = boundedScheme(scoring);
    this.#scanner = scheme && new ProcScanner(engine, { ...scoring, scheme, root, exempt: this.#exempt });
  }

  /** Whether a reading of some rows is cheaper than one of everybody. */
  get bounded(): boolean {
    return this.#scanner !== null;
  }

  /** Processes that somebody else protects, by id: they are not chosen from the next reading on. */
  protect(ids: ReadonlySet<number>): void {
    for (const id of this.#protected) {
      // The scanner remembers who is protected, and would for ever.
      if (!ids.has(id)) this.#scanner?.close();
    }
    this.#protected = ids;
  }

  /** The worst `count` now. Of everybody (Infinity) costs as much as `readTasks`. Throws what reading /proc throws. */
  read(count: number): LiveReading {
    const engine = this.#engine;
    const { except: _, root: __, ...scoring } = this.#options;
    const limit = Math.max(0, Math.min(count, engine.capacity));
    const isWhole = this.#scanner === null || count > engine.capacity;
    const machine = readMachine(this.#root);
    const options = { ...scoring, totalPages: scoring.totalPages ?? machine.totalPages };
    const tasks = isWhole ? this.#readAll() : this.#readWorst(this.#scanner!, limit, options);
    const rows = Math.min(limit, engine.count);
    const known = isWhole ? rows : this.#knownRows(rows, options);
    const ranking = rankTasks(engine, { ...options, limit: known });
    const shielded = this.#protectedSlots().map((slot) => rankedAt(engine, slot, ranking.scheme));
    return { machine, tasks, ranking, cut: known < rows, protected: shielded };
  }

  /** Closes the descriptors that it keeps. */
  close(): void {
    this.#scanner?.close();
  }

  #readAll(): number {
    // Its rows would be taken for those of the last round.
    this.#scanner?.close();
    return readTasks(this.#engine, { root: this.#root, exempt: this.#exempt }).tasks;
  }

  /**
   * Reads until nobody among the worst is only a bound: then nobody who was left out has more points. Where the bounds are the widest
   * everybody may have to be read; between two such rounds no more than a few.
   */
  #readWorst(scanner: ProcScanner, count: number, options: ScoreOptions): number {
    const { tasks, sound } = scanner.decide();
    for (const slot of this.#protectedSlots()) scanner.readFully(slot);
    let left = sound ? Number.POSITIVE_INFINITY : Math.max(READ_LEAST, 2 * count);
    for (let width = count; ; width *= 2) {
      scoreTasks(this.#engine, options);
      const slots = this.#worstSlots(width, options);
      if (left <= 0 || !slots.slice(0, count).some((slot) => isBound(this.#engine, slot))) return tasks;
      const bounds = slots.filter((slot) => isBound(this.#engine, slot)).slice(0, left);
      for (const slot of bounds) scanner.readFully(slot);
      left -= bounds.length;
    }
  }

  /** How many of the worst were read in full before the first who was not. */
  #knownRows(count: number, options: ScoreOptions): number {
    const first = this.#worstSlots(count, options).findIndex((slot) => isBound(this.#engine, slot));
    return first < 0 ? count : first;
  }

  #worstSlots(count: number, { scheme = DEFAULT_SCHEME }: ScoreOptions): number[] {
    return worstSlots(this.#engine, schemeNumber(scheme), count);
  }

  #protectedSlots(): number[] {
    const slots: number[] = [];
    if (this.#protected.size === 0) return slots;
    for (let slot = 0; slot < this.#engine.count && slots.length < PROTECTED_MOST; ++slot) {
      if (this.#protected.has(this.#engine.u32(L.C_ID, slot))) slots.push(slot);
    }
    return slots;
  }
}
