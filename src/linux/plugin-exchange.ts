/**
 * Stage: points. The memory between a guard and the thread of a plug-in: some words, a text, and the region of the tasks. Nothing else
 * is shared with it: the engine's memory is another one, and what comes back is copied before it is looked at.
 */
import { regionBytes } from '../plugin/layout.js';

/** Words, each written by one side. */
export const STATE = 0;
export const ASKED = 1;
export const ANSWERED = 2;
export const TASKS = 3;
/** Bytes of the text, which says what went wrong; 0 for nothing. */
export const WRONG = 4;
const WORDS = 16;

/** Of the state, which is 0 at first. */
export const READY = 1;
export const REFUSED = 2;

const TEXT_AT = WORDS * 4;
const TEXT_BYTES = 448;
/** Where the region begins. */
export const REGION_AT = TEXT_AT + TEXT_BYTES;

export interface Exchange {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly text: Uint8Array;
}

/** With room for so many tasks. What is never written costs no memory. */
export function makeExchange(tasks: number): Exchange {
  return openExchange(new SharedArrayBuffer(REGION_AT + regionBytes(tasks)));
}

export function openExchange(buffer: SharedArrayBuffer): Exchange {
  const text = new Uint8Array(buffer, TEXT_AT, TEXT_BYTES);
  return { buffer, words: new Int32Array(buffer, 0, WORDS), text };
}

/** What a thread is started with. */
export interface PluginThreadData {
  buffer: SharedArrayBuffer | null;
  /** A WebAssembly module, or a JavaScript one and an export of it. */
  readonly code: PluginCode;
}

export type PluginCode =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly module: string; readonly export: string };
