/** A pipe that nobody reads, full to the last byte, with all that it takes to fill and to empty it. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export class StuckPipe {
  /** The end to be written to: as a shell would give it, so that a write waits for room. */
  readonly writer: number;
  readonly #ours: number;

  constructor(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'badness-pipe-'));
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    // For both directions, so that neither end waits for the other.
    this.#ours = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_RDWR);
    t.after(() => {
      closeSync(this.#ours);
      closeSync(this.writer);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** Leaves no room for a single byte. */
  fill(): void {
    for (const bytes of [4096, 1]) {
      const block = Buffer.alloc(bytes, '.');
      try {
        for (;;) writeSync(this.#ours, block);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    }
  }

  /** Reads at most so many bytes; what was put in by `fill` counts. */
  take(bytes: number): string {
    const buffer = Buffer.alloc(bytes);
    let length = 0;
    try {
      while (length < bytes) length += readSync(this.#ours, buffer, length, bytes - length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return buffer.toString('utf8', 0, length);
  }

  /** Reads all there is, without what was put in by `fill`. */
  drain(): string {
    return this.take(2 ** 20).replaceAll('.', '');
  }
}
