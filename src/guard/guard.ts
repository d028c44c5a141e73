/**
 * Stage: watch → round → report. The guard of one domain: reads pressure, sleeps as long as it may, and while memory is short
 * carries out rounds one after the other. It goes on reading while a round waits for its victim, because memory may fall
 * further meanwhile. Knows no system: readings, waiting and rounds come in through interfaces, so that a simulation runs the
 * same code.
 */
import { BadnessError } from '../errors.js';
import { isShort, type PressureLevel, type ShortLevel } from '../pressure/memory-state.js';
import { compareLevels } from '../pressure/pressure.js';
import type { GuardCounters, GuardEvent } from './guard-events.js';
import type { GuardOptions } from './guard-options.js';
import { Pacing } from './pacing.js';
import type { RoundAsk } from './round.js';
import type { MemoryReading, RoundOutcome, RoundReport } from './round-report.js';

/** A round under way is given so long to end once the guard was stopped; signals that were sent stay sent. */
const STOP_MS = 700;

/** Nothing came of it yet: what asked for the round still stands. */
const PUT_OFF: readonly RoundOutcome[] = ['in-flight', 'busy', 'gone'];

interface UnderWay {
  readonly ask: RoundAsk;
  readonly hurry: AbortController;
  readonly end: Promise<void>;
}

/**
 * The loop of every guard, over a world that is handed to it: watches, warns, and asks for a round when memory is short. Reads no
 * clock of its own.
 */
export class Guard {
  readonly counters: GuardCounters = { readings: 0, rounds: 0, released: 0, freedBytes: 0, others: 0 };
  #options: GuardOptions;
  #pacing = new Pacing();
  readonly #stop = new AbortController();
  #level: PressureLevel = 'none';
  #error: string | null = null;
  #underWay: UnderWay | null = null;
  #running = false;
  /** What waits for the end of the round, or of the wait, under way (`between`). */
  #changes: (() => void)[] = [];
  /** What broke at the end of a round, where nobody but `run` can say so. */
  #broken: { readonly error: unknown } | null = null;
  /** An event may be open; at first one that a guard left behind which has died. */
  #eventOpen = true;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** The level of the last reading. */
  get level(): PressureLevel {
    return this.#level;
  }

  /** True while a round is under way. */
  get acting(): boolean {
    return this.#underWay !== null;
  }

