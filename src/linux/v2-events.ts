/** Stage: watch. In: memory.events of a v2 cgroup. Out: what was counted since the last look, as a pressure source. */
import { join } from 'node:path';
import type { PressureLevel } from '../pressure/memory-state.js';
import {
  compareLevels,
  noWakeUps,
  type Pressure,
  type PressureSource,
  unreadable,
  type WakeUp,
} from '../pressure/pressure.js';
import { KeyedFile, malformed } from '../proc/keyed-file.js';
import { KeptFile } from './kept-file.js';
import { POLLPRI } from './native.js';

const KEYS = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill'] as const;

/** Counters of `memory.events` (cgroup-v2.rst), of the group and of all below it unless the mount says `memory_localevents`. */
export type V2Counter = (typeof KEYS)[number];

/** Every counter of a memory.events file, 0 where this kernel has none such. */
export type V2Counts = Readonly<Record<V2Counter, number>>;

/** Reads the counters on a kept descriptor; keys that a kernel lacks count 0, keys that are new are passed over. */
export class V2EventsReader {
  readonly path: string;
  readonly #kept: KeptFile;
  readonly #file: KeyedFile;
  #before: V2Counts;

  /** @throws ENOENT without the memory controller, or for the root; errno names. */
  constructor(dir: string, name: 'memory.events' | 'memory.events.local' = 'memory.events') {
    this.path = join(dir, name);
    this.#kept = new KeptFile(this.path);
    this.#file = new KeyedFile(this.#kept, KEYS, 'pairs');
    this.#before = this.read();
  }

  /** For poll(2) with POLLPRI: kernfs answers POLLERR|POLLPRI from a change until the next reading. */
  get fd(): number {
    return this.#kept.fd;
  }

  /** The counters now. @throws ENODEV when the group was removed, BadnessError `EBADMSG`. */
  read(): V2Counts {
    this.#file.refresh();
    const { values } = this.#file;
    if (Number.isNaN(values[2]!)) throw malformed(this.path, 'max is missing');
    const count = (index: number) => values[index] || 0;
    return {
      low: count(0),
      high: count(1),
      max: count(2),
      oom: count(3),
      oom_kill: count(4),
      oom_group_kill: count(5),
    };
  }

  /** What was counted since the last call. A counter that went back (another group by that name) counts as it stands. */
  since(): V2Counts {
    const now = this.read();
    const grown = { ...now };
    for (const key of KEYS) if (now[key] >= this.#before[key]) grown[key] = now[key] - this.#before[key];
    this.#before = now;
    return grown;
  }

  /** Closes its file. */
  close(): void {
    this.#file.close();
  }
}

/** What counters that grew mean, and for how long. */
export interface V2SourceOptions {
  /** Which level a counter that grew means. Default: `max`, `oom` and `oom_kill` warn: what the kernel counts there it has dealt with. */
  readonly levels?: Partial<Record<V2Counter, PressureLevel>>;
  /** How long it stands, in milliseconds. Default 1,000. */
  readonly standsMs?: number;
  /** Whether somebody waits with poll(2) or `fs.watch`; else it is sampled twenty times a second. Default true. */
  readonly watched?: boolean;
}

const SAMPLE_MS = 50;
const WATCHED_MS = 1000;

/** Events of a v2 group as a pressure source. */
export class V2EventsSource implements PressureSource {
  readonly name: string;
  readonly #reader: V2EventsReader;
  readonly #levels: Partial<Record<V2Counter, PressureLevel>>;
  readonly #standsMs: number;
  readonly #watched: boolean;
  readonly #wakeUps: readonly WakeUp[];
  #level: PressureLevel = 'none';
  #untilMs = Number.NEGATIVE_INFINITY;
  #removed = false;
  #words = 'not read';

  /** @throws ENOENT, EACCES by errno name. */
  constructor(dir: string, options: V2SourceOptions = {}) {
    this.name = `memory.events ${dir}`;
    this.#reader = new V2EventsReader(dir);
    this.#levels = options.levels ?? { max: 'warn', oom: 'warn', oom_kill: 'warn' };
    this.#standsMs = options.standsMs ?? 1000;
    this.#watched = options.watched ?? true;
    // Nothing to take away here: the reading that follows does it.
    this.#wakeUps = [{ fd: this.#reader.fd, events: POLLPRI, path: this.#reader.path, onReady: () => {} }];
  }

  read(nowMs: number): Pressure {
    try {
      const grown = this.#reader.since();
      let level: PressureLevel = 'none';
      for (const key of KEYS) {
        const means = this.#levels[key] ?? 'none';
        if (grown[key] > 0 && compareLevels(means, level) > 0) level = means;
      }
      this.#words =
        KEYS.filter((key) => grown[key] > 0)
          .map((key) => `${key} +${grown[key]}`)
          .join(' ') || 'quiet';
      if (nowMs >= this.#untilMs) this.#level = 'none';
      if (level !== 'none' && compareLevels(level, this.#level) >= 0) {
        this.#level = level;
        this.#untilMs = nowMs + this.#standsMs;
      }
      return { level: this.#level, error: null };
    } catch (error) {
      this.#removed = (error as NodeJS.ErrnoException).code === 'ENODEV';
      return unreadable(error);
    }
  }

  nextDelayMs(nowMs: number): number {
    if (this.#untilMs > nowMs) return Math.max(1, Math.min(SAMPLE_MS, this.#untilMs - nowMs));
    return this.#watched ? WATCHED_MS : SAMPLE_MS;
  }

  wakeUps(): readonly WakeUp[] {
    return this.#removed || !this.#watched ? noWakeUps() : this.#wakeUps;
  }

  describe(): string {
    return `${this.name}: ${this.#removed ? 'removed' : this.#words}`;
  }

  forget(): void {
    this.#level = 'none';
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.#reader.close();
  }
}
