/** Stage: report. The last rounds that were told, each whole, as the lines that events are; oldest first. */

/** So many at most, and so many bytes together: a report names every queued task that it passed over. */
const MOST = 64;
const BYTES_MOST = 1_048_576;

export class Decisions {
  readonly most = MOST;
  readonly #lines: Buffer[] = [];
  #bytes = 0;
  /** All lines, as long as none is added: those who ask at the same time share it. */
  #whole: Buffer | null = null;

  /** The newest is kept whatever its size. */
  add(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    this.#lines.push(bytes);
    this.#bytes += bytes.length;
    this.#whole = null;
    while (this.#lines.length > 1 && (this.#lines.length > MOST || this.#bytes > BYTES_MOST)) {
      this.#bytes -= this.#lines.shift()!.length;
    }
  }

  /** The last so many; 0 for all. */
  text(last = 0): Buffer {
    this.#whole ??= Buffer.concat(this.#lines);
    const wanted = this.#lines.slice(-last).reduce((sum, { length }) => sum + length, 0);
    return this.#whole.subarray(this.#bytes - wanted);
  }
}
