/** Stage: watch. In: memory of a domain and thresholds. Out: its level, and how long one may sleep before it can have changed. */
import { defineThresholds, type Level, type Thresholds } from '../policy/levels.js';
import { boundOf } from '../policy/threshold.js';
import {
  availablePercent,
  levelOf,
  type MemoryState,
  type PressureLevel,
  swapCounts,
  swapFreePercent,
} from './memory-state.js';
import { noWakeUps, type Pressure, type PressureSource, unreadable, type WakeUp } from './pressure.js';

/** Where memory is read: `MeminfoReader`, `CgroupReader`, or the caller's own. */
export interface MemoryReader {
  /** @throws anything when it cannot be read. */
  read(): MemoryState;
  /** Only what is available, KiB; NaN when a whole reading is needed to know. @throws as `read`. */
  available?(): number;
  /** Frees what reading needs. */
  close?(): void;
}

/** From which memory on it is short, and how long a guard may sleep. */
export interface MemorySourceOptions {
  readonly name?: string;
  /** Default: those of a default policy. */
  readonly thresholds?: Thresholds;
  /** Least and most sleep in milliseconds, 1 … 60,000. Default 20 and 1,000. */
  readonly leastMs?: number;
  readonly mostMs?: number;
  /**
   * Sleep per percent of memory above the next threshold, in milliseconds, 1 … 1,000. Default 7, half as much again
   * beyond 25 percent: 105 ms at 25 % available, 438 at 60 %.
   */
  readonly msPerPercent?: number;
}

const KIB = 1024;
/** Faster than this nothing fills memory: 4 GiB/s, a few processors that touch fresh pages. In KiB per millisecond. */
const FILL_MOST = (4 * 2 ** 20) / 1000;
/** Faster than this nothing fills swap: 1 GiB/s. */
const SWAP_FILL_MOST = 2 ** 20 / 1000;
/**
 * Half of the sleep is the delay of an answer on the average, and each wake-up costs Node some 0.12 ms, of which 0.08 are the kernel's. At
 * 25 % available, 15 above the threshold: 105 ms, so 9.5 wake-ups a second. At 60 %: 438 ms, 2.3 wake-ups. tests/bench/reaction.mjs measures
 * both, and the answer.
 */
const MS_PER_PERCENT = 7;
/** What is farther from the threshold than so many percent is worth half as much sleep again: a jump over all of it at once is rarer. */
const FAR_PERCENT = 25;
/** However near the threshold: no oftener than this while the memory left would outlast twice the time. */
const NEAR_MS = 100;
/** What may be missing of the memory above the threshold of `warn` before a glance is not enough. */
const GLANCE_ROOM = 1 / 16;
/** After an unreadable answer, and while the highest level stands: nothing more urgent can come. */
const SETTLED_MS = 100;

/** Memory against thresholds. It owns the reader. @throws RangeError, TypeError by name and value. */
export function memorySource(reader: MemoryReader, options: MemorySourceOptions = {}): MemorySource {
  return new MemorySource(reader, options);
}

export class MemorySource implements PressureSource {
  readonly name: string;
  readonly #reader: MemoryReader;
  readonly #thresholds: Thresholds;
  readonly #leastMs: number;
  readonly #mostMs: number;
  readonly #msPerPercent: number;
  #state: MemoryState | null = null;
  #level: PressureLevel = 'none';
  #readAtMs = Number.NaN;
  /** How fast available memory fell between the last readings, KiB per millisecond, ≥ 0; falls off slowly. */
  #fillRate = 0;

