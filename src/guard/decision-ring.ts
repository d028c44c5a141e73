/**
 * Stage: selection → report. The last decisions of a guard, whole: the rows that were decided on, what they were scored with, memory as it
 * was, and what rules looked at. Bounded in number and bytes; a buffer for the next one is made ready while memory is not short.
 */
import type { Engine } from '../engine.js';
import type { MemoryState } from '../pressure/memory-state.js';
import type { LookedAt } from '../proc/rule-texts.js';
import { copyBytes, copySnapshot, rowsOf } from '../snapshot-copy.js';
import type { Choice } from './world.js';

/** One decision, as far as it can be kept without taking time. */
export interface KeptDecision {
  /** Number of its record in the engine, as told in the report of its round. */
  readonly id: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
  readonly options: Choice['options'];
  readonly memory: MemoryState | null;
  /** A copy of the snapshot (restoreSnapshot). */
  readonly copy: Uint8Array;
  /** Files that rules looked at, by path. */
  readonly looked: ReadonlyMap<string, LookedAt>;
}

export interface DecisionRingOptions {
  /** How many are kept, 0 … 64. Default 16. */
  readonly most?: number;
  /** Bytes of them together, but for the newest, which is kept whatever its size. Default 16 MiB: 208 bytes a task and decision. */
  readonly bytesMost?: number;
}

const MOST = 16;
const BYTES_MOST = 2 ** 24;
/** Tasks come meanwhile. */
const SPARE_ROWS = 256;

export class DecisionRing {
  readonly #most: number;
  readonly #bytesMost: number;
  readonly #kept: { decision: KeptDecision; report: string | null; buffer: Uint8Array }[] = [];
  #bytes = 0;
  #spare: Uint8Array = new Uint8Array(0);

  /** Throws RangeError. */
  constructor({ most = MOST, bytesMost = BYTES_MOST }: DecisionRingOptions = {}) {
    if (!Number.isInteger(most) || most < 0 || most > 64) throw new RangeError(`decisions must be 0..64, got ${most}`);
    this.#most = most;
    this.#bytesMost = bytesMost;
  }

  /** Bytes of the buffers, the spare one included. */
  get bytes(): number {
    return this.#bytes + this.#spare.length;
  }

  get count(): number {
    return this.#kept.length;
  }

  /** Makes room for the next decision on as many tasks as there are now: the pages of it are touched here, and not when memory is short. */
  prepare(engine: Engine): void {
    if (this.#most === 0 || this.#spare.length >= copyBytes(engine.count)) return;
    this.#spare = new Uint8Array(copyBytes(engine.count + SPARE_ROWS)).fill(1);
  }

  /** Keeps the current snapshot of the engine, which was just decided on; null where none is to be kept. */
  keep(engine: Engine, facts: Omit<KeptDecision, 'copy'>): KeptDecision | null {
    if (this.#most === 0) return null;
    this.prepare(engine);
    const buffer = this.#spare;
    copySnapshot(engine, buffer);
    const copy = buffer.subarray(0, copyBytes(rowsOf(buffer)));
    const decision = { ...facts, copy };
    this.#kept.push({ decision, report: null, buffer });
    this.#bytes += buffer.length;
    this.#spare = this.#room();
    return decision;
  }

  /** Lets the oldest go that are too many. Answers the largest buffer that became free. */
  #room(): Uint8Array {
    let free: Uint8Array = new Uint8Array(0);
    while (this.#kept.length > 1 && (this.#kept.length > this.#most || this.#bytes > this.#bytesMost)) {
      const { buffer } = this.#kept.shift()!;
      this.#bytes -= buffer.length;
      if (buffer.length > free.length) free = buffer;
    }
    return free;
  }

  /** What came of it, as it was told. */
  addReport(id: number, report: string): void {
    const found = this.#kept.find(({ decision }) => decision.id === id);
    if (found) found.report = report;
  }

  /** The decision of that number; null when it is not kept any more. */
  find(id: number): { readonly decision: KeptDecision; readonly report: string | null } | null {
    return this.#kept.find(({ decision }) => decision.id === id) ?? null;
  }
}
