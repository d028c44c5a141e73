/** Stage: bytes → selection. One recording after the other by two policies, for threads that do nothing else: what came of each, whatever it is. */
import { type Engine, openEngine } from '../engine.js';
import type { Policy } from '../policy/policy.js';
import { parseRecording } from './reader.js';
import { tasksMost } from './replay-guard.js';
import { type WhatIf, whatIf } from './what-if.js';

/** What came of a recording. Can be cloned between threads, and written as JSON. */
export type Looked =
  | { readonly kind: 'done'; readonly result: WhatIf; readonly isComplete: boolean }
  | { readonly kind: 'bad'; readonly code: string | null; readonly words: string };

/** By which policies a recording is looked at. */
export interface LookOptions {
  readonly policy: Policy;
  /** Null: that of the recording, else the default one. */
  readonly against: Policy | null;
  readonly all: boolean;
}

/** Words of an error, the first line of them. */
export function badOne(error: unknown): Looked {
  const { code = null, message } = error as { code?: string | null; message: string };
  return { kind: 'bad', code, words: message.split('\n')[0]! };
}

/** Keeps one engine for as many recordings as it has room for. */
export class RecordingLooker {
  readonly #module: WebAssembly.Module | null;
  #engine: Engine | null = null;

  /** `module`: the engine, compiled for threads; null where one must be found that this machine can run. */
  constructor(module: WebAssembly.Module | null = null) {
    this.#module = module;
  }

  /** Never rejects: what is wrong with a recording is what came of it. */
  look(bytes: Uint8Array, options: LookOptions): Promise<Looked> {
    return this.#look(bytes, options).catch(badOne);
  }

  async #look(bytes: Uint8Array, { policy, against, all }: LookOptions): Promise<Looked> {
    const recording = parseRecording(bytes);
    const engine = await this.#engineFor(tasksMost(recording));
    const result = await whatIf(recording, { policy, engine, all, ...(against ? { against } : {}) });
    return { kind: 'done', result, isComplete: recording.isComplete };
  }

  async #engineFor(maxTasks: number): Promise<Engine> {
    if (this.#engine && this.#engine.capacity >= maxTasks) return this.#engine;
    this.#engine = await openEngine({ maxTasks, ...(this.#module ? { module: this.#module, build: 'shared' } : {}) });
    return this.#engine;
  }
}
