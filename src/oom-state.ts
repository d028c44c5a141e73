/**
 * Stage: watch. The OOM state of domains in the shared memory: whether one is under OOM, whether anybody watches it, and
 * the facts of its latest event. Written by who guards (oom-signals.ts), read by who listens (listeners.ts).
 */
import * as L from '../assembly/layout.js';
import { recordAt } from './domains.js';
import { PRESSURE_LEVELS, type PressureLevel } from './pressure/memory-state.js';
import { TASK_KINDS, type TaskKind } from './task.js';

/**
 * Why a domain is out of memory. `memory`: what is available fell below a threshold. `stall`: tasks wait for memory
 * (PSI). `limit`: a limit or budget is used up. `allocation`: failed allocations were reported. `caller`: it was said so.
 */
export type OomReason = (typeof OOM_REASONS)[number];
/** In the order of FACT_REASON. */
export const OOM_REASONS = ['memory', 'stall', 'limit', 'allocation', 'caller'] as const;

/** The level of pressure at which the event began. */
export type OomLevel = Exclude<PressureLevel, 'none'>;

/** The victim of a round as listeners see it in the shared memory. */
export interface OomVictim {
  readonly kind: TaskKind;
  /** tgid, or the id of a registered or simulated task; 0 … 2^53. */
  readonly id: number;
  /** 1/100 s since boot, 0 … 2^53. */
  readonly startTicks: number;
}

/** One time that a domain was out of memory. */
export interface OomEvent {
  /** Number of the event among those of all domains of this memory, from 1. */
  readonly event: number;
  /** The domain that ran out of memory. */
  readonly domain: number;
  readonly reason: OomReason;
  readonly level: OomLevel;
  /** The victim named last; undefined before one is named, and when nobody is chosen. */
  readonly victim: OomVictim | undefined;
  /** How many victims were named. */
  readonly victims: number;
  /** The domain has recovered, or nobody guards it any more. */
  readonly over: boolean;
}

const WORD = 2 ** 32;
/** Far longer than anybody is inside: ten stores. */
const LOCK_TRIES = 100_000;

export class OomState {
  readonly #words: Uint32Array<ArrayBufferLike>;

  constructor(memory: WebAssembly.Memory) {
    this.#words = new Uint32Array(memory.buffer);
  }

  /** Events begun and ended in a domain: odd while it is under OOM. */
  sequence(domain: number): number {
    return Atomics.load(this.#words, cellOf(domain, L.OOM_SEQUENCE));
  }

  isUnderOom(domain: number): boolean {
    return this.sequence(domain) % 2 === 1;
  }

  /** Ends the event under way (`from` odd), or begins one: only where the sequence is still `from`. Says whether it did. */
  advance(domain: number, from: number): boolean {
    return Atomics.compareExchange(this.#words, cellOf(domain, L.OOM_SEQUENCE), from, from + 1) === from;
  }

  isWatched(domain: number): boolean {
    return Atomics.load(this.#words, cellOf(domain, L.OOM_WATCHERS)) > 0;
  }

  /** One watcher more (1) or less (−1). Answers how many there are then. */
  addWatcher(domain: number, change: 1 | -1): number {
    return Atomics.add(this.#words, cellOf(domain, L.OOM_WATCHERS), change) + change;
  }

  /** Puts the facts of the event that began with this sequence in the place of those before. */
  writeEvent(domain: number, sequence: number, reason: OomReason, level: OomLevel): void {
    const facts: number[] = new Array(L.OOM_FACT_CELLS).fill(0);
    facts[L.FACT_SEQUENCE] = sequence;
    facts[L.FACT_EVENT] = Atomics.add(this.#words, L.H_OOM_EVENTS / 4, 1) + 1;
    facts[L.FACT_REASON] = OOM_REASONS.indexOf(reason);
    facts[L.FACT_LEVEL] = PRESSURE_LEVELS.indexOf(level);
    this.#write(domain, () => facts);
  }

  /** Adds a victim to the facts of the latest event. */
  writeVictim(domain: number, { kind, id, startTicks }: OomVictim): void {
    this.#write(domain, (facts) => {
      facts[L.FACT_VICTIMS]!++;
      facts[L.FACT_KIND] = TASK_KINDS.indexOf(kind);
      facts[L.FACT_ID] = id % WORD;
      facts[L.FACT_ID_HI] = Math.floor(id / WORD);
      facts[L.FACT_START_TICKS] = startTicks % WORD;
      facts[L.FACT_START_TICKS_HI] = Math.floor(startTicks / WORD);
      return facts;
    });
  }

  /** The latest event of a domain, all of it of one moment; undefined when there was none. */
  readEvent(domain: number): OomEvent | undefined {
    const version = cellOf(domain, L.OOM_VERSION);
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const before = Atomics.load(this.#words, version);
      if (before % 2 === 1) continue;
      const facts = this.#facts(domain);
      const over = this.sequence(domain) !== facts[L.FACT_SEQUENCE];
      if (Atomics.load(this.#words, version) !== before) continue;
      return facts[L.FACT_EVENT] === 0 ? undefined : eventOf(domain, facts, over);
    }
    // Its writer died inside; the next event sets it right.
    return undefined;
  }

  #facts(domain: number): number[] {
    const first = cellOf(domain, L.OOM_FACTS);
    return Array.from({ length: L.OOM_FACT_CELLS }, (_, fact) => Atomics.load(this.#words, first + fact));
  }

  /** Writes alone. Whoever is inside for very long has died there: then it is done all the same. */
  #write(domain: number, change: (facts: number[]) => number[]): void {
    const version = cellOf(domain, L.OOM_VERSION);
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const before = Atomics.load(this.#words, version);
      if (before % 2 === 0 && Atomics.compareExchange(this.#words, version, before, before + 1) === before) break;
    }
    const first = cellOf(domain, L.OOM_FACTS);
    change(this.#facts(domain)).forEach((value, fact) => {
      Atomics.store(this.#words, first + fact, value);
    });
    Atomics.store(this.#words, version, (Atomics.load(this.#words, version) | 1) + 1);
  }
}

function eventOf(domain: number, facts: readonly number[], over: boolean): OomEvent {
  const fact = (cell: number) => facts[cell]!;
  const victims = fact(L.FACT_VICTIMS);
  const victim: OomVictim = {
    kind: TASK_KINDS[fact(L.FACT_KIND)]!,
    id: fact(L.FACT_ID) + fact(L.FACT_ID_HI) * WORD,
    startTicks: fact(L.FACT_START_TICKS) + fact(L.FACT_START_TICKS_HI) * WORD,
  };
  return {
    event: fact(L.FACT_EVENT),
    domain,
    reason: OOM_REASONS[fact(L.FACT_REASON)]!,
    level: PRESSURE_LEVELS[fact(L.FACT_LEVEL)] as OomLevel,
    victim: victims > 0 ? victim : undefined,
    victims,
    over,
  };
}

function cellOf(domain: number, offset: number): number {
  return (recordAt(domain) + offset) / 4;
}
