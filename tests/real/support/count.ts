// How much of a full proof to run, and at what pace.
import { setPriority } from 'node:os';

/**
 * `full`, or less when BADNESS_REAL_COUNT (1 … full) says so; then also no more than `reduced`, for what takes so long that a
 * few stand for many.
 */
export function realCount(full: number, reduced = full): number {
  const asked = process.env.BADNESS_REAL_COUNT;
  if (asked === undefined || asked === '') return full;
  const count = Number(asked);
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`BADNESS_REAL_COUNT must be 1 or more, got ${asked}`);
  return Math.min(count, full, reduced);
}

/** Lets a process that must keep a pace have its turn before what else this machine does, where the test may say so. */
export function hurry(pid: number): void {
  if (process.getuid?.() === 0) setPriority(pid, -10);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
