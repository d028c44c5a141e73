/** Stage: watch. In: nothing. Out: the interface of everything that can say how short memory is, and any/all of several with a duration. */
import { PRESSURE_LEVELS, type PressureLevel } from './memory-state.js';

/** One answer of a source. */
export interface Pressure {
  /** `none` when it cannot be read: nobody is killed on a guess. */
  readonly level: PressureLevel;
  /** Why it could not be read, with the errno name or code; null when it was. */
  readonly error: string | null;
}

/** What may wake a waiter before its time: a descriptor for poll(2) (needs native calls), or a file for inotify. */
export interface WakeUp {
  readonly fd: number;
  /** POLLIN, POLLPRI or their sum. */
  readonly events: number;
  /** The same, for a waiter without poll(2): a path that `fs.watch` fires on. Null where there is no such thing. */
  readonly path: string | null;
  /** It is soon enough to notice it when a short sleep (≤ 150 ms) ends: a poll from the event loop costs twice a timer. Default false. */
  readonly patient?: boolean;
  /** Called with what poll(2) returned (0 from `fs.watch`). It must take away the cause, or {@link PressureSource.wakeUps} must drop it. */
  onReady(revents: number): void;
}

/** Something that says how short memory is. Times are of one monotonic clock, in milliseconds. */
export interface PressureSource {
  readonly name: string;
  /** Reads now. Never throws for what the machine does. */
  read(nowMs: number): Pressure;
  /** How long to sleep after the last reading, in milliseconds, ≥ 1; Infinity when only a wake-up changes anything. */
  nextDelayMs(nowMs: number): number;
  /** What else wakes; may change from call to call, and is the same object while it does not. */
  wakeUps(): readonly WakeUp[];
  /** The last reading in words, for a line of the log; empty when there is nothing to say. */
  describe(): string;
  /** The clock stood still (suspend), or memory was set free by a kill: rates, windows and durations begin anew. */
  forget(): void;
  /** Gives every descriptor back. */
  close(): void;
}

export const NO_PRESSURE: Pressure = Object.freeze({ level: 'none', error: null });

const NO_WAKE_UPS: readonly WakeUp[] = [];

/** For sources that are only sampled. */
export function noWakeUps(): readonly WakeUp[] {
  return NO_WAKE_UPS;
}

/** −1, 0, 1: a is less, as, more urgent than b. */
export function compareLevels(a: PressureLevel, b: PressureLevel): number {
  return Math.sign(PRESSURE_LEVELS.indexOf(a) - PRESSURE_LEVELS.indexOf(b));
}

/** The answer when reading failed: an errno name or a code, and the words. */
export function unreadable(error: unknown): Pressure {
  const { code, message } = error as NodeJS.ErrnoException;
  return { level: 'none', error: code ? `${code}: ${message}` : String(message ?? error) };
}

/** How several sources become one. */
export interface CombineOptions {
  /** `any`: the most urgent level of those that can be read. `all`: the level that every one has reached; one unreadable, none. */
  readonly mode: 'any' | 'all';
  /** How long a level must have stood without a break before it counts, in milliseconds, 0 … 600,000. Default 0. */
  readonly forMs?: number;
}

/** Several sources as one. It owns them: closing it closes them. @throws RangeError, TypeError for what cannot be meant. */
export function combineSources(sources: readonly PressureSource[], options: CombineOptions): PressureSource {
  const forMs = options.forMs ?? 0;
  if (sources.length === 0) throw new RangeError('sources must hold at least one, got 0');
  if (options.mode !== 'any' && options.mode !== 'all')
    throw new TypeError(`mode must be any or all, got ${options.mode}`);
  if (!(forMs >= 0 && forMs <= 600_000)) throw new RangeError(`forMs must be 0..600000, got ${forMs}`);
  return new CombinedSource(sources, options.mode, forMs);
}

