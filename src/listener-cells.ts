/**
 * Stage: watch. The cells of listeners in the shared memory: who hears what, and how often it was signalled. Any thread
 * may do any of this at any time, no thread ever waits for another, and one that dies leaves at most its own cells behind.
 *
 * A listener is one word: two counters and a generation. Every change is a compare-and-swap of the whole word, and a
 * signal is only added where the generation is the one that the registration was made with. So a signal is never lost,
 * and one that was on its way when its listener unregistered, or when the cell was given to another, is added nowhere.
 * (A thread would have to stand still for 2^22 owners of one cell.) A registration is one word too: it is there or not.
 */
import * as L from '../assembly/layout.js';
import { BadnessError } from './errors.js';

/** What has come since it was read last. Each counter stays at 1,048,575 when more comes. */
export interface ListenerSignals {
  /** OOM events and closed domains: one for each registration that hears it. */
  count: number;
  /** OOM events that are over: likewise. */
  recovered: number;
}

/** Names a listener since it was taken, or since it unregistered last. A registration is the same with a domain. */
export type ListenerKey = bigint;

const NONE = 0n;
const COUNT = { shift: 0n, most: 2n ** BigInt(L.LISTENER_COUNT_BITS) - 1n };
const RECOVERED = { shift: BigInt(L.LISTENER_COUNT_BITS), most: 2n ** BigInt(L.LISTENER_RECOVERED_BITS) - 1n };
const FIELDS: { readonly [name in keyof ListenerSignals]: typeof COUNT } = { count: COUNT, recovered: RECOVERED };
const GENERATION_SHIFT = BigInt(L.LISTENER_COUNT_BITS + L.LISTENER_RECOVERED_BITS);
const GENERATIONS = 2n ** BigInt(L.LISTENER_GENERATION_BITS);
const SIGNALS_MASK = 2n ** GENERATION_SHIFT - 1n;
const DOMAIN_BITS = BigInt(L.REGISTRATION_DOMAIN_BITS);
const DOMAIN_MASK = 2n ** DOMAIN_BITS - 1n;

type WaitAsync = (
  cells: BigInt64Array<ArrayBufferLike>,
  index: number,
  value: bigint,
  timeoutMs: number,
) => { readonly value: unknown };

export class ListenerCells {
  readonly #counters: BigInt64Array<ArrayBufferLike>;
  readonly #registrations: BigInt64Array<ArrayBufferLike>;

  constructor(memory: WebAssembly.Memory) {
    this.#counters = new BigInt64Array(memory.buffer, L.LISTENER_COUNTERS, L.LISTENERS_MAX);
    this.#registrations = new BigInt64Array(memory.buffer, L.REGISTRATIONS, L.REGISTRATIONS_MAX);
  }

