/**
 * Stage: bytes of /proc. Open, read at a position, close: what a round does by the thousand and a guard at each wake-up. Two bodies:
 * node:fs, and libc through koffi (native-files.ts), which costs half as much as long as V8 has not compiled Node's wrappers.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { listPids } from './proc-files.js';

/** Reads up to `length` bytes of an open file from `position` to `at` in the bytes it was made for; the count. Errors by errno name. */
export type ReadAt = (fd: number, at: number, length: number, position: number) => number;

/** The system calls on files that a reader of /proc makes again and again. */
export interface FileCalls {
  /** Read-only, closed on exec. Errors by errno name. */
  open(path: string): number;
  /** The bytes must stay where they are: no memory that grows. */
  readerInto(bytes: Uint8Array): ReadAt;
  /** Names of the pids in a /proc at each call, in alphabetical order. Errors by errno name. */
  pidsIn(root: string): () => readonly string[];
  /** Closes a descriptor. */
  close(fd: number): void;
  /**
   * Room for so many descriptors, before they are needed: a process with threads waits 5 ms for all processors each time its table of
   * descriptors doubles. Where that cannot be asked for, nothing.
   */
  reserve(descriptors: number): void;
}

/** As a number: Node takes a letter apart in every call. */
const O_RDONLY = 0;

export const NODE_FILES: FileCalls = {
  open: (path) => openSync(path, O_RDONLY),
  readerInto: (bytes) => (fd, at, length, position) => readSync(fd, bytes, at, length, position),
  pidsIn: (root) => () => listPids(root),
  close: closeSync,
  reserve() {},
};
