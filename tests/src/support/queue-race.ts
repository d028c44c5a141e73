// What writer and drainers of queue-race.test.ts share beside the engine.

export { pause } from './thread-engine.js';

export interface QueueRaceData {
  memory: WebAssembly.Memory;
  thread: number;
  /** Counters, by the names below. */
  cells: SharedArrayBuffer;
  /** One byte a pid: how often it was taken or closed. */
  marks: SharedArrayBuffer;
}

export const DONE = 0;
export const TAKEN = 1;
export const DISORDER = 2;
export const FOREIGN = 3;
export const COUNTERS = 4;
