/**
 * Stage: watch → kill. The side that guards a domain: it says when the domain is under OOM, who is chosen and when it is
 * over; every listener of the domain and of those below it hears it, on whatever thread (listeners.ts).
 */
import * as L from '../assembly/layout.js';
import { isDomainOpen, isStillOpen, lineOf, openingsOf } from './domains.js';
import { BadnessError } from './errors.js';
import { ListenerCells, type ListenerSignals } from './listener-cells.js';
import { OOM_REASONS, type OomLevel, type OomReason, OomState, type OomVictim } from './oom-state.js';
import { PRESSURE_LEVELS } from './pressure/memory-state.js';
import { TASK_KINDS } from './task.js';

/** Why memory is said to be short, and how short. */
export interface OomCause {
  readonly reason: OomReason;
  readonly level: OomLevel;
}

/**
 * The OOM events of one domain. One thread guards a domain at a time; more may call this without harm to the counters,
 * but then events may end before everybody has been told of their beginning.
 */
export class OomSignals {
  readonly #domain: number;
  readonly #view: DataView;
  readonly #openings: number;
  readonly #state: OomState;
  readonly #cells: ListenerCells;
  #watching = false;

  /** @throws BadnessError `ENODEV` when the domain is not open. */
  constructor(engine: { readonly memory: WebAssembly.Memory }, domain: number) {
    this.#domain = domain;
    this.#view = new DataView(engine.memory.buffer);
    if (!isDomainOpen(this.#view, domain)) throw new BadnessError('ENODEV', `domain must be open, got ${domain}`);
    this.#openings = openingsOf(this.#view, domain);
    this.#state = new OomState(engine.memory);
    this.#cells = new ListenerCells(engine.memory);
  }

  /** True from `begin` to `recovered`, whoever called them. */
  get underOom(): boolean {
    return this.#isOpen && this.#state.isUnderOom(this.#domain);
  }

  /** From now on there may be listeners: somebody looks at the memory of this domain. @throws BadnessError `ENODEV`. */
  watch(): void {
    this.#checkOpen();
    if (!this.#watching) this.#state.addWatcher(this.#domain, 1);
    this.#watching = true;
  }

  /** Nobody looks any more. When the last watcher goes, an event under way is over: no one else would end it. */
  unwatch(): void {
    if (!this.#watching) return;
    this.#watching = false;
    if (this.#isOpen && this.#state.addWatcher(this.#domain, -1) === 0) this.recovered();
  }

  /**
   * The domain is under OOM from now on: adds 1 to its listeners and to those of the domains below. Does nothing and
   * answers false while an event is under way, even one that a guard left behind which has died: so call `recovered`
   * whenever there is no pressure. @throws RangeError, BadnessError `ENODEV` when the domain was closed.
   */
  begin({ reason, level }: OomCause): boolean {
    checkWord('reason', reason, OOM_REASONS);
    checkWord('level', level, PRESSURE_LEVELS.slice(1));
    this.#checkOpen();
    const before = this.#state.sequence(this.#domain);
    if (before % 2 === 1 || !this.#state.advance(this.#domain, before)) return false;
    // The facts before the signals: whoever is woken finds them.
    this.#state.writeEvent(this.#domain, before + 1, reason, level);
    this.#signal('count');
    return true;
  }

  /** Names a victim of the event, before its signal is sent. Wakes nobody. False when there is no event under way. */
  victim(victim: OomVictim): boolean {
    checkWord('kind', victim.kind, TASK_KINDS);
    checkQuantity('id', victim.id);
    checkQuantity('startTicks', victim.startTicks);
    if (!this.underOom) return false;
    this.#state.writeVictim(this.#domain, victim);
    return true;
  }

  /** The event is over: there is memory again. Tells everybody whom `begin` tells. False when there was no event. */
  recovered(): boolean {
    if (!this.#isOpen) return false;
    const before = this.#state.sequence(this.#domain);
    if (before % 2 === 0 || !this.#state.advance(this.#domain, before)) return false;
    this.#signal('recovered');
    return true;
  }

  get #isOpen(): boolean {
    return isStillOpen(this.#view, this.#domain, this.#openings);
  }

  #checkOpen(): void {
    if (!this.#isOpen)
      throw new BadnessError('ENODEV', `domain ${this.#domain} was closed: it has no listeners any more`);
  }

  #signal(signal: keyof ListenerSignals): void {
    this.#cells.signalAll((domain) => lineOf(this.#view, domain).includes(this.#domain), signal);
  }
}

function checkWord<T extends string>(name: string, word: T, words: readonly T[]): void {
  if (!words.includes(word)) throw new RangeError(`${name} must be one of ${words.join(', ')}, got ${String(word)}`);
}

function checkQuantity(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be an integer 0..${L.QUANTITY_MAX - 1}, got ${value}`);
  }
}
