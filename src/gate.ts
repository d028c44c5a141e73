/**
 * Stage: gate. Host side of assembly/gate.ts: rules in, times in, `kill` or the reason to refuse out. The rules stand in
 * the record of the domain, so every thread that wraps the same domain uses the same gate.
 */
import * as L from '../assembly/layout.js';
import { recordAt } from './domains.js';

export interface GateAbi {
  /** One call of the gate of a domain, at a time of 64 bits in two words: `GATE_KILL` or why not; `E_BUSY`, `E_RANGE`. */
  gate_call(domain: number, timeLo: number, timeHi: number, done: number): number;
}

export interface GateEngine {
  readonly abi: GateAbi;
  readonly memory: WebAssembly.Memory;
}

/** Answers in the order of GATE_KILL … GATE_COOLDOWN. */
const ANSWERS = ['kill', 'reset', 'too_soon', 'few', 'cooldown'] as const;
/**
 * `kill`: let through. The others refuse: `reset` starts counting (first call, long silence, clock gone back),
 * `too_soon` is within the warm-up, `few` wants more calls, `cooldown` is too close to the last kill, `busy` means that
 * another thread was deciding at that moment.
 */
export type GateAnswer = (typeof ANSWERS)[number] | 'busy';

/** In ticks of the clock that `call` is given: milliseconds, unless the caller counts in something else. */
export interface GateRules {
  /** A silence longer than this starts again. Default 5,000. */
  windowTicks?: number;
  /** Calls do not count until this long after the first. Default 1,000. */
  warmUpTicks?: number;
  /** Counted calls that let one through. Default 10. */
  calls?: number;
  /** From one that was let through to the next. Default 5,000. */
  cooldownTicks?: number;
}

const WORD = 2 ** 32;
const CALLS_MAX = WORD - 1;
/** Far longer than anybody is inside: about twenty instructions. */
const LOCK_TRIES = 1000;

/** The gate of one domain. Until it is given rules it is a level gate, which is always open. */
export class Gate {
  readonly #abi: GateAbi;
  readonly #domain: number;
  readonly #record: number;
  readonly #view: DataView;
  readonly #lock: Int32Array<ArrayBufferLike>;

  constructor(engine: GateEngine, domain: number) {
    this.#abi = engine.abi;
    this.#domain = domain;
    this.#record = recordAt(domain);
    this.#view = new DataView(engine.memory.buffer);
    this.#lock = new Int32Array(engine.memory.buffer, this.#record + L.GATE_LOCK, 1);
  }

  /** Always open: for sources that measure a level, where token and settling are the pause. */
  openLevel(): void {
    this.#open(0, {});
  }

  /** The rate gate of Linux 2.6.10 with a clock that may fail: for callers that report failed allocations. */
  openRate(rules: GateRules = {}): void {
    this.#open(L.GATE_RATE, rules);
  }

  /** Other rules for a rate gate that goes on counting: its history stays. */
  changeRate(rules: GateRules): void {
    this.#locked(() => this.#setRules(rules));
  }

  /**
   * The gate of Linux 2.6.10 to the bit, at boot: jiffies that wrap, and 0 where nothing has happened yet. For replays.
   * `hz` is the kernel's, 48 … 1535; `bits` the width of its unsigned long.
   */
  openLinux(hz: number, bits: 32 | 64 = 64): void {
    if (!(hz >= L.HZ_MIN && hz <= L.HZ_MAX)) throw new RangeError(`hz must be ${L.HZ_MIN}..${L.HZ_MAX}, got ${hz}`);
    const rules = { windowTicks: 5 * hz, warmUpTicks: hz, cooldownTicks: 5 * hz };
    this.#open(bits === 32 ? L.GATE_LINUX_2_6_10 | L.GATE_32 : L.GATE_LINUX_2_6_10, rules);
  }

  /**
   * An allocation failed at `now`: integer ticks of a clock that should not go back, 0 … 2^53; jiffies above that as a
   * bigint. Throws RangeError for other numbers and when the domain is not open.
   */
  call(now: number | bigint): GateAnswer {
    return this.#step(now, 0);
  }