  constructor(reader: MemoryReader, options: MemorySourceOptions) {
    this.name = options.name ?? 'memory';
    this.#reader = reader;
    this.#thresholds = options.thresholds ?? defineThresholds();
    this.#leastMs = delay('leastMs', options.leastMs ?? 20);
    this.#mostMs = delay('mostMs', options.mostMs ?? 1000);
    this.#msPerPercent = delay('msPerPercent', options.msPerPercent ?? MS_PER_PERCENT, 1000);
    if (this.#leastMs > this.#mostMs) throw new RangeError(`leastMs must be ≤ mostMs, got ${this.#leastMs}`);
  }

  /** The last reading; null before the first and after a failure. */
  get state(): MemoryState | null {
    return this.#state;
  }

  /** The level of the last reading. */
  get level(): PressureLevel {
    return this.#level;
  }

  read(nowMs: number): Pressure {
    let state: MemoryState;
    try {
      state = this.#reader.read();
    } catch (error) {
      this.#state = null;
      this.#level = 'none';
      this.forget();
      return unreadable(error);
    }
    this.#observe(state, nowMs);
    this.#state = state;
    this.#level = levelOf(state, this.#thresholds);
    return { level: this.#level, error: null };
  }

  /**
   * True when memory stands as at the last reading, or so near that neither its level nor the sleep would be others. Costs a part of a
   * reading. Never true where swap counts, and of readers that tell nothing less than all.
   */
  glance(): boolean {
    const state = this.#state;
    if (state === null || this.#level !== 'none' || swapCounts(state)) return false;
    const room = state.availableKib - boundOf(this.#thresholds.warn.available, state.basisKib, KIB);
    try {
      return (this.#reader.available?.() ?? Number.NaN) >= state.availableKib - room * GLANCE_ROOM;
    } catch {
      return false;
    }
  }

  /** What must be given back until memory is not short any more, bytes; 0 when it is not, or was not read. */
  neededBytes(): number {
    if (this.#state === null) return 0;
    const { availableKib, basisKib } = this.#state;
    return Math.max(0, Math.ceil(boundOf(this.#thresholds.term.available, basisKib, KIB) - availableKib)) * KIB;
  }

  #observe(state: MemoryState, nowMs: number): void {
    const passedMs = nowMs - this.#readAtMs;
    if (this.#state !== null && passedMs > 0) {
      const rate = (this.#state.availableKib - state.availableKib) / passedMs;
      this.#fillRate = Math.max(rate, this.#fillRate / 2);
    }
    this.#readAtMs = nowMs;
  }

  /**
   * In proportion to the memory above the next threshold: never longer than a machine could take to fill it, or, at twice the rate seen
   * last, than this one will; nor than `msPerPercent` allows. Where swap must run short too, its time is added.
   */
  nextDelayMs(): number {
    if (this.#state === null || this.#level === 'kill')
      return Math.max(this.#leastMs, Math.min(SETTLED_MS, this.#mostMs));
    const next = this.#level === 'term' ? this.#thresholds.kill : this.#thresholds.term;
    const rate = Math.max(FILL_MOST, 2 * this.#fillRate);
    const wait = this.#memoryMs(this.#state, next, rate) + this.#swapMs(this.#state, next);
    const outlasts = Math.min(NEAR_MS, this.#state.availableKib / (2 * rate));
    return Math.max(this.#leastMs, Math.min(this.#mostMs, Math.max(wait, outlasts)));
  }

  #memoryMs(state: MemoryState, next: Level, rate: number): number {
    const room = Math.max(0, state.availableKib - boundOf(next.available, state.basisKib, KIB));
    return Math.min(room / rate, this.#shareMs((room * 100) / state.basisKib));
  }

  #swapMs(state: MemoryState, next: Level): number {
    if (!swapCounts(state)) return 0;
    const room = Math.max(0, state.swapFreeKib - boundOf(next.swapFree, state.swapTotalKib, KIB));
    return Math.min(room / SWAP_FILL_MOST, this.#shareMs((room * 100) / state.swapTotalKib));
  }

  #shareMs(percent: number): number {
    return (percent + Math.max(0, percent - FAR_PERCENT) / 2) * this.#msPerPercent;
  }

  wakeUps(): readonly WakeUp[] {
    return noWakeUps();
  }

  describe(): string {
    if (this.#state === null) return `${this.name} not read`;
    const { availableKib } = this.#state;
    const swap = swapFreePercent(this.#state);
    const memory = `${Math.floor(availableKib / 1024)} MiB (${availablePercent(this.#state).toFixed(1)} %) available`;
    return `${this.name}: ${memory}, ${swap === null ? 'no swap that counts' : `${swap.toFixed(1)} % of swap free`}`;
  }

  forget(): void {
    this.#fillRate = 0;
    this.#readAtMs = Number.NaN;
  }

  close(): void {
    this.#reader.close?.();
  }
}

function delay(name: string, ms: number, most = 60_000): number {
  if (!(ms >= 1 && ms <= most)) throw new RangeError(`${name} must be 1..${most}, got ${ms}`);
  return ms;
}
