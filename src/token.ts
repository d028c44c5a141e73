/**
 * Stage: token. Host side of assembly/token.ts: at most one kill in flight along any line of ancestors and descendants
 * among the domains. Busy and stale are answers, not errors: they happen in every contended round.
 *
 * All times are milliseconds of one monotonic clock that every thread reads (process.hrtime, not performance.now, whose
 * origin differs between workers).
 */
import * as L from '../assembly/layout.js';
import { isDomainOpen, lineOf, recordAt } from './domains.js';

export interface TokenAbi {
  /** Takes the token of a domain until a deadline, in monotonic ms. Answers the operation; `E_BUSY`, `E_RANGE`. */
  token_acquire(w: number, domain: number, nowMs: number, deadlineMs: number): number;
  /** Names the victim of an operation, before any signal. `E_STALE` when the operation is void. */
  token_victim(
    w: number,
    domain: number,
    operation: number,
    id: number,
    idHi: number,
    startTicks: number,
    deadlineMs: number,
  ): number;
  /** Gives the token back; with `TOKEN_VICTIM` when somebody was signalled. `E_STALE`. */
  token_finish(domain: number, operation: number, victim: number): number;
}

export interface TokenEngine {
  readonly abi: TokenAbi;
  readonly memory: WebAssembly.Memory;
  /** Address of the calling thread's window. */
  readonly window: number;
}

/** Whom the holder of a token kills: an id and when it started, which together are one task. */
export interface TokenVictim {
  /** tgid, or the id of a registered task; 0 … 2^53. */
  id: number;
  /** 1/100 s since boot. */
  startTicks: number;
}

/** Who holds the token of a domain. Milliseconds are monotonic. */
export interface TokenHolder {
  operation: number;
  /** Number of the window of the thread that runs it. */
  thread: number;
  deadlineMs: number;
  /** Set from before its signal is sent until its memory is back. */
  victim: TokenVictim | undefined;
}

const WORD = 2 ** 32;
const NOBODY_EXPIRES = -1;
const BACK_OFF_FIRST_MS = 2;
const BACK_OFF_MOST_MS = 250;

/** The kill token of one domain, for the thread whose window the engine has. */
export class KillToken {
  readonly #abi: TokenAbi;
  readonly #window: number;
  readonly #domain: number;
  readonly #view: DataView;
  readonly #words: BigUint64Array<ArrayBufferLike>;

  constructor(engine: TokenEngine, domain: number) {
    this.#abi = engine.abi;
    this.#window = engine.window;
    this.#domain = domain;
    this.#view = new DataView(engine.memory.buffer);
    this.#words = new BigUint64Array(engine.memory.buffer);
  }

  /**
   * Takes the token until `deadlineMs`. Returns the operation id, or undefined when it or one on its line is held:
   * then wait backOffMs and measure again before the next try. Throws RangeError when the domain is not open.
   */
  acquire(deadlineMs: number): number | undefined {
    return this.#acquire(NOBODY_EXPIRES, deadlineMs);
  }

  /**
   * As `acquire`, and where the deadline of the present operation has passed at `nowMs`, voids that and goes on in its
   * place. Look at `holder` then: with a victim, that kill is still in flight and is yours to finish.
   */
  takeOver(nowMs: number, deadlineMs: number): number | undefined {
    checkMs('nowMs', nowMs);
    return this.#acquire(nowMs, deadlineMs);
  }

  /**
   * Names the victim, before any signal is sent, and sets the deadline of the kill. False when the operation is not the
   * current one any more (or has a victim already): then nothing may be killed. From the thread that took it.
   */
  nameVictim(operation: number, victim: TokenVictim, deadlineMs: number): boolean {
    checkMs('deadlineMs', deadlineMs);
    const { id, startTicks } = victim;
    const args = [operation, id % WORD, Math.floor(id / WORD), startTicks, deadlineMs] as const;
    return this.#answer(this.#abi.token_victim(this.#window, this.#domain, ...args)) === L.OK;
  }

  /** Ends an operation without a victim. False when it is not the current one, or has a victim: nothing is changed. */
  cancel(operation: number): boolean {
    return this.#answer(this.#abi.token_finish(this.#domain, operation, 0)) === L.OK;
  }

  /** Ends an operation whose victim's memory is back, or that gave up. False as for `cancel`. From any thread. */
  finish(operation: number): boolean {
    return this.#answer(this.#abi.token_finish(this.#domain, operation, L.TOKEN_VICTIM)) === L.OK;
  }

  /** Who holds the token, undefined while it is idle. A moment's truth, for reports and escalation. */
  get holder(): TokenHolder | undefined {
    for (;;) {
      const word = this.#wordOf(this.#domain);
      if (word === 0n) return undefined;
      const low = Number(word % 2n ** 32n);
      const window = low - (low % (2 * L.TOKEN_VICTIM));
      const hold = window + L.W_TOKENS + this.#domain * L.HOLD_BYTES;
      const id = this.#view.getUint32(hold + L.HOLD_ID, true) + this.#view.getUint32(hold + L.HOLD_ID_HI, true) * WORD;
      const startTicks = this.#view.getFloat64(hold + L.HOLD_START_TICKS, true);
      const holder = {
        operation: Number(word >> 32n),
        thread: (window - L.WINDOWS) / L.WINDOW_BYTES,
        deadlineMs: this.#view.getFloat64(hold + L.HOLD_DEADLINE_MS, true),
        victim: (low & L.TOKEN_VICTIM) !== 0 ? { id, startTicks } : undefined,
      };
      // The cells belong to the word only while it has not changed.
      if (this.#wordOf(this.#domain) === word) return holder;
    }
  }

  /** Number of a domain whose token keeps this one from being acquired, itself included; undefined for none. */
  get blocker(): number | undefined {
    const numbers = Array.from({ length: L.DOMAINS_MAX }, (_, domain) => domain);
    const held = numbers.filter((other) => isDomainOpen(this.#view, other) && this.#wordOf(other) !== 0n);
    return held.find((other) => this.#isAbove(other, this.#domain) || this.#isAbove(this.#domain, other));
  }

  #acquire(nowMs: number, deadlineMs: number): number | undefined {
    checkMs('deadlineMs', deadlineMs);
    const answer = this.#answer(this.#abi.token_acquire(this.#window, this.#domain, nowMs, deadlineMs));
    return answer < 0 ? undefined : answer;
  }

  #answer(answer: number): number {
    if (answer === L.E_RANGE) throw new RangeError(`domain must be open, got ${this.#domain}`);
    return answer;
  }

  #wordOf(domain: number): bigint {
    return Atomics.load(this.#words, (recordAt(domain) + L.D_TOKEN) / 8);
  }

  #isAbove(above: number, domain: number): boolean {
    return lineOf(this.#view, domain).includes(above);
  }
}

/**
 * How long to wait before trying again for a busy token, in ms: a random time whose limit doubles from 2 ms with each
 * attempt (0, 1, …) up to 250. Random, so that two that met do not meet again.
 */
export function backOffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(BACK_OFF_MOST_MS, BACK_OFF_FIRST_MS * 2 ** attempt);
}

function checkMs(name: string, value: number): void {
  if (!(value >= 0 && value <= L.QUANTITY_MAX)) {
    throw new RangeError(`${name} must be milliseconds 0..${L.QUANTITY_MAX}, got ${value}`);
  }
}
