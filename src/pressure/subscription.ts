/** Stage: watch. In: each reading of the guard. Out: the same reading for every thread that wants it, without a system call. */
import { type MemoryState, PRESSURE_LEVELS, type PressureLevel } from './memory-state.js';

/** One published reading. */
export interface MemoryNews extends MemoryState {
  readonly level: PressureLevel;
  /** When it was read, in the clock of the publisher (monotonic milliseconds of this process). */
  readonly atMs: number;
}

/** A ring of readings: a reader has the time of six publications for its copy before its slot is written again. */
const SLOTS = 8;
const FIELDS = 7;
const RING_AT = 8;
const BUFFER_BYTES = RING_AT + SLOTS * FIELDS * 8;

/**
 * One reading of the pressure sources shared by all who want it, instead of everyone polling /proc/meminfo (the `/dev/oom` of the 2005
 * proposal's list). The publisher writes, any thread that was handed {@link buffer} reads or waits.
 */
export class MemorySubscription {
  /** To post to other threads, and to give to {@link MemorySubscription} there. */
  readonly buffer: SharedArrayBuffer;
  /** How many readings were published. */
  readonly #count: Int32Array;
  readonly #ring: Float64Array;
  readonly #listeners = new Set<(news: MemoryNews) => void>();

  /** Without a buffer a new one is made. @throws RangeError when the buffer is none of this class. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BUFFER_BYTES)) {
    if (buffer.byteLength !== BUFFER_BYTES) {
      throw new RangeError(`buffer must have ${BUFFER_BYTES} bytes, got ${buffer.byteLength}`);
    }
    this.buffer = buffer;
    this.#count = new Int32Array(buffer, 0, 1);
    this.#ring = new Float64Array(buffer, RING_AT);
  }

  /** Writes a reading, wakes the waiting and calls the listeners of this thread. One publisher only. */
  publish(state: MemoryState, level: PressureLevel, nowMs: number): void {
    const at = slotOf(this.readings);
    this.#ring[at] = state.totalKib;
    this.#ring[at + 1] = state.availableKib;
    this.#ring[at + 2] = state.basisKib;
    this.#ring[at + 3] = state.swapTotalKib;
    this.#ring[at + 4] = state.swapFreeKib;
    this.#ring[at + 5] = PRESSURE_LEVELS.indexOf(level);
    this.#ring[at + 6] = nowMs;
    Atomics.add(this.#count, 0, 1);
    Atomics.notify(this.#count, 0);
    if (this.#listeners.size > 0) this.#tell();
  }

  /** A listener that throws is no reason to stop watching; it is dropped, and its error surfaces as an uncaught one. */
  #tell(): void {
    const news = this.latest();
    if (news === null) return;
    for (const listener of [...this.#listeners]) {
      try {
        listener(news);
      } catch (error) {
        this.#listeners.delete(listener);
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Calls `listener` at each publication by this object, in this thread. Returns what ends it. */
  subscribe(listener: (news: MemoryNews) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The newest reading, whole; null before the first. No system call. */
  latest(): MemoryNews | null {
    for (;;) {
      const seen = this.readings;
      if (seen === 0) return null;
      const at = slotOf(seen - 1);
      const news = {
        totalKib: this.#ring[at]!,
        availableKib: this.#ring[at + 1]!,
        basisKib: this.#ring[at + 2]!,
        swapTotalKib: this.#ring[at + 3]!,
        swapFreeKib: this.#ring[at + 4]!,
        level: PRESSURE_LEVELS[this.#ring[at + 5]!]!,
        atMs: this.#ring[at + 6]!,
      };
      if (this.readings - seen < SLOTS - 1) return news;
      // This thread stood still while the ring went round.
    }
  }

  /** How many readings were published, 0 … 2^32 − 1. */
  get readings(): number {
    return Atomics.load(this.#count, 0) >>> 0;
  }

  /** Blocks this thread until there is a reading after `seen` ({@link readings}), or the time is over: false. For workers. */
  wait(seen: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#count, 0, seen | 0, timeoutMs) !== 'timed-out';
  }
}

function slotOf(reading: number): number {
  return (reading % SLOTS) * FIELDS;
}
