/**
 * Stage: bytes of /proc. The files of a system as somebody hands them over: the running kernel (src/linux/live-files.ts), or a
 * recording of it. Every parser of the host reads through this, so that both mean the same.
 */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';

/** A file that is read again and again, always from its start. */
export interface KeptText {
  readonly path: string;
  /** The text of the last reading, preceded by one newline. Bytes behind its end are older. */
  readonly bytes: Uint8Array;
  /** Reads again; the end of the text within `bytes`. `records`: the file hands out its lines in several reads. */
  read(records?: boolean): number;
  /** Where these bytes stand first within `bytes`, −1 for nowhere. */
  find(needle: Uint8Array): number;
  /** Reads again: the whole text, Latin-1. */
  text(): string;
  close(): void;
}

/** Paths are absolute. Whatever fails throws an error whose `code` is an errno name. */
export interface ProcFiles {
  /** Reads a whole file into the engine's text window; what does not fit is cut off. Returns its bytes. */
  readInto(engine: Engine, path: string): number;
  /** A whole file, Latin-1: a character a byte. */
  text(path: string): string;
  /** The first 4,096 bytes of a file, UTF-8: asking for no more brings in two pages of a task at most. */
  start(path: string): string;
  /** What a symbolic link names. */
  link(path: string): string;
  /** Names in a folder, in the order the system gives them. */
  list(path: string): readonly string[];
  /** Number of the user who owns a folder. */
  owner(path: string): number;
  exists(path: string): boolean;
  keep(path: string): KeptText;
  /** Bytes of a page. `root` is where /proc is. Throws BadnessError `EUSERHZ` for a kernel whose clock ticks are not 1/100 s. */
  pageSize(root: string): number;
}

/** Whose files, of which /proc, and what their numbers are to be in. */
export interface ProcPlace {
  readonly files: ProcFiles;
  /** Where /proc is. */
  readonly root: string;
  /** Jiffies per second that CPU times are told in. */
  readonly hz: number;
  readonly pageSize: number;
}

/** A task that ends between two reads: normal, counted, never an error. */
export function isGone(error: unknown): boolean {
  const { code } = error as { code?: string };
  // EINVAL is what some kernels answer while a task is being taken apart.
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL';
}

/** Files of other users that this process may not read (hidepid, LSM). */
export function isForbidden(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'EACCES' || code === 'EPERM';
}

/** Those of the names in /proc that are pids, in their order. */
export function pidsAmong(names: readonly string[]): string[] {
  const pids: string[] = [];
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first >= 0x31 && first <= 0x39) pids.push(name);
  }
  return pids;
}

/**
 * Reads a status that the window cannot hold, without its list of supplementary groups: nothing else makes one so long
 * (there may be 65,536 of them), and nobody asks for them. Returns its bytes.
 */
export function readWithoutGroups(engine: Engine, files: ProcFiles, path: string): number {
  // Name is escaped, so that no comm can hold the start of a line.
  const text = files.text(path).replace(/\nGroups:[^\n]*/, '');
  return writeText(engine, text);
}

/** Puts a text of one character a byte into the window; what does not fit is cut off. Returns its bytes. */
function writeText(engine: Engine, text: string): number {
  const { bytes } = engine;
  const at = engine.window + L.W_TEXT;
  const length = Math.min(text.length, L.TEXT_BYTES);
  for (let index = 0; index < length; ++index) bytes[at + index] = text.charCodeAt(index);
  return length;
}

/** Puts bytes into the text window; what does not fit is cut off. Returns how many it put. */
export function writeBytes(engine: Engine, text: Uint8Array): number {
  const fitting = text.subarray(0, L.TEXT_BYTES);
  engine.bytes.set(fitting, engine.window + L.W_TEXT);
  return fitting.length;
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
