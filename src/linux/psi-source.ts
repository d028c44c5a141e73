/** Stage: watch. In: pressure stall averages, and a trigger where the kernel gives one. Out: a pressure source. */
import type { PressureLevel } from '../pressure/memory-state.js';
import { noWakeUps, type Pressure, type PressureSource, unreadable, type WakeUp } from '../pressure/pressure.js';
import { type StallLevels, stallLevel, stallOf } from '../proc/psi.js';
import { POLLERR, POLLHUP, POLLNVAL, POLLPRI } from './native.js';
import { openPsiTrigger, type Psi, PsiReader, type PsiTrigger, type PsiTriggerSpec } from './psi.js';

/** Percentages are 0 … 100; a level that is absent is never reached. */
export interface PsiSourceOptions extends StallLevels {
  /** Default `/proc/pressure/memory`; or `memory.pressure` of a v2 cgroup. */
  readonly path?: string;
  /** Registers a trigger too: when it fires, `level` stands for the length of its window. */
  readonly trigger?: PsiTriggerSpec & { readonly level: Exclude<PressureLevel, 'none'> };
  /** How often the averages are read, in milliseconds, 1 … 60,000. The kernel renews them every 2 s. Default 1,000. */
  readonly everyMs?: number;
}

/**
 * Stalls, not sizes. Without swap and with little cache they begin milliseconds before memory is out, and heavy writing can cause them with
 * memory free (nohang#25): a level of memory belongs beside it. A trigger fires only for who polls it, so it is registered with `polls`.
 */
export class PsiSource implements PressureSource {
  readonly name: string;
  /** What became of the trigger, in words; null when it is as asked, or none was. */
  readonly note: string | null = null;
  readonly #options: PsiSourceOptions;
  readonly #everyMs: number;
  readonly #reader: PsiReader;
  #trigger: PsiTrigger | null = null;
  #wakeUps: readonly WakeUp[] = noWakeUps();
  #fired = false;
  #firedUntilMs = Number.NEGATIVE_INFINITY;
  #last: Psi | null = null;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** `polls`: somebody waits with poll(2). @throws RangeError; ENOENT without PSI in the kernel. */
  constructor(options: PsiSourceOptions, polls: boolean) {
    for (const [level, percent] of Object.entries(options.percent)) {
      if (!(percent >= 0 && percent <= 100)) throw new RangeError(`percent.${level} must be 0..100, got ${percent}`);
    }
    this.#options = options;
    this.#everyMs = options.everyMs ?? 1000;
    if (!(this.#everyMs >= 1 && this.#everyMs <= 60_000)) {
      throw new RangeError(`everyMs must be 1..60000, got ${this.#everyMs}`);
    }
    this.#reader = new PsiReader(options.path);
    this.name = `psi ${options.kind ?? 'some'} ${options.average ?? 'avg10'}`;
    if (options.trigger) this.note = polls ? this.#register(options.trigger) : 'trigger not used: nothing polls it';
  }

  #register(spec: PsiTriggerSpec): string | null {
    const result = openPsiTrigger(spec, this.#reader.path);
    if (result.trigger === null) return result.reason;
    this.#trigger = result.trigger;
    const onReady = (revents: number) => this.#ready(revents);
    this.#wakeUps = [{ fd: result.trigger.fd, events: POLLPRI, path: null, patient: true, onReady }];
    return result.trigger.note;
  }

  #ready(revents: number): void {
    if ((revents & POLLPRI) !== 0) this.#fired = true;
    // The cgroup was removed: the descriptor would be ready for ever.
    if ((revents & (POLLERR | POLLHUP | POLLNVAL)) !== 0) this.#dropTrigger();
  }

  #dropTrigger(): void {
    this.#wakeUps = noWakeUps();
    this.#trigger?.close();
    this.#trigger = null;
  }

  read(nowMs: number): Pressure {
    try {
      // Others are read oftener, and the averages are the same until the kernel renews them.
      if (this.#last === null || this.#fired || nowMs - this.#readAtMs >= this.#everyMs) {
        this.#last = this.#reader.read();
        this.#readAtMs = nowMs;
      }
    } catch (error) {
      this.#last = null;
      return unreadable(error);
    }
    if (this.#fired) this.#firedUntilMs = nowMs + (this.#trigger?.spec.windowUs ?? 0) / 1000;
    this.#fired = false;
    const fired = nowMs < this.#firedUntilMs ? this.#options.trigger!.level : 'none';
    return { level: stallLevel(this.#last, this.#options, fired), error: null };
  }

  nextDelayMs(nowMs: number): number {
    const left = this.#firedUntilMs - nowMs;
    return Math.min(this.#everyMs, left > 0 ? Math.max(1, left) : Number.POSITIVE_INFINITY);
  }

  wakeUps(): readonly WakeUp[] {
    return this.#wakeUps;
  }

  describe(): string {
    return this.#last ? `${this.name}: ${stallOf(this.#last, this.#options).toFixed(2)} %` : `${this.name} not read`;
  }

  forget(): void {
    this.#fired = false;
    this.#firedUntilMs = Number.NEGATIVE_INFINITY;
    this.#last = null;
  }

  close(): void {
    this.#dropTrigger();
    this.#reader.close();
  }
}
