// A guard over nothing but numbers: its clock moves only while it waits, and its rounds end when the test says so.
import { Guard } from '../../../src/guard/guard.js';
import type { GuardEvent } from '../../../src/guard/guard-events.js';
import type { GuardOptions } from '../../../src/guard/guard-options.js';
import { NotifierChain } from '../../../src/guard/notifier-chain.js';
import type { RoundAsk } from '../../../src/guard/round.js';
import { blankReport } from '../../../src/guard/round.js';
import type { RoundReport } from '../../../src/guard/round-report.js';
import type { PressureLevel } from '../../../src/pressure/memory-state.js';
import type { PressureSource } from '../../../src/pressure/pressure.js';
import { settle } from './manual-clock.js';

export interface Asked {
  readonly atMs: number;
  readonly ask: RoundAsk;
  end(outcome: RoundReport['outcome'], more?: Partial<RoundReport>): void;
  fail(error: Error): void;
}

const READING = { availableBytes: 1, perCpuBytes: 0, totalBytes: 100 };

export class FakeGuard {
  nowMs = 1000;
  level: PressureLevel = 'none';
  error: string | null = null;
  everyMs = 100;
  readonly events: GuardEvent[] = [];
  readonly rounds: Asked[] = [];
  readonly warnings = new NotifierChain();
  readonly guard: Guard;
  forgotten = 0;
  began = 0;
  shortagesEnded = 0;
  /** How it slept: `rest` may block the thread, `wait` may not. */
  readonly waits: ('rest' | 'wait')[] = [];
  #wake: (() => void) | null = null;
  #woken = false;
  #untilMs = Number.POSITIVE_INFINITY;

  constructor(more: Partial<GuardOptions> = {}) {
    const source: PressureSource = {
      name: 'fake',
      read: () => ({ level: this.level, error: this.error }),
      nextDelayMs: () => this.everyMs,
      wakeUps: () => [],
      describe: () => `level ${this.level}`,
      forget: () => void this.forgotten++,
      close() {},
    };
    const world = {
      name: 'fake',
      nowMs: () => this.nowMs,
      measure: () => READING,
      pressureBegins: () => void this.began++,
      shortageEnds: () => void this.shortagesEnded++,
    };
    const run = (ask: RoundAsk) =>
      new Promise<RoundReport>((resolve, fail) => {
        const end: Asked['end'] = (outcome, rest) =>
          resolve({ ...blankReport('fake', true, READING), outcome, ...rest });
        this.rounds.push({ atMs: this.nowMs, ask, end, fail });
      });
    this.guard = new Guard({
      source,
      world,
      rounds: { run },
      waiter: {
        wait: (_, ms) => this.#wait('wait', ms),
        rest: (_, ms) => this.#wait('rest', ms),
        wake: () => this.#endWait(),
      },
      warnings: this.warnings,
      tell: (event) => void this.events.push(event),
      ...more,
    });
  }

  #wait(how: 'rest' | 'wait', ms: number): Promise<void> {
    this.waits.push(how);
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    this.#untilMs = this.nowMs + ms;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #endWait(): void {
    if (this.#wake) this.#wake();
    else this.#woken = true;
    this.#wake = null;
  }

  /** Time passes; each wait ends when its time has come. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await settle();
    while (this.#wake && this.#untilMs <= end) {
      this.nowMs = Math.max(this.nowMs, this.#untilMs);
      this.#endWait();
      await settle();
    }
    this.nowMs = end;
  }

  of<K extends GuardEvent['kind']>(kind: K): Extract<GuardEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<GuardEvent, { kind: K }>[];
  }
}
