/**
 * Stage: watch. Who wants to hear that a domain is out of memory, on any thread: a counter with the semantics of an
 * eventfd on memory.oom_control (memcg OOM notifier, 2010), and the facts that an eventfd cannot carry. A listener needs
 * the memory of the engine and nothing else: no instance, no window.
 */
import * as L from '../assembly/layout.js';
import { isDomainOpen, isStillOpen, lineOf, openingsOf } from './domains.js';
import { BadnessError } from './errors.js';
import { type Clock, systemClock } from './guard/clock.js';
import { ListenerCells, type ListenerKey, type ListenerSignals } from './listener-cells.js';
import { type OomEvent, OomState } from './oom-state.js';

/** What a listener needs of an engine: its memory. */
export interface ListenerEngine {
  readonly memory: WebAssembly.Memory;
}

/** Where there is no Atomics.waitAsync, or no shared memory: how often waitAsync looks. */
const LOOK_MS = 20;

interface Registration {
  readonly domain: number;
  readonly place: number;
  readonly registration: bigint;
}

/**
 * A counter that the OOM events of any number of domains add to. It belongs to the thread that made it, and keeps one of
 * 256 cells until it is closed: a thread that is ended without closing its listeners takes their cells with it.
 */
export class Listener {
  readonly #view: DataView;
  readonly #cells: ListenerCells;
  readonly #state: OomState;
  readonly #clock: Clock;
  #key: ListenerKey;
  #closed = false;
  #registrations: Registration[] = [];
  #gone: number[] = [];

  /** `clock` measures how long waits last. @throws BadnessError `E2BIG`: 256 are open. */
  constructor(engine: ListenerEngine, clock: Clock = systemClock) {
    this.#view = new DataView(engine.memory.buffer);
    this.#cells = new ListenerCells(engine.memory);
    this.#state = new OomState(engine.memory);
    this.#clock = clock;
    this.#key = this.#cells.take();
  }

