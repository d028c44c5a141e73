/** Stage: watch. In: the time since boot that counts suspend (/proc/uptime), and the monotonic clock that does not. Out: how long the machine slept. */
import { malformed } from '../proc/keyed-file.js';
import { KeptFile } from './kept-file.js';
import { monotonicMs } from './linux-world.js';

/** The wall clock against the monotonic one: while it has not jumped so far, reading /proc/uptime (16 µs) is not worth it. */
const WALL_JUMP_MS = 500;
/** Less than this is the clocks' granularity and our own delay between two readings. */
const LEAST_MS = 1000;

/** The two clocks; tests bring their own. */
export interface SuspendClocks {
  /** CLOCK_BOOTTIME in milliseconds; goes on while the machine sleeps. */
  bootMs(): number;
  /** CLOCK_MONOTONIC in milliseconds; stands still meanwhile. */
  monotonicMs(): number;
  /** CLOCK_REALTIME in milliseconds; goes on, but can also be set. */
  wallMs(): number;
  /** Frees what they need. */
  close?(): void;
}

/** Clocks of this machine: /proc/uptime (in hundredths of a second) on a kept descriptor. @throws ENOENT. */
export function machineClocks(root = '/proc'): SuspendClocks {
  const file = new KeptFile(`${root}/uptime`);
  return {
    bootMs() {
      const end = file.read();
      // `1804.55 3390.22`
      const text = file.bytes.toString('latin1', 1, Math.min(end, 24));
      const seconds = Number.parseFloat(text);
      if (!(seconds >= 0)) throw malformed(file.path, `cannot read ${JSON.stringify(text)}`);
      return seconds * 1000;
    },
    monotonicMs,
    wallMs: () => Date.now(),
    close: () => file.close(),
  };
}

/**
 * Notices that the machine was suspended: rates, stall windows, durations and the gate's history are of another time then.
 * Being stopped (SIGSTOP, a debugger, a frozen cgroup) is no suspend: both clocks go on.
 */
export class SuspendWatch {
  readonly #clocks: SuspendClocks;
  readonly #onResume: (sleptMs: number) => void;
  /** The most that boot time can have been ahead at the last look. */
  #aheadMs: number;
  #wallAheadMs: number;

  constructor(onResume: (sleptMs: number) => void, clocks: SuspendClocks = machineClocks()) {
    this.#clocks = clocks;
    this.#onResume = onResume;
    this.#aheadMs = this.#bounds().most;
    this.#wallAheadMs = clocks.wallMs() - clocks.monotonicMs();
  }

  /** Between two looks at the monotonic clock, because under pressure a thread may wait for long between any two lines. */
  #bounds(): { least: number; most: number } {
    const before = this.#clocks.monotonicMs();
    const boot = this.#clocks.bootMs();
    const after = this.#clocks.monotonicMs();
    return { least: boot - after, most: boot - before };
  }

  /**
   * To be called after each sleep, with the monotonic clock where it was read already. Milliseconds suspended since the last call, or 0;
   * calls back when it was at least a second.
   */
  check(nowMs = this.#clocks.monotonicMs()): number {
    const wallAheadMs = this.#clocks.wallMs() - nowMs;
    const jumped = wallAheadMs - this.#wallAheadMs >= WALL_JUMP_MS;
    this.#wallAheadMs = wallAheadMs;
    return jumped ? this.#look() : 0;
  }

  #look(): number {
    let bounds: { least: number; most: number };
    try {
      bounds = this.#bounds();
    } catch {
      return 0; // no clock, no suspend seen: everything else goes on
    }
    const slept = bounds.least - this.#aheadMs;
    this.#aheadMs = bounds.most;
    if (slept < LEAST_MS) return 0;
    this.#onResume(slept);
    return slept;
  }

  /** Closes its clocks. */
  close(): void {
    this.#clocks.close?.();
  }
}
