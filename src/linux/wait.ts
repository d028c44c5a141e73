/** Stage: watch. In: a time, and what may end it early. Out: one way to sleep with two bodies: poll(2), or timers with `fs.watch`. */
import { type FSWatcher, watch } from 'node:fs';
import type { WakeUp } from '../pressure/pressure.js';
import type { EventLoop } from './event-loop.js';
import { type Native, POLLIN, type PollRequest, type PollSet } from './native.js';

/** What ended a wait. */
export type WaitEnd = 'time' | 'ready' | 'woken';

/** Sleeps. One wait at a time. Close it when done: it holds descriptors. */
export interface Waiter {
  readonly body: 'poll' | 'timers';
  /** True when a {@link WakeUp} is only noticed with its `path` (or never, where that is null). */
  readonly pathsOnly: boolean;
  /** Sleeps without blocking the event loop until one is ready (its `onReady` was called), {@link wake} or the time. ≥ 0 ms, Infinity. */
  wait(wakeUps: readonly WakeUp[], timeoutMs: number): Promise<WaitEnd>;
  /**
   * The same for a caller that has nothing under way. Where the event loop can be polled (main thread, native calls, `blocks`), it blocks
   * until the time, a wake-up, or work for the loop, which ends it early, as `time`, and is done during the next wait. That costs half of
   * a timer, and the end is not even a promise. Timers that are set meanwhile, and promises, may be held up for two seconds.
   */
  rest(wakeUps: readonly WakeUp[], timeoutMs: number): WaitEnd | Promise<WaitEnd>;
  /** The same, blocking this thread: for workers. Timers notice only {@link wake} and the time then, because `fs.watch` is dead meanwhile. */
  waitSync(wakeUps: readonly WakeUp[], timeoutMs: number): WaitEnd;
  /** Ends the wait under way, or the next one. May be called from a signal handler and at any time before {@link close}. */
  wake(): void;
  /** What lets another thread end a `waitSync`: see {@link wakeFrom}. */
  readonly handle: WakeHandle;
  /** Ends a wait under way; none may follow. */
  close(): void;
}

/** Can be posted to other threads of the process. */
export type WakeHandle = { readonly eventfd: number } | { readonly cell: SharedArrayBuffer };

/** How a waiter may wait. */
export interface WaiterOptions {
  /** Whether a wait keeps the process alive. Default true. (A poll under way always does.) */
  readonly keepsAlive?: boolean;
  /** Whether {@link Waiter.rest} may block. For a program that is nothing but a guard. Default false. */
  readonly blocks?: boolean;
}

/** The waiter for these native calls; without them, timers. */
export function createWaiter(native: Native | null, options: WaiterOptions = {}): Waiter {
  return native ? new PollWaiter(native, options) : new TimerWaiter(options);
}

/** Ends a `waitSync` of another thread. One that waits without blocking is sent a message, whose handler calls its `wake`. */
export function wakeFrom(native: Native | null, handle: WakeHandle): void {
  if ('eventfd' in handle) native?.wake(handle.eventfd);
  else wakeCell(new Int32Array(handle.cell));
}

function wakeCell(cell: Int32Array): void {
  Atomics.store(cell, 0, 1);
  Atomics.notify(cell, 0);
}

/** Up to here a sleep is short, and patient wake-ups are looked at behind it. */
const SHORT_MS = 150;
const LONGEST_MS = 2 ** 31 - 1;
/** So long at most the event loop is not turned, though nothing seems to be there for it. */
const UNTURNED_MS = 2000;

/** setTimeout and poll(2) both end at 2^31; a shorter sleep than asked is allowed, a longer one is not. Rounded up: poll(2) knows no fractions. */
function boundedMs(timeoutMs: number): number {
  return Math.max(0, Math.min(LONGEST_MS, Math.ceil(timeoutMs)));
}

/** A timer that can be ended. */
class Nap {
  #end: ((end: WaitEnd) => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  take(ms: number, keepsAlive: boolean): Promise<WaitEnd> {
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#timer = setTimeout(() => this.end('time'), ms);
      if (!keepsAlive) this.#timer.unref();
    });
  }

  end(how: WaitEnd): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const end = this.#end;
    this.#end = null;
    end?.(how);
  }
}

