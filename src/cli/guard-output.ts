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

/** A pipe is opened anew without blocking; files, terminals and sockets are written as they are. */
export function openLineWriter(fd = STDOUT): LineWriter {
  const isPipe = fstatSync(fd).isFIFO();
  const own = isPipe ? reopen(fd) : fd;
  let dropped = 0;
  return {
    write(line) {
      const text = dropped > 0 ? `(${dropped} lines could not be written)\n${line}\n` : `${line}\n`;
      try {
        writeSync(own, text);
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
