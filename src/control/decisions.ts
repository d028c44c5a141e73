/** Stage: report. The last rounds that were told, each whole, as the lines that events are; oldest first. */

/** So many at most, and so many bytes together: a report names every queued task that it passed over. */
const MOST = 64;
const BYTES_MOST = 1_048_576;

export class Decisions {
  readonly most = MOST;
  readonly #lines: string[] = [];
  #bytes = 0;

  get count(): number {
    return this.#lines.length;
  }

  /** The newest is kept whatever its size. */
  add(line: string): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    while (this.#lines.length > 1 && (this.#lines.length > MOST || this.#bytes > BYTES_MOST)) {
      this.#bytes -= this.#lines.shift()!.length;
    }
  }

  /** The last so many; 0 for all. */
  lines(last = 0): readonly string[] {
    return this.#lines.slice(-last);
  }
}