function unturnedMs(loop: EventLoop): number {
  const restMs = loop.restMs();
  return restMs < 0 ? UNTURNED_MS : Math.min(restMs, UNTURNED_MS);
}

class PollWaiter implements Waiter {
  readonly body = 'poll';
  readonly pathsOnly = false;
  readonly handle: { readonly eventfd: number };
  readonly #native: Native;
  readonly #keepsAlive: boolean;
  readonly #count = new Uint8Array(8);
  readonly #nap = new Nap();
  /** The requests of the last list, so that the same list costs nothing. */
  #requests: PollRequest[] = [];
  #set: PollSet | null = null;
  /** The same and, last, the event loop. */
  #restSet: PollSet | null = null;
  #list: readonly WakeUp[] | null = null;
  /** Null where it cannot be polled, or must not be kept waiting. */
  readonly #loop: EventLoop | null;
  /** How long it can still do without a turn. */
  #unturnedMs = 0;
  /** A loop that nothing keeps alive says that it cannot rest at all. */
  readonly #alive: NodeJS.Timeout | null;
  #patient = false;
  /** This thread's own wake(); another thread's is in the eventfd alone. */
  #woken = false;
  #waiting = false;
  #closed = false;

  constructor(native: Native, { keepsAlive = true, blocks = false }: WaiterOptions) {
    this.#native = native;
    this.#keepsAlive = keepsAlive;
    this.handle = { eventfd: native.eventfd() };
    this.#loop = blocks ? native.eventLoop : null;
    this.#alive = this.#loop && keepsAlive ? setInterval(() => {}, LONGEST_MS) : null;
  }

  #prepare(wakeUps: readonly WakeUp[]): void {
    if (wakeUps === this.#list) return;
    this.#list = wakeUps;
    this.#patient = wakeUps.every(({ patient }) => patient === true);
    this.#requests = [
      { fd: this.handle.eventfd, events: POLLIN },
      ...wakeUps.map(({ fd, events }) => ({ fd, events })),
    ];
    this.#set = this.#native.pollSet(this.#requests);
    if (this.#loop) this.#restSet = this.#native.pollSet([...this.#requests, { fd: this.#loop.fd, events: POLLIN }]);
  }

