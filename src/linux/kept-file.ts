/** Stage: watch. In: a path of /proc or of a cgroup. Out: its bytes, fresh on every reading, from a descriptor kept open. */
import { BadnessError } from '../errors.js';
import { type FileCalls, NODE_FILES, type ReadAt } from './file-calls.js';

const FIRST_BYTES = 4096;
const MOST_BYTES = 1 << 20;
const NEWLINE = 0x0a;
const BLANK = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

/** How the lines of a file stand: `MemFree:  12 kB`, `oom_kill 3`, or kstat's `c_min    4    33554432`. */
export type LineForm = 'meminfo' | 'pairs' | 'kstat';

/** What a file says that no parser here accepts: code `EBADMSG`. */
export function malformed(path: string, what: string): BadnessError {
  return new BadnessError('EBADMSG', `${path}: ${what}`);
}

/**
 * One file held open and read again from its start. The files of /proc, of sysfs and of cgroups make their text anew for a read at
 * position 0 (seq_file), at a third of the cost of open + read + close. The buffer is kept, so a reading leaves nearly no garbage.
 */
export class KeptFile {
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

  /** The file as one number, e.g. of `memory.current`; Infinity for `max` and for what no machine has (≥ 2^53, v1's "no limit"). */
  number(): number {
    const text = this.text().trim();
    if (text === 'max') return Number.POSITIVE_INFINITY;
    if (!/^\d{1,20}$/.test(text))
      throw malformed(this.path, `expected a number, got ${JSON.stringify(text.slice(0, 40))}`);
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  }

  close(): void {
    if (this.#open) this.#files.close(this.#fd);
    this.#open = false;
  }
}

/**
 * The named values of one file of lines. Each key is first looked for where it stood the last time (the columns of /proc/meminfo
 * have fixed width), and searched for only when it is not there.
 */
export class KeyedFile {
  readonly path: string;
  /** In the order of the keys, in the unit of the file; NaN where the file has no such line. Overwritten by each reading. */
  readonly values: Float64Array;
  readonly #file: KeptFile;
  readonly #form: LineForm;
  readonly #needles: Buffer[];
  readonly #places: Int32Array;

  /** @throws ENOENT, EACCES and the like, by errno name. */
  constructor(path: string, keys: readonly string[], form: LineForm, files: FileCalls = NODE_FILES) {
    this.path = path;
    this.#file = new KeptFile(path, files);
    this.#form = form;
    this.#needles = keys.map((key) => Buffer.from(`\n${key}${form === 'meminfo' ? ':' : ' '}`, 'latin1'));
    this.#places = new Int32Array(keys.length).fill(-1);
    this.values = new Float64Array(keys.length).fill(Number.NaN);
  }

  get fd(): number {
    return this.#file.fd;
  }

  /**
   * Reads again; of the values only the first `count`, the others stay as they are.
   * @throws EBADMSG when a line with one of these keys cannot be understood or is cut off; errno names of the read.
   */
  refresh(count = this.#needles.length): void {
    const end = this.#file.read(this.#form === 'kstat');
    const { bytes } = this.#file;
    for (let index = 0; index < count; index++) {
      const needle = this.#needles[index]!;
      let at = this.#places[index]!;
      if (!standsAt(bytes, needle, at)) {
        at = bytes.indexOf(needle);
        this.#places[index] = at;
      }
      // Behind the end stands what an earlier, longer reading left.
      this.values[index] = at < 0 || at >= end ? Number.NaN : this.#value(bytes, at + needle.length, end);
    }
  }

  /** The value whose line goes on at `at`. */
  #value(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#form === 'kstat') {
      at = skipBlanks(bytes, at);
      while (isDigit(bytes[at])) at++; // the type
    }
    at = skipBlanks(bytes, at);
    const first = at;
    let value = 0;
    for (; isDigit(bytes[at]); at++) value = value * 10 + (bytes[at]! - ZERO);
    const digits = at - first;
    const unit = this.#form === 'meminfo' && bytes[at] === BLANK && bytes[at + 1] === 0x6b && bytes[at + 2] === 0x42;
    if (unit) at += 3;
    if (digits === 0 || at >= end || bytes[at] !== NEWLINE || !Number.isSafeInteger(value)) {
      const line = bytes.toString('latin1', bytes.lastIndexOf(NEWLINE, start) + 1, Math.min(end, start + 40));
      throw malformed(this.path, `cannot read ${JSON.stringify(line.split('\n')[0])}`);
    }
    return value;
  }

  close(): void {
    this.#file.close();
  }
}

function standsAt(bytes: Buffer, needle: Buffer, at: number): boolean {
  if (at < 0) return false;
  for (let index = 0; index < needle.length; index++) if (bytes[at + index] !== needle[index]) return false;
  return true;
}

function skipBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === BLANK) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
