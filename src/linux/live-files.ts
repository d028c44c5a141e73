/** Stage: bytes of /proc. The files of the running kernel, each opened, read and closed; kept open where they are read again. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import type { ProcFiles } from '../proc/proc-files.js';
import { pageSizeOf } from './auxv.js';
import { KeptFile } from './kept-file.js';

const START_BYTES = 4096;
const start = Buffer.alloc(START_BYTES);

/** Reads a whole file into the engine's text window; what does not fit is cut off. Returns its bytes. */
function readInto(engine: Engine, path: string): number {
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

/** The first 4,096 bytes of a file. */
export function readStart(path: string, encoding: 'utf8' | 'latin1'): string {
  const fd = openSync(path, 'r');
  try {
    return start.toString(encoding, 0, readSync(fd, start, 0, START_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

export const liveFiles: ProcFiles = {
  readInto,
  start: (path) => readStart(path, 'utf8'),
  text: (path) => readFileSync(path, 'latin1'),
  link: (path) => readlinkSync(path),
  list: (path) => readdirSync(path),
  owner: (path) => statSync(path).uid,
  exists: existsSync,
  keep: (path) => new KeptFile(path),
  pageSize: pageSizeOf,
};