  /**
   * From now on hears the domain, and every domain above it; registered twice, it counts twice. When one of them is under
   * OOM, 1 is added at once. An event that begins or ends during the call may be told twice: never not.
   * @throws RangeError for what is no number of a domain; BadnessError `ENODEV` when it can never fire: not open, or
   * nobody watches it nor one above it; `E2BIG` at 768 registrations of all listeners together; `EBADF` when closed.
   */
  register(domain: number): void {
    this.#checkClosed();
    checkNumber(domain);
    const openings = openingsOf(this.#view, domain);
    const line = this.#audibleLine(domain);
    const before = line.map((at) => this.#state.sequence(at));
    const { place, registration } = this.#cells.register(this.#key, domain);
    // Closed meanwhile, and not by somebody who saw the registration: then nobody would ever signal it.
    if (!isStillOpen(this.#view, domain, openings) && this.#cells.drop(place, registration)) throw notOpen(domain);
    this.#sortOutGone();
    this.#registrations.push({ domain, place, registration });
    // Whoever began or ended an event between the two looks may have passed this place before the registration was there.
    const after = line.map((at) => this.#state.sequence(at));
    if (before.every((sequence, index) => sequence % 2 === 0 && sequence === after[index])) return;
    this.#cells.signal(registration, 'count');
    if (after.every((sequence) => sequence % 2 === 0)) this.#cells.signal(registration, 'recovered');
  }

  /** Takes every registration back; there need not be any. When it has returned nothing is added. What was, stays to be read. */
  unregister(): void {
    this.#checkClosed();
    this.#key = this.#cells.renew(this.#key);
    this.#registrations = [];
    this.#gone = [];
  }

  /** Takes what has come since the last read: from then on there is nothing. Never blocks. */
  read(): ListenerSignals {
    this.#checkClosed();
    return this.#cells.read(this.#key, true);
  }

  /** As `read`, and leaves it there. */
  peek(): ListenerSignals {
    this.#checkClosed();
    return this.#cells.read(this.#key, false);
  }

  /** True while a domain that it hears is under OOM. A signal proves nothing by itself: by now it may be over. */
  get underOom(): boolean {
    return this.#heard().some((domain) => this.#state.isUnderOom(domain));
  }

  /** Numbers of the domains that were closed under it, one for each registration that ended so. */
  get gone(): readonly number[] {
    this.#sortOutGone();
    return [...this.#gone];
  }

  /** The latest OOM event of the domains that it hears, undefined when there was none. Only the latest is kept. */
  get event(): OomEvent | undefined {
    const events = this.#heard().map((domain) => this.#state.readEvent(domain));
    return events.reduce((a, b) => (a && b ? (a.event > b.event ? a : b) : (a ?? b)), undefined);
  }

  /**
   * Blocks the thread until there is something to read, `timeoutMs` at most; says whether there is. @throws BadnessError
   * `ENOTSUP` where it would never end (memory that is not shared) or must not be (the main thread of a page).
   */
  wait(timeoutMs = Number.POSITIVE_INFINITY): boolean {
    this.#checkWait(timeoutMs);
    const end = this.#clock.now() + timeoutMs;
    let left = timeoutMs;
    // Again: a waker may be late, and what it wakes for has been read.
    while (this.#sleep(left) !== 'timed-out' && !this.#cells.isReady(this.#key)) {
      left = Math.max(0, end - this.#clock.now());
    }
    return this.#cells.isReady(this.#key);
  }

  /**
   * Resolves to true when there is something to read; to false after `timeoutMs`, or when the listener is unregistered or
   * closed meanwhile. Does not keep a process alive. Without Atomics.waitAsync or without shared memory it looks every
   * 20 ms, with timers that do.
   */
  async waitAsync(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    this.#checkWait(timeoutMs);
    const key = this.#key;
    const end = this.#clock.now() + timeoutMs;
    for (let left = timeoutMs; !this.#cells.isReady(key); left = end - this.#clock.now()) {
      if (left <= 0 || this.#closed || key !== this.#key) return false;
      await (this.#cells.waitAsync(key, left) ?? this.#pause(Math.min(LOOK_MS, left)));
    }
    return true;
  }

  /** Unregisters and gives the cell back. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cells.release(this.#key);
    this.#registrations = [];
    this.#gone = [];
  }

  /** As `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The domain and those above it. @throws as `register`. */
  #audibleLine(domain: number): number[] {
    if (!isDomainOpen(this.#view, domain)) throw notOpen(domain);
    const line = lineOf(this.#view, domain);
    if (line.some((at) => this.#state.isWatched(at))) return line;
    throw new BadnessError(
      'ENODEV',
      `domain ${domain} can never signal: nobody watches it nor one above it; start its guard first`,
    );
  }

  #heard(): number[] {
    this.#sortOutGone();
    return [...new Set(this.#registrations.flatMap(({ domain }) => lineOf(this.#view, domain)))];
  }

  /** A registration that is not where it was put was taken back by who closed its domain. */
  #sortOutGone(): void {
    const isThere = ({ place, registration }: Registration) => this.#cells.isRegistered(place, registration);
    const there = this.#registrations.filter(isThere);
    if (there.length === this.#registrations.length) return;
    this.#gone.push(...this.#registrations.filter((one) => !there.includes(one)).map(({ domain }) => domain));
    this.#registrations = there;
  }

  #sleep(timeoutMs: number): string {
    try {
      return this.#cells.wait(this.#key, timeoutMs);
    } catch (cause) {
      const words = 'blocking wants the shared build, and a worker in a browser: use waitAsync, or look with peek';
      throw new BadnessError('ENOTSUP', words, { cause });
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }

  #checkClosed(): void {
    if (this.#closed) throw new BadnessError('EBADF', 'the listener is closed');
  }

  #checkWait(timeoutMs: number): void {
    this.#checkClosed();
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be milliseconds of at least 0, got ${timeoutMs}`);
  }
}

/** A new listener that hears `domain` and those above it. @throws as the constructor and `register`. */
export function listen(engine: ListenerEngine, domain: number): Listener {
  const listener = new Listener(engine);
  try {
    listener.register(domain);
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

function checkNumber(domain: number): void {
  if (!Number.isInteger(domain) || domain < 0 || domain >= L.DOMAINS_MAX) {
    throw new RangeError(`domain must be an integer 0..${L.DOMAINS_MAX - 1}, got ${domain}`);
  }
}

function notOpen(domain: number): BadnessError {
  return new BadnessError('ENODEV', `domain ${domain} can never signal: it is not open`);
}