  rest(wakeUps: readonly WakeUp[], timeoutMs: number): WaitEnd | Promise<WaitEnd> {
    if (this.#loop === null) return this.wait(wakeUps, timeoutMs);
    if (timeoutMs > this.#unturnedMs) return this.#turn(this.#loop, wakeUps, timeoutMs);
    this.#unturnedMs -= timeoutMs;
    this.#prepare(wakeUps);
    const revents = this.#restSet!.poll(boundedMs(timeoutMs));
    if (revents === null) return 'time';
    if (revents.at(-1) !== 0) this.#unturnedMs = 0;
    return this.#answer(wakeUps, revents);
  }

  async #turn(loop: EventLoop, wakeUps: readonly WakeUp[], timeoutMs: number): Promise<WaitEnd> {
    const end = await this.wait(wakeUps, timeoutMs);
    // Woken may mean that there was no sleep, and no turn.
    if (end === 'time') this.#unturnedMs = unturnedMs(loop);
    return end;
  }

  async wait(wakeUps: readonly WakeUp[], timeoutMs: number): Promise<WaitEnd> {
    this.#prepare(wakeUps);
    this.#unturnedMs = 0;
    this.#waiting = true;
    try {
      // A thread of the pool for a mere timer would be waste; wake() ends the timer too.
      if (wakeUps.length > 0 && !(timeoutMs <= SHORT_MS && this.#patient))
        return this.#answer(wakeUps, await this.#native.pollAsync(this.#requests, boundedMs(timeoutMs)));
      if (!this.#woken) await this.#nap.take(boundedMs(timeoutMs), this.#keepsAlive);
      if (wakeUps.length > 0) return this.waitSync(wakeUps, 0);
      return this.#woken ? this.#forgetWake() : 'time';
    } finally {
      this.#waiting = false;
      if (this.#closed) this.#native.close(this.handle.eventfd);
    }
  }

  waitSync(wakeUps: readonly WakeUp[], timeoutMs: number): WaitEnd {
    this.#prepare(wakeUps);
    return this.#answer(wakeUps, this.#set!.poll(boundedMs(timeoutMs)));
  }

  #answer(wakeUps: readonly WakeUp[], revents: readonly number[] | null): WaitEnd {
    if (revents === null) return 'time';
    let end: WaitEnd = 'time';
    wakeUps.forEach((one, index) => {
      const ready = revents[index + 1]!;
      if (ready === 0) return;
      end = 'ready';
      one.onReady(ready);
    });
    return revents[0] === 0 ? end : this.#forgetWake();
  }

  /** Only called when there is a count to read: an EAGAIN costs as much as a whole wait. */
  #forgetWake(): WaitEnd {
    this.#woken = false;
    this.#native.read(this.handle.eventfd, this.#count);
    return 'woken';
  }

  wake(): void {
    if (this.#closed) return;
    this.#woken = true;
    this.#native.wake(this.handle.eventfd);
    this.#nap.end('woken');
  }

  close(): void {
    if (this.#closed) return;
    this.wake();
    this.#closed = true;
    if (this.#alive) clearInterval(this.#alive);
    // A descriptor under poll(2), or yet to be read, must not be closed: its number could be another file's by then.
    if (!this.#waiting) this.#native.close(this.handle.eventfd);
  }
}

class TimerWaiter implements Waiter {
  readonly body = 'timers';
  readonly pathsOnly = true;
  readonly handle: { readonly cell: SharedArrayBuffer } = { cell: new SharedArrayBuffer(4) };
  readonly #cell = new Int32Array(this.handle.cell);
  readonly #keepsAlive: boolean;
  readonly #nap = new Nap();
  #list: readonly WakeUp[] | null = null;
  readonly #watchers = new Map<string, FSWatcher>();
  /** Paths that changed since the last wait ended. */
  readonly #changed = new Set<string>();

  constructor({ keepsAlive = true }: WaiterOptions) {
    this.#keepsAlive = keepsAlive;
  }

  /** Watches go on between waits: a change while nobody waits ends the next wait at once. */
  #watch(wakeUps: readonly WakeUp[]): void {
    if (wakeUps === this.#list) return;
    this.#list = wakeUps;
    const wanted = new Set(wakeUps.map(({ path }) => path).filter((path) => path !== null));
    for (const [path, watcher] of this.#watchers) {
      if (wanted.has(path)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
    for (const path of wanted) {
      if (this.#watchers.has(path)) continue;
      try {
        const watcher = watch(path, { persistent: false }, () => this.#change(path));
        watcher.on('error', () => this.#change(path));
        this.#watchers.set(path, watcher);
      } catch {
        // No inotify left, or the group is gone: the source is sampled all the same.
      }
    }
  }

  #change(path: string): void {
    this.#changed.add(path);
    this.#nap.end('ready');
  }

  async wait(wakeUps: readonly WakeUp[], timeoutMs: number): Promise<WaitEnd> {
    this.#watch(wakeUps);
    if (this.#taken()) return 'woken';
    const end = this.#changed.size > 0 ? 'ready' : await this.#nap.take(boundedMs(timeoutMs), this.#keepsAlive);
    for (const one of wakeUps) if (one.path !== null && this.#changed.has(one.path)) one.onReady(0);
    this.#changed.clear();
    return this.#taken() ? 'woken' : end;
  }

  rest(wakeUps: readonly WakeUp[], timeoutMs: number): Promise<WaitEnd> {
    return this.wait(wakeUps, timeoutMs);
  }

  waitSync(_wakeUps: readonly WakeUp[], timeoutMs: number): WaitEnd {
    if (this.#taken()) return 'woken';
    Atomics.wait(this.#cell, 0, 0, timeoutMs);
    return this.#taken() ? 'woken' : 'time';
  }

  #taken(): boolean {
    return Atomics.exchange(this.#cell, 0, 0) === 1;
  }

  wake(): void {
    wakeCell(this.#cell);
    this.#nap.end('woken');
  }

  close(): void {
    this.wake();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