  /** Takes a cell for a listener. @throws BadnessError `E2BIG`. */
  take(): ListenerKey {
    for (let cell = 0; cell < L.LISTENERS_MAX; cell++) {
      const free = Atomics.load(this.#counters, cell);
      if (generationOf(free) % 2n === 1n) continue;
      const taken = laterGeneration(free, 1n);
      if (Atomics.compareExchange(this.#counters, cell, free, taken) === free) {
        return taken | (BigInt(cell) << DOMAIN_BITS);
      }
    }
    throw new BadnessError('E2BIG', `listeners must be at most ${L.LISTENERS_MAX}: close those that nobody needs`);
  }

  /** Gives the cell back, with every registration. */
  release(key: ListenerKey): void {
    this.#change(key, (word) => laterGeneration(word, 1n));
    this.#dropAll(key);
  }

  /** Takes every registration back and answers the key from now on. What was signalled before can still be read. */
  renew(key: ListenerKey): ListenerKey {
    const before = this.#change(key, (word) => laterGeneration(word, 2n) | (word & SIGNALS_MASK));
    this.#dropAll(key);
    return laterGeneration(before!, 2n) | (key & SIGNALS_MASK);
  }

  /** From now on the listener hears the domain. Answers the registration and its place. @throws BadnessError `E2BIG`. */
  register(key: ListenerKey, domain: number): { place: number; registration: bigint } {
    const registration = key | BigInt(domain + 1);
    for (let place = 0; place < L.REGISTRATIONS_MAX; place++) {
      if (Atomics.compareExchange(this.#registrations, place, NONE, registration) === NONE) {
        return { place, registration };
      }
    }
    throw new BadnessError(
      'E2BIG',
      `registrations must be at most ${L.REGISTRATIONS_MAX}: unregister those not needed`,
    );
  }

  isRegistered(place: number, registration: bigint): boolean {
    return Atomics.load(this.#registrations, place) === registration;
  }

  /** Takes one registration back. False when another thread did it before, because the domain was closed. */
  drop(place: number, registration: bigint): boolean {
    return Atomics.compareExchange(this.#registrations, place, registration, NONE) === registration;
  }

  /** Takes back, and signals, the registrations of a domain that is not open any more. */
  dropDomain(domain: number): void {
    this.#forEach((registration, place) => {
      // The registration first: whoever is woken finds it gone.
      if (domainOf(registration) === domain && this.drop(place, registration)) this.signal(registration, 'count');
    });
  }

  /** Adds 1 for each registration of a domain that `hears` is true of. */
  signalAll(hears: (domain: number) => boolean, signal: keyof ListenerSignals): void {
    this.#forEach((registration) => {
      if (hears(domainOf(registration))) this.signal(registration, signal);
    });
  }

  /** Adds 1 for a registration and wakes. False when its listener has unregistered or is gone: nothing is added. */
  signal(registration: bigint, signal: keyof ListenerSignals): boolean {
    const { shift, most } = FIELDS[signal];
    const added = this.#change(registration, (word) =>
      ((word >> shift) & most) === most ? word : word + (1n << shift),
    );
    if (added === undefined) return false;
    Atomics.notify(this.#counters, cellOf(registration));
    return true;
  }

  /** What there is to read. With `take` it is read, and from then on there is nothing. */
  read(key: ListenerKey, take: boolean): ListenerSignals {
    const word = take ? this.#change(key, emptyOf)! : Atomics.load(this.#counters, cellOf(key));
    const field = ({ shift, most }: typeof COUNT) => Number((word >> shift) & most);
    return { count: field(COUNT), recovered: field(RECOVERED) };
  }

  /** Whether there is something to read. False for a key that is not the current one. */
  isReady(key: ListenerKey): boolean {
    const word = Atomics.load(this.#counters, cellOf(key));
    return generationOf(word) === generationOf(key) && word !== emptyOf(key);
  }

  /** Blocks until somebody wakes, not at all when there is something to read. @throws TypeError where one must not. */
  wait(key: ListenerKey, timeoutMs: number): 'ok' | 'not-equal' | 'timed-out' {
    return Atomics.wait(this.#counters, cellOf(key), emptyOf(key), timeoutMs);
  }

  /** Settles when somebody wakes, `timeoutMs` at most. Undefined where there is no such thing. */
  waitAsync(key: ListenerKey, timeoutMs: number): Promise<unknown> | undefined {
    const { waitAsync } = Atomics as { waitAsync?: WaitAsync };
    if (waitAsync === undefined || !isShared(this.#counters.buffer)) return undefined;
    return Promise.resolve(waitAsync(this.#counters, cellOf(key), emptyOf(key), timeoutMs).value);
  }

  /** Changes the word of a key's listener and answers what it was; undefined when it is of another generation. */
  #change(key: ListenerKey, change: (word: bigint) => bigint): bigint | undefined {
    const cell = cellOf(key);
    for (;;) {
      const before = Atomics.load(this.#counters, cell);
      if (generationOf(before) !== generationOf(key)) return undefined;
      if (Atomics.compareExchange(this.#counters, cell, before, change(before)) === before) return before;
    }
  }

  /** After the generation has changed: nothing is added for these any more. */
  #dropAll(key: ListenerKey): void {
    this.#forEach((registration, place) => {
      if ((registration & ~DOMAIN_MASK) === key) this.drop(place, registration);
    });
    Atomics.notify(this.#counters, cellOf(key));
  }

  #forEach(visit: (registration: bigint, place: number) => void): void {
    for (let place = 0; place < L.REGISTRATIONS_MAX; place++) {
      const registration = Atomics.load(this.#registrations, place);
      if (registration !== NONE) visit(registration, place);
    }
  }
}

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
}

function generationOf(word: bigint): bigint {
  return word >> GENERATION_SHIFT;
}

/** An empty word of a later generation. */
function laterGeneration(word: bigint, steps: bigint): bigint {
  return ((generationOf(word) + steps) % GENERATIONS) << GENERATION_SHIFT;
}

/** The word of a listener of this generation that has nothing to read. */
function emptyOf(word: bigint): bigint {
  return word & ~SIGNALS_MASK;
}

function cellOf(key: ListenerKey): number {
  return Number((key & SIGNALS_MASK) >> DOMAIN_BITS);
}

function domainOf(registration: bigint): number {
  return Number(registration & DOMAIN_MASK) - 1;
}