class CombinedSource implements PressureSource {
  readonly name: string;
  readonly #sources: readonly PressureSource[];
  readonly #mode: 'any' | 'all';
  readonly #forMs: number;
  readonly #last: Pressure[];
  readonly #parts: (readonly WakeUp[])[] = [];
  #wakeUps: readonly WakeUp[] = NO_WAKE_UPS;
  /** Since when the level, or a higher one, stands; NaN while it does not. In the order of PRESSURE_LEVELS. */
  readonly #since = new Float64Array(PRESSURE_LEVELS.length).fill(Number.NaN);

  constructor(sources: readonly PressureSource[], mode: 'any' | 'all', forMs: number) {
    this.#sources = sources;
    this.#mode = mode;
    this.#forMs = forMs;
    this.#last = sources.map(() => NO_PRESSURE);
    const lasting = forMs > 0 ? ` for ${forMs} ms` : '';
    const names = sources.map(({ name }) => name).join(', ');
    this.name = sources.length === 1 ? `${names}${lasting}` : `${mode}(${names})${lasting}`;
  }

  read(nowMs: number): Pressure {
    let failed = 0;
    for (let index = 0; index < this.#sources.length; index++) {
      const answer = this.#sources[index]!.read(nowMs);
      this.#last[index] = answer;
      if (answer.error !== null) failed++;
    }
    // `any` goes on with what can be read; the error is still told, because it may be the very source that would have spoken.
    const blind = this.#mode === 'all' ? failed > 0 : failed === this.#last.length;
    const level = blind ? 'none' : this.#momentary();
    return { level: this.#lasting(PRESSURE_LEVELS.indexOf(level), nowMs), error: failed === 0 ? null : this.#errors() };
  }

  #errors(): string {
    return this.#last.flatMap(({ error }) => error ?? []).join('; ');
  }

  #momentary(): PressureLevel {
    const sign = this.#mode === 'any' ? 1 : -1;
    let found: PressureLevel | null = null;
    for (const { level, error } of this.#last) {
      if (error === null && (found === null || compareLevels(level, found) === sign)) found = level;
    }
    return found ?? 'none';
  }

  #lasting(now: number, nowMs: number): PressureLevel {
    let level: PressureLevel = 'none';
    for (let index = 1; index < PRESSURE_LEVELS.length; index++) {
      if (index > now) this.#since[index] = Number.NaN;
      else if (Number.isNaN(this.#since[index]!)) this.#since[index] = nowMs;
      if (nowMs - this.#since[index]! >= this.#forMs) level = PRESSURE_LEVELS[index]!;
    }
    return level;
  }

  nextDelayMs(nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    let mostOfQuiet = 0;
    this.#sources.forEach((source, index) => {
      const delay = source.nextDelayMs(nowMs);
      const { level, error } = this.#last[index]!;
      least = Math.min(least, delay);
      if (level === 'none' && error === null) mostOfQuiet = Math.max(mostOfQuiet, delay);
    });
    // All must speak, and this one will not for so long: the others can be left alone until then.
    const delay = this.#mode === 'all' && mostOfQuiet > 0 ? mostOfQuiet : least;
    return Math.max(1, Math.min(delay, this.#untilRipeMs(nowMs)));
  }

  #untilRipeMs(nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const since of this.#since) {
      const left = this.#forMs - (nowMs - since);
      if (left > 0) least = Math.min(least, left);
    }
    return least;
  }

  wakeUps(): readonly WakeUp[] {
    let same = true;
    for (let index = 0; index < this.#sources.length; index++) {
      const part = this.#sources[index]!.wakeUps();
      same &&= part === this.#parts[index];
      this.#parts[index] = part;
    }
    // A list that has not changed stays the same object, so that a waiter need not prepare it anew.
    if (!same) this.#wakeUps = this.#parts.flat();
    return this.#wakeUps;
  }

  describe(): string {
    const words = this.#sources.map((one) => one.describe());
    return words.filter((text) => text !== '').join('; ');
  }

  forget(): void {
    this.#since.fill(Number.NaN);
    for (const one of this.#sources) one.forget();
  }

  close(): void {
    for (const one of this.#sources) one.close();
  }
}
