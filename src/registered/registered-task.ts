/** Stage: registered tasks, before the table. One task that was registered: its figures as last known, and its end. */
import { reasonOf } from '../guard/bounded-call.js';
import { checkQuantity, isQuantity, NOBODY_UID, type TaskFigures, type TaskSpec } from './task-spec.js';

/** What `register` gives back. An own object for each registration, so that it is an identity too. */
export class RegisteredTask {
  /** Above every pid: 2^32 and up. */
  readonly id: number;
  readonly name: string;
  readonly uid: number;
  readonly protected: boolean;
  readonly startedMs: number;
  readonly #spec: TaskSpec;
  readonly #forget: () => void;
  #memoryBytes: number;
  #cpuMs: number;
  #registered = true;
  #failures = 0;
  #lastError: string | null = null;

  /** @internal From TaskRegistry.register. */
  constructor(id: number, spec: TaskSpec, nowMs: number, forget: () => void) {
    this.id = id;
    this.name = spec.name;
    this.uid = spec.uid ?? NOBODY_UID;
    this.protected = spec.protected === true;
    this.startedMs = Math.min(spec.startedMs ?? nowMs, nowMs);
    this.#spec = spec;
    this.#forget = forget;
    this.#memoryBytes = Math.floor(spec.memoryBytes ?? 0);
    this.#cpuMs = spec.cpuMs ?? 0;
  }

  get registered(): boolean {
    return this.#registered;
  }

  /** Processor time as last said, ms. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** How often its `memory` threw, or answered what is no number of bytes, and why the last time. */
  get failures(): { readonly count: number; readonly last: string | null } {
    return { count: this.#failures, last: this.#lastError };
  }

  /** New figures. Does nothing once it is unregistered. Throws RangeError, TypeError; for `memoryBytes` also where `memory` tells. */
  update({ memoryBytes, cpuMs }: TaskFigures): void {
    checkQuantity(`memoryBytes of task ${this.name}`, memoryBytes);
    checkQuantity(`cpuMs of task ${this.name}`, cpuMs);
    if (memoryBytes !== undefined && this.#spec.memory) {
      throw new TypeError(`memoryBytes of task ${this.name} comes from its memory()`);
    }
    if (memoryBytes !== undefined) this.#memoryBytes = Math.floor(memoryBytes);
    if (cpuMs !== undefined) this.#cpuMs = cpuMs;
  }

  /** It is no more: its memory does not count, and nobody asks it. Once is enough, more is nothing. */
  unregister(): void {
    this.#registered = false;
    this.#forget();
  }

  /** Bytes that it holds now; as last known when its `memory` fails, which is counted; 0 once it is unregistered. */
  measure(): number {
    return this.tryMeasure() ?? this.#memoryBytes;
  }

  /** As `measure`, but null when it cannot be known. @internal */
  tryMeasure(): number | null {
    if (!this.#registered) return 0;
    const { memory } = this.#spec;
    if (!memory) return this.#memoryBytes;
    try {
      const bytes: unknown = memory();
      if (!isQuantity(bytes)) throw new RangeError(`memory() must be bytes 0..2^53, got ${String(bytes)}`);
      this.#memoryBytes = Math.floor(bytes);
      return this.#memoryBytes;
    } catch (thrown) {
      this.#failures += 1;
      this.#lastError = reasonOf(thrown);
      return null;
    }
  }

  /** Asks it to give memory back; hard, where it can be ended, ends it. May throw anything. @internal */
  ask(hard: boolean, neededBytes: number, signal: AbortSignal): unknown {
    const { shed, kill } = this.#spec;
    return hard && kill ? kill(signal) : shed(Object.freeze({ hard, neededBytes }), signal);
  }

  /** What a hard question is: `kill` or `shed`. @internal */
  get hardCall(): 'kill' | 'shed' {
    return this.#spec.kill ? 'kill' : 'shed';
  }
}
