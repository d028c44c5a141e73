/**
 * Stage: points. A user's scheme in a guard: its thread is asked within a deadline, and when it is late, traps, throws or answers what is
 * no answer it is killed, and the fallback scheme decides, at once. Another thread is started after a pause, while somebody chooses, and
 * only so often; until it is ready nobody waits for it.
 */
import { open } from 'node:fs/promises';
import type { Engine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { givenTo, NO_POINTS, type PluginReport, type PointsSource } from '../plugin/points-source.js';
import { checkedPoints, eligibleSlots, takePoints, writePoints, writeRegion } from '../plugin/region.js';
import { type PluginSpec, pluginName } from '../policy/plugin-scheme.js';
import type { SchemeName } from '../schemes.js';
import { errorCode } from './identity.js';
import { type PluginCode, REGION_AT } from './plugin-exchange.js';
import { PluginThread } from './plugin-thread.js';

/** `waiting`: killed, and to be started again. `off`: killed too often; until the policy is read again. */
export interface PluginState {
  readonly name: string;
  readonly state: 'ready' | 'starting' | 'waiting' | 'off';
  readonly fallback: SchemeName;
  /** Choices that it gave the points for, and choices that the fallback scheme made in its place. */
  readonly answered: number;
  readonly fallbacks: number;
  /** Threads started after the first. */
  readonly restarts: number;
  /** Why it was killed last; null when it never was. */
  readonly lastError: string | null;
}

/** What a scheme from a module is opened with. */
export interface PluginSchemeOptions {
  readonly spec: PluginSpec;
  /** Most tasks that it is ever asked about. */
  readonly tasks: number;
  /** Hears why it was killed, and null when it answers again. */
  readonly tell?: ((error: string | null) => void) | undefined;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** So long it may take to load. */
const START_MS = 2000;
const CODE_BYTES = 16 * 2 ** 20;
/** From one killed to the next started; twice as long after each within the hour. */
const PAUSE_FIRST_MS = 10_000;
const PAUSE_MOST_MS = 300_000;
const HOUR_MS = 3_600_000;
/** Killed so often within an hour, it is not started again. */
const KILLED_MOST = 10;

async function readCode(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new BadnessError('EPLUGIN', `cannot be read: ${errorCode(error)}`, { cause: error });
  });
  try {
    const bytes = new Uint8Array(CODE_BYTES + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > CODE_BYTES) throw new BadnessError('EPLUGIN', `must have at most ${CODE_BYTES} bytes`);
    return bytes.slice(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function codeOf(spec: PluginSpec): Promise<PluginCode> {
  if ('wasm' in spec) return { bytes: await readCode(spec.wasm) };
  return { module: spec.module, export: spec.export };
}

/** A scheme from a module, in a thread of its own with a deadline; `openPluginScheme` opens it. */
export class PluginScheme implements PointsSource {
  readonly #options: PluginSchemeOptions;
  readonly #code: PluginCode;
  readonly #name: string;
  readonly #now: () => number;
  #thread: PluginThread;
  /** When each was killed, of the last hour. */
  #killed: number[] = [];
  #wait: { readonly untilMs: number } | null = null;
  #startedMs: number;
  #given = NO_POINTS;
  #counts = { answered: 0, fallbacks: 0, restarts: 0 };
  #lastError: string | null = null;
  #told = false;
  #closed = false;

  /** @internal */
  constructor(options: PluginSchemeOptions, code: PluginCode) {
    this.#options = options;
    this.#code = code;
    this.#name = pluginName(options.spec);
    this.#now = options.now ?? (() => performance.now());
    this.#startedMs = this.#now();
    this.#thread = new PluginThread(code, options.tasks);
  }

  get state(): PluginState {
    const { fallback } = this.#options.spec;
    const state = this.#wait === null ? (this.#thread.state === 'ready' ? 'ready' : 'starting') : this.#waitState;
    return { name: this.#name, state, fallback, ...this.#counts, lastError: this.#lastError };
  }

  get #waitState(): 'waiting' | 'off' {
    return this.#wait?.untilMs === Number.POSITIVE_INFINITY ? 'off' : 'waiting';
  }

  /** @internal */
  async started(): Promise<this> {
    try {
      await this.#thread.started(START_MS);
      return this;
    } catch (error) {
      this.close();
      throw new BadnessError('EPLUGIN', `plug-in ${this.#name}: ${(error as Error).message}`, { cause: error });
    }
  }

  score(engine: Engine, totalPages: number): PluginReport {
    this.#given = NO_POINTS;
    const began = performance.now();
    const report = { name: this.#name, answered: false, ms: 0 };
    const reason = this.#whyNot();
    if (reason !== null) {
      this.#counts.fallbacks += 1;
      return { ...report, reason };
    }
    try {
      this.#ask(engine, totalPages);
      return { ...report, answered: true, reason: null, ms: performance.now() - began };
    } catch (error) {
      if (!(error instanceof BadnessError)) throw error;
      this.#counts.fallbacks += 1;
      this.#kill(error.message);
      return { ...report, reason: error.message, ms: performance.now() - began };
    }
  }

  pointsOf(slot: number): number | null {
    return givenTo(this.#given, slot);
  }

  /** Ends its thread. Whoever asks then is answered by the fallback scheme. */
  close(): void {
    this.#closed = true;
    this.#thread.kill();
  }

  #ask(engine: Engine, totalPages: number): void {
    const { buffer } = this.#thread.exchange;
    const slots = eligibleSlots(engine);
    if (slots.length > this.#options.tasks) {
      throw new BadnessError('EPLUGIN', `there is room for ${this.#options.tasks} tasks, got ${slots.length}`);
    }
    writeRegion(engine, slots, totalPages, buffer, REGION_AT);
    this.#thread.ask(slots.length, this.#options.spec.deadlineMs);
    // From here on it is ours: whatever the thread goes on to write there is not looked at.
    const points = checkedPoints(takePoints(slots.length, buffer, REGION_AT), engine, slots);
    writePoints(engine, slots, points);
    this.#given = { slots, points };
    this.#counts.answered += 1;
    if (this.#told) this.#options.tell?.(null);
    this.#told = false;
  }

  /** Null when it can be asked now. */
  #whyNot(): string | null {
    if (this.#closed) return 'closed';
    if (this.#wait !== null) {
      if (this.#waitState === 'off') return `killed ${KILLED_MOST} times within an hour, and not started again`;
      // Never two at a time: one that cannot be ended is the last.
      if (this.#now() < this.#wait.untilMs || !this.#thread.hasEnded) return 'killed before, and not started again yet';
      const refused = this.#restart();
      if (refused !== null) return refused;
    }
    const { state } = this.#thread;
    if (state === 'ready') return null;
    if (state === 'starting' && this.#now() - this.#startedMs < START_MS) return 'starting';
    const why = state === 'starting' ? `was not ready within ${START_MS} ms` : this.#thread.wrong;
    this.#kill(why);
    return why;
  }

  /** Why there is none: no thread can be had in a fork bomb, no memory where it is short. Then the fallback goes on. */
  #restart(): string | null {
    this.#counts.restarts += 1;
    this.#startedMs = this.#now();
    try {
      this.#thread = new PluginThread(this.#code, this.#options.tasks);
    } catch (error) {
      const why = `cannot be started again: ${(error as Error).message}`;
      this.#kill(why);
      return why;
    }
    this.#wait = null;
    return null;
  }

  #kill(why: string): void {
    const nowMs = this.#now();
    this.#thread.kill();
    this.#lastError = why;
    this.#killed = [...this.#killed.filter((atMs) => nowMs - atMs < HOUR_MS), nowMs];
    const times = this.#killed.length;
    const pauseMs = Math.min(PAUSE_FIRST_MS * 2 ** (times - 1), PAUSE_MOST_MS);
    this.#wait = { untilMs: times >= KILLED_MOST ? Number.POSITIVE_INFINITY : nowMs + pauseMs };
    this.#told = true;
    this.#options.tell?.(why);
  }
}

/**
 * Starts a plug-in and waits until it is ready, 2 s at most. Rejects with BadnessError `EPLUGIN` for a file or module that is not there, an
 * export that is missing, an import, another version of the ABI, a memory without a declared end.
 */
export async function openPluginScheme(options: PluginSchemeOptions): Promise<PluginScheme> {
  let code: PluginCode;
  try {
    code = await codeOf(options.spec);
  } catch (error) {
    throw new BadnessError('EPLUGIN', `plug-in ${pluginName(options.spec)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return new PluginScheme(options, code).started();
}
