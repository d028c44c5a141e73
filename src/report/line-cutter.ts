/**
 * Stage: bytes → lines. Cuts a stream of bytes into lines of text. Holds at most one line that is not finished, and
 * drops those that are too long to be a kernel's.
 */
import { decodeBytes } from './utf8.js';

/** A line of `journalctl -o json` has dozens of fields; what the kernel itself writes is far shorter. */
export const LINE_BYTES_MAX = 65_536;

const LINE_END = 0x0a;

export class LineCutter {
  /** Lines that were dropped for their length. */
  dropped = 0;
  /** Parts of the line that is not finished, and all their bytes; only counted once they are too many. */
  private begun: Uint8Array[] = [];
  private held = 0;

  /** The lines that `chunk` finishes, without their ends. The bytes are copied where they are kept. */
  push(chunk: Uint8Array): string[] {
    const first = chunk.indexOf(LINE_END);
    if (first < 0) {
      this.hold(chunk);
      return [];
    }
    const last = chunk.lastIndexOf(LINE_END);
    const lines = this.finish(chunk.subarray(0, first));
    this.hold(chunk.subarray(last + 1));
    return last > first ? lines.concat(decodeBytes(chunk.subarray(first + 1, last)).split('\n')) : lines;
  }

  /** The last line, when the stream does not end with a line end. */
  end(): string[] {
    return this.held > 0 ? this.finish(new Uint8Array(0)) : [];
  }

  private hold(bytes: Uint8Array): void {
    this.held += bytes.length;
    if (this.held > LINE_BYTES_MAX) this.begun = [];
    else if (bytes.length > 0) this.begun.push(bytes.slice());
  }

  private finish(rest: Uint8Array): string[] {
    this.hold(rest);
    const { begun, held } = this;
    this.begun = [];
    this.held = 0;
    if (held > LINE_BYTES_MAX) {
      this.dropped += 1;
      return [];
    }
    const bytes = new Uint8Array(held);
    let at = 0;
    for (const part of begun) {
      bytes.set(part, at);
      at += part.length;
    }
    return [decodeBytes(bytes)];
  }
}
