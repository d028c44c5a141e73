/**
 * Stage: report. The lines of a daemon. Written at once, by whatever thread says them; a reader that does not read must not
 * hold up a round, so a line that does not fit into a pipe is dropped and counted.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

export interface LineWriter {
  write(line: string): void;
  close(): void;
}

const STDOUT = 1;

/**
 * A pipe is opened anew without blocking; files, terminals and sockets are written as they are (Node makes sockets non-blocking).
 * `lost` says that so many lines could not be written, ahead of the first one that can.
 */
export function openLineWriter(lost: (lines: number) => string, fd = STDOUT): LineWriter {
  const isPipe = fstatSync(fd).isFIFO();
  const own = isPipe ? reopen(fd) : fd;
  let dropped = 0;
  /** What did not fit of a line that was begun. */
  let rest: Uint8Array = new Uint8Array(0);
  const push = (bytes: Uint8Array) => bytes.subarray(writeSync(own, bytes));
  return {
    write(line) {
      try {
        if (rest.length > 0) rest = push(rest);
        if (rest.length > 0) {
          dropped += 1;
          return;
        }
        rest = push(Buffer.from(dropped > 0 ? `${lost(dropped)}\n${line}\n` : `${line}\n`));
        dropped = 0;
      } catch {
        // EAGAIN: nobody reads. EPIPE: nobody will. Guarding goes on.
        dropped += 1;
      }
    },
    close() {
      if (own !== fd) closeSync(own);
    },
  };
}

function reopen(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}
