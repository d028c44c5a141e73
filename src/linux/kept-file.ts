/** Stage: watch. In: a path of /proc or of a cgroup. Out: its bytes, fresh on every reading, from a descriptor kept open. */
import { malformed } from '../proc/keyed-file.js';
import type { KeptText } from '../proc/proc-files.js';
import { type FileCalls, NODE_FILES, type ReadAt } from './file-calls.js';

const FIRST_BYTES = 4096;
const MOST_BYTES = 1 << 20;

/**
 * One file held open and read again from its start. The files of /proc, of sysfs and of cgroups make their text anew for a read at
 * position 0 (seq_file), at a third of the cost of open + read + close. The buffer is kept, so a reading leaves nearly no garbage.
 */
export class KeptFile implements KeptText {
  readonly path: string;
  readonly #fd: number;
  /** A newline, then the text: so every line of it, the first too, has a newline before it. */
  #bytes = Buffer.alloc(1 + FIRST_BYTES, 0x0a, 'latin1');
  readonly #files: FileCalls;
  #readAt: ReadAt;
  #open = true;

  /** @throws ENOENT, EACCES and the like, by errno name. */
  constructor(path: string, files: FileCalls = NODE_FILES) {
    this.path = path;
    this.#files = files;
    this.#fd = files.open(path);
    this.#readAt = files.readerInto(this.#bytes);
  }

  /** For poll(2); closed with this object. */
  get fd(): number {
    return this.#fd;
  }

  /** The text of the last reading, preceded by one newline. Bytes behind it are older. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /**
   * Reads again; the end of the text within {@link bytes}. `records`: the file hands out its lines in several reads.
   * @throws ENODEV when the cgroup was removed, ESRCH when the process is gone, EOPNOTSUPP when the kernel has it switched off.
   */
  read(records = false): number {
    // Its number may be another file's by now, which must never answer.
    if (!this.#open) throw new Error(`${this.path} is closed`);
    for (;;) {
      let end = 1;
      do {
        const got = this.#readAt(this.#fd, end, this.#bytes.length - end, end - 1);
        if (got === 0) break;
        end += got;
      } while (records && end < this.#bytes.length);
      if (end < this.#bytes.length) return end;
      if (this.#bytes.length > MOST_BYTES) throw malformed(this.path, `longer than ${MOST_BYTES} bytes`);
      this.#bytes = Buffer.alloc(2 * this.#bytes.length, 0x0a, 'latin1');
      this.#readAt = this.#files.readerInto(this.#bytes);
    }
  }

  text(): string {
    const end = this.read();
    return this.#bytes.toString('latin1', 1, end);
  }

  find(needle: Uint8Array): number {
    return this.#bytes.indexOf(needle);
  }

  close(): void {
    if (this.#open) this.#files.close(this.#fd);
    this.#open = false;
  }
}
