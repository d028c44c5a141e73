/** Stage: registered tasks, before the table. What whoever registers a task says of it, and the checks of that. */
import { QUANTITY_MAX } from '../../assembly/layout.js';

/** What a task is asked for. */
export interface ShedAsk {
  /** False: give back what can be done without. True: everything, now; nobody asks a third time. */
  readonly hard: boolean;
  /** What is missing until memory is not short any more, bytes, > 0. It may be more than the task holds. */
  readonly neededBytes: number;
}

/** What whoever registers a task says of it. TypeError and RangeError name the task and the field. */
export interface TaskSpec {
  /** 1 … 64 printable characters, for people; names may repeat. The first 15 bytes stand as comm in a task record. */
  readonly name: string;
  /** Bytes that it holds now, 0 … 2^53. Called at every reading, so it must be cheap. Without it what `update` said last counts. */
  readonly memory?: () => number;
  /** The same as a number, for a task without `memory`. Default 0. */
  readonly memoryBytes?: number;
  /** Milliseconds of processor time that it has used, ≥ 0: schemes may spare whoever has worked. Default 0. */
  readonly cpuMs?: number;
  /** When it began, in milliseconds of performance.now(), not in the future. Default: now. */
  readonly startedMs?: number;
  /** Shown to those who are asked around a round; old schemes spare 0. Default 65534, nobody. */
  readonly uid?: number;
  /** Never chosen. What it holds counts all the same. */
  readonly protected?: boolean;
  /**
   * Gives memory back; may answer how many bytes. What counts is what is measured then. `signal` fires when nobody waits any
   * more. It may throw, and it may be asked a second time with `hard`.
   */
  readonly shed: (ask: ShedAsk, signal: AbortSignal) => ShedAnswer | Promise<ShedAnswer>;
  /** Ends it, in the place of a hard `shed`. */
  readonly kill?: (signal: AbortSignal) => unknown;
}

/** Bytes that were given back, or nothing: what counts is measured. */
// biome-ignore lint/suspicious/noConfusingVoidType: a shed that returns nothing is a shed
export type ShedAnswer = number | void;

/** What a task without `memory` says of itself from time to time; what is left out stays as it was. */
export interface TaskFigures {
  readonly memoryBytes?: number;
  readonly cpuMs?: number;
}

export const NOBODY_UID = 65_534;
const NAME = /^[^\p{Cc}]{1,64}$/u;
const U32_MAX = 2 ** 32 - 1;

export function isQuantity(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= QUANTITY_MAX;
}

/** Throws TypeError or RangeError. */
export function checkQuantity(name: string, value: unknown): void {
  if (value === undefined || isQuantity(value)) return;
  const text = `${name} must be 0..2^53, got ${String(value)}`;
  throw typeof value === 'number' ? new RangeError(text) : new TypeError(text);
}

/** Throws TypeError or RangeError for what is no task. */
export function checkSpec(spec: TaskSpec): void {
  const { name, memory, memoryBytes, cpuMs, startedMs = 0, uid = NOBODY_UID, shed, kill } = spec;
  if (typeof name !== 'string') throw new TypeError(`name of a task must be text, got ${String(name)}`);
  if (!NAME.test(name)) {
    throw new RangeError(`name of a task must be 1..64 printable characters, got ${JSON.stringify(name.slice(0, 80))}`);
  }
  for (const [key, value] of Object.entries({ memory, shed, kill })) {
    if (typeof value === 'function' || (value === undefined && key !== 'shed')) continue;
    throw new TypeError(`${key} of task ${name} must be a function, got ${typeof value}`);
  }
  if (memory && memoryBytes !== undefined) throw new TypeError(`task ${name} has both memory and memoryBytes`);
  checkQuantity(`memoryBytes of task ${name}`, memoryBytes);
  checkQuantity(`cpuMs of task ${name}`, cpuMs);
  if (!Number.isFinite(startedMs)) throw new RangeError(`startedMs of task ${name} must be a time, got ${startedMs}`);
  if (!(Number.isInteger(uid) && uid >= 0 && uid <= U32_MAX)) {
    throw new RangeError(`uid of task ${name} must be an integer 0..${U32_MAX}, got ${uid}`);
  }
}
