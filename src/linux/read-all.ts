/** Stage: bytes → table. Everybody on this machine in full: the reading behind `rank`, `explain` and `compare`. */
import type { Engine } from '../engine.js';
import { type Reading, type ReadOptions, readingSteps, readTasksFrom } from '../proc/read-all.js';
import { liveFiles } from './live-files.js';

export type { Reading, ReadOptions } from '../proc/read-all.js';

/**
 * Reads every task of a Linux machine into a new snapshot and makes it the current one. Processes may end at any
 * point: they are counted as gone. Throws BadnessError `ENOTLINUX` where there is no /proc.
 */
export function readTasks(engine: Engine, options: ReadOptions = {}): Reading {
  return readTasksFrom(engine, liveFiles, options);
}

/**
 * The same for a thread that has more to do: after each `sliceMs` its event loop has a turn. One at a time for an engine,
 * whose current snapshot stays the one before until the end. Rejects as `readTasks` throws.
 */
export async function readTasksInSlices(engine: Engine, options: ReadOptions, sliceMs: number): Promise<Reading> {
  const steps = readingSteps(engine, liveFiles, options);
  let until = performance.now() + sliceMs;
  let step = steps.next();
  while (!step.done) {
    if (performance.now() >= until) {
      await new Promise(setImmediate);
      until = performance.now() + sliceMs;
    }
    step = steps.next();
  }
  return step.value;
}
