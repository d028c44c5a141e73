/** Stage: selection → report. What the threads of badness whatif share: the cells of their queue, and what they say of a recording. */
import type { Looked } from '../recording/index.js';

/** Cells of the shared memory: the place in `order` to be taken next, then what each thread has in hand. */
export const NEXT = 0;
export const IN_HAND = 1;
/** Nothing in hand. */
export const IDLE = -1;

/** What a thread is started with; the policies (LookOptions) follow as a message. Everything can be cloned between threads. */
export interface WhatIfWorkerData {
  readonly paths: readonly string[];
  /** Places in `paths`, in the order in which they are taken. */
  readonly order: readonly number[];
  readonly cells: Int32Array;
  /** Number of this thread, from 0. */
  readonly thread: number;
  /** Compiled once for all threads; null where an engine must find one that this machine can run. */
  readonly module: WebAssembly.Module | null;
}

export interface FromWhatIf {
  /** Place in `paths`. */
  readonly index: number;
  readonly looked: Looked;
}