  /** Watches until `stop`. Never rejects for what the world does. */
  async run(): Promise<void> {
    this.#running = true;
    while (!this.#stop.signal.aborted) {
      if (this.#broken) throw this.#broken.error;
      if (!this.#underWay) this.#change();
      const { source, waiter, world } = this.#options;
      this.#look(world.nowMs());
      const delayMs = this.#delayMs(world.nowMs());
      const quiet = this.#level === 'none' && !this.#underWay;
      const end = quiet && waiter.rest ? this.#rest(delayMs) : waiter.wait(source.wakeUps(), delayMs);
      // A promise costs a fifth of a wake-up.
      if (typeof end === 'object') await end;
    }
    if (this.#underWay) await within(STOP_MS, this.#underWay.end);
  }

  /** Sleeps, and sleeps on while a glance says that nothing has changed. */
  #rest(delayMs: number): unknown {
    const { source, waiter, glance } = this.#options;
    const wakeUps = source.wakeUps();
    for (let leftMs = glance?.mostMs ?? 0; ; leftMs -= delayMs) {
      const end = waiter.rest!(wakeUps, delayMs);
      const isOver = end !== 'time' || leftMs <= delayMs || this.#stop.signal.aborted;
      if (isOver || !glance?.isSame()) return end;
    }
  }

  /** Ends `run`, soon. A victim that was signalled is not waited for. */
  stop(): void {
    this.#stop.abort();
    this.#change();
    this.#options.waiter.wake();
  }

  /**
   * One round now, whatever the level: somebody asked, as sysrq-f asks the kernel. Token and policy hold as ever. Begins with the
   * signal of the present level, SIGTERM when memory is not short. Rejects with BadnessError `EBUSY` while a round is under way.
   */
  async round(): Promise<RoundReport> {
    if (this.#underWay) throw new BadnessError('EBUSY', 'a round is under way; wait for its end');
    return this.#begin(this.#level === 'kill' ? 'kill' : 'term', true);
  }

  /**
   * Goes on by what `change` returns, from between two rounds on, when no wait is under way that knows of its sources: soon, or as soon
   * as the round under way has ended. Rejects with what `change` throws, and then goes on as before; with BadnessError `ESTALE` when it was
   * stopped before.
   */
  between(change: () => Partial<GuardOptions>): Promise<void> {
    return new Promise((resolve, reject) => {
      const apply = () => {
        try {
          if (this.#stop.signal.aborted) throw new BadnessError('ESTALE', 'the guard was stopped before the change');
          this.#options = { ...this.#options, ...change() };
          // What the other options could not do says nothing about these.
          this.#pacing = new Pacing();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      this.#changes.push(apply);
      if (this.#stop.signal.aborted) this.#change();
      else if (this.#running) this.#options.waiter.wake();
      else if (!this.#underWay) this.#change();
    });
  }

  #change(): void {
    const changes = this.#changes;
    this.#changes = [];
    for (const apply of changes) apply();
  }

  #look(nowMs: number): void {
    const { source, sleptMs, onReading } = this.#options;
    const slept = sleptMs?.(nowMs) ?? 0;
    if (slept > 0) {
      source.forget();
      this.#tell({ kind: 'resumed', atMs: nowMs, sleptMs: slept });
    }
    const { level, error } = source.read(nowMs);
    this.counters.readings += 1;
    onReading?.(level, nowMs);
    this.#note(level, error, nowMs);
    if (!isShort(level)) {
      if (this.#eventOpen) this.#options.signals?.recovered();
      this.#eventOpen = false;
      return;
    }
    if (this.#underWay) this.#hurry(level, this.#underWay);
    else if (this.#pacing.waitMs(level, nowMs) === 0) void this.#begin(level, false);
  }

  /** Says what changed, and tells those who asked to be warned. */
  #note(level: PressureLevel, error: string | null, atMs: number): void {
    const { source, world, warnings } = this.#options;
    if (error !== this.#error) {
      this.#error = error;
      this.#tell({ kind: 'unreadable', atMs, error });
    }
    const was = this.#level;
    if (level === was) return;
    this.#level = level;
    this.#tell({ kind: 'level', atMs, level, was, words: source.describe() });
    if (was === 'none') world.pressureBegins();
    if (isShort(was) && !isShort(level)) {
      this.#pacing.over();
      world.shortageEnds();
    }
    if (level === 'none' || compareLevels(level, was) < 0 || !warnings.everHad('warn') || warnings.walking) return;
    this.#warn(level);
  }

  #warn(level: Exclude<PressureLevel, 'none'>): void {
    const { world, warnings } = this.#options;
    let now: MemoryReading;
    try {
      now = world.measure();
    } catch {
      // The domain has gone since it was read: the next reading says so.
      return;
    }
    const { availableBytes, totalBytes } = now;
    const event = { domain: world.name, round: this.counters.rounds, availableBytes, totalBytes, level };
    // Not waited for: whoever is warned has limits of time, and the guard goes on watching.
    void warnings.walk('warn', event);
  }

  #hurry(level: ShortLevel, { ask, hurry }: UnderWay): void {
    if (level === 'kill' && ask.signal === 'SIGTERM') hurry.abort();
  }

  /** The round that it begins. Nobody has to hear that it failed: that is told. */
  #begin(level: ShortLevel, asked: boolean): Promise<RoundReport> {
    const { source, world, rounds, neededBytes, signals, reason } = this.#options;
    const hurry = new AbortController();
    const ask: RoundAsk = {
      signal: level === 'kill' ? 'SIGKILL' : 'SIGTERM',
      // Whoever asks by hand has decided that memory is short.
      ...(asked ? {} : { isOver: () => !isShort(source.read(world.nowMs()).level) }),
      ...(neededBytes ? { neededBytes } : {}),
      hurry: hurry.signal,
      stop: this.#stop.signal,
    };
    this.counters.rounds += 1;
    // What somebody asks for is no shortage that listeners have to hear of, unless there is one.
    if (!asked || isShort(this.#level)) {
      this.#eventOpen = true;
      signals?.begin({ reason: reason?.() ?? 'memory', level });
    }
    const round = rounds.run(ask);
    const end = round
      .then(
        (report) => this.#ended(report, level, asked),
        (error: unknown) => this.#failed(error),
      )
      .catch((error: unknown) => {
        this.#broken = { error };
        this.#options.waiter.wake();
      });
    this.#underWay = { ask, hurry, end };
    return round;
  }

  #ended(report: RoundReport, level: ShortLevel, asked: boolean): void {
    const { source, world, waiter } = this.#options;
    const atMs = world.nowMs();
    this.#underWay = null;
    if (!PUT_OFF.includes(report.outcome)) source.forget();
    if (report.outcome === 'released') {
      this.counters.released += 1;
      this.counters.freedBytes += Math.max(0, report.freedBytes ?? 0);
    } else this.counters.others += 1;
    // Only a release is a reason for the next round to wait: what one by hand could not do says nothing about those of the guard.
    const paces = !asked || report.outcome === 'released';
    const repeated = paces ? this.#pacing.ended(report, level, atMs) : 0;
    if (repeated !== null) this.#tell({ kind: 'round', atMs, level, report, repeated, ...(asked ? { asked } : {}) });
    if (!this.#running) this.#change();
    waiter.wake();
  }

  #failed(error: unknown): void {
    this.#underWay = null;
    // A round that outlasted the guard finds everything closed; whoever asked for it hears of that.
    if (this.#stop.signal.aborted) return;
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#tell({ kind: 'failed', atMs: this.#options.world.nowMs(), error: words });
    // As after a round that could do nothing: whatever broke is not tried in a loop.
    this.#pacing.broke(this.#options.world.nowMs());
    if (!this.#running) this.#change();
    this.#options.waiter.wake();
  }

  #delayMs(nowMs: number): number {
    const delay = this.#options.source.nextDelayMs(nowMs);
    if (!isShort(this.#level) || this.#underWay) return delay;
    const pause = this.#pacing.waitMs(this.#level, nowMs);
    return pause > 0 ? Math.min(delay, pause) : delay;
  }

  #tell(event: GuardEvent): void {
    this.#options.tell(event);
  }
}

/** Waits for the end, and so long at most. */
function within(ms: number, end: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void end.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
