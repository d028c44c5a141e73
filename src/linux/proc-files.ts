/**
 * Stage: bytes of /proc. Opens, reads and closes files below one root straight into the engine's text window, and says
 * by name what went wrong. The only place that knows how /proc fails.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';

/** A task that ends between two reads: normal, counted, never an error. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  // EINVAL is what some kernels answer while a task is being taken apart.
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL';
}

/** Files of other users that this process may not read (hidepid, LSM). */
export function isForbidden(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM';
}

export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/** Names below `root` that are pids, in the order the system gives them. */
export function listPids(root: string): string[] {
  const names = readdirSync(root);
  const pids: string[] = [];
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first >= 0x31 && first <= 0x39) pids.push(name);
  }
  return pids;
}

/** Reads a whole file into the engine's text window; what does not fit is cut off. Returns its bytes. */
export function readText(engine: Engine, path: string): number {
  const fd = openSync(path, 'r');
  try {
    return readFd(engine, fd, L.TEXT_BYTES);
  } finally {
    closeSync(fd);
  }
}

/** The same for an open descriptor. /proc hands out at most a page at a time, so it reads until the end. */
function readFd(engine: Engine, fd: number, limit: number): number {
  const at = engine.window + L.W_TEXT;
  let length = 0;
  while (length < limit) {
    const got = readSync(fd, engine.bytes, at + length, limit - length, length);
    if (got === 0) break;
    length += got;
    // Files that fit into one read end there; asking again would cost as much as the read.
    if (length < 1024) break;
  }
  return length;
}

/**
 * Reads a status that the window cannot hold, without its list of supplementary groups: nothing else makes one so long
 * (there may be 65,536 of them), and nobody asks for them. Returns its bytes.
 */
export function readWithoutGroups(engine: Engine, path: string): number {
  const text = readFileSync(path);
  // Name is escaped, so that no comm can hold the start of a line.
  const from = text.indexOf('\nGroups:');
  const to = from < 0 ? -1 : text.indexOf('\n', from + 1);
  const kept = to < 0 ? text : Buffer.concat([text.subarray(0, from), text.subarray(to)]);
  const length = Math.min(kept.length, L.TEXT_BYTES);
  engine.bytes.set(kept.subarray(0, length), engine.window + L.W_TEXT);
  return length;
}

/** The decimal integer at the start of the text window, as /proc/PID/oom_score_adj holds it. NaN when there is none. */
export function integerInText(engine: Engine, length: number): number {
  const at = engine.window + L.W_TEXT;
  const negative = engine.bytes[at] === 0x2d;
  let value = Number.NaN;
  for (let index = negative ? 1 : 0; index < length; ++index) {
    const digit = engine.bytes[at + index]! - 0x30;
    if (digit < 0 || digit > 9) break;
    value = (Number.isNaN(value) ? 0 : value * 10) + digit;
  }
  return negative ? -value : value;
}