  /** The kill that was let through at `then` is over, or was called off: counting starts again from then. */
  done(then: number | bigint): void {
    this.#step(then, 1);
  }

  /**
   * Drops all history, because the clock is not the one it was: after suspend. The next call is refused with `reset`.
   * Call it from the thread that calls the gate, or expect a call under way not to notice.
   */
  forget(): void {
    this.#locked(() => {
      const flags = this.#view.getUint32(this.#record + L.GATE_FLAGS, true);
      this.#view.setUint32(this.#record + L.GATE_FLAGS, flags & ~(L.GATE_CALLED | L.GATE_KILLED), true);
    });
  }

  #step(time: number | bigint, done: number): GateAnswer {
    if (typeof time === 'bigint' ? time < 0n : !Number.isSafeInteger(time) || time < 0) {
      throw new RangeError(`time must be an integer of at least 0, got ${time}`);
    }
    let lo = typeof time === 'bigint' ? Number(BigInt.asUintN(32, time)) : time % WORD;
    let hi = typeof time === 'bigint' ? Number(BigInt.asUintN(32, time >> 32n)) : Math.floor(time / WORD);
    if ((this.#view.getUint32(this.#record + L.GATE_FLAGS, true) & L.GATE_32) !== 0) {
      hi = lo;
      lo = 0;
    }
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const answer = this.#abi.gate_call(this.#domain, lo, hi, done);
      if (answer >= 0) return ANSWERS[answer]!;
      if (answer !== L.E_BUSY) throw new RangeError(`domain must be open, got ${this.#domain}`);
    }
    return 'busy';
  }

  #open(flags: number, rules: GateRules): void {
    const upper = (flags & L.GATE_32) !== 0;
    this.#locked(() => {
      this.#setRules(rules, upper);
      for (const cell of [L.GATE_FIRST, L.GATE_LAST, L.GATE_LASTKILL]) this.#ticks(cell, 0, upper);
      this.#view.setUint32(this.#record + L.GATE_COUNT, 0, true);
      this.#view.setUint32(this.#record + L.GATE_FLAGS, flags, true);
    });
  }

  #setRules(rules: GateRules, upper = false): void {
    const {
      windowTicks = L.GATE_DEFAULT_WINDOW_MS,
      warmUpTicks = L.GATE_DEFAULT_WARM_UP_MS,
      calls = L.GATE_DEFAULT_CALLS,
      cooldownTicks = L.GATE_DEFAULT_COOLDOWN_MS,
    } = rules;
    checkRule('windowTicks', windowTicks, 0);
    checkRule('warmUpTicks', warmUpTicks, 0);
    checkRule('calls', calls, 1);
    checkRule('cooldownTicks', cooldownTicks, 0);
    this.#ticks(L.GATE_WINDOW_TICKS, windowTicks, upper);
    this.#ticks(L.GATE_WARM_UP_TICKS, warmUpTicks, upper);
    this.#ticks(L.GATE_COOLDOWN_TICKS, cooldownTicks, upper);
    this.#view.setUint32(this.#record + L.GATE_CALLS, calls, true);
  }

  #ticks(cell: number, ticks: number, upper: boolean): void {
    this.#view.setUint32(this.#record + cell, upper ? 0 : ticks, true);
    this.#view.setUint32(this.#record + cell + 4, upper ? ticks : 0, true);
  }

  /** Runs `change` alone. Whoever holds the lock for very long has died inside: then it is taken all the same. */
  #locked(change: () => void): void {
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      if (Atomics.compareExchange(this.#lock, 0, 0, 1) === 0) break;
    }
    try {
      change();
    } finally {
      Atomics.store(this.#lock, 0, 0);
    }
  }
}

function checkRule(name: string, value: number, low: number): void {
  if (!Number.isInteger(value) || value < low || value > CALLS_MAX) {
    throw new RangeError(`${name} must be an integer ${low}..${CALLS_MAX}, got ${value}`);
  }
}
