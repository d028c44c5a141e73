/** Stage: watch. In: a file of lines, kept to be read again. Out: the values of some of its keys, fresh on every reading. */
import { BadnessError } from '../errors.js';
import type { KeptText } from './proc-files.js';

const NEWLINE = 0x0a;
const BLANK = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const encoder = new TextEncoder();

/**
 * How the lines of a file stand: `MemFree:  12 kB`, `oom_kill 3`, the same handed out in several reads (`records`: /proc/vmstat, which may be
 * larger than a page), or kstat's `c_min    4    33554432`, in several reads too.
 */
export type LineForm = 'meminfo' | 'pairs' | 'records' | 'kstat';

/** What a file says that no parser here accepts: code `EBADMSG`. */
export function malformed(path: string, what: string): BadnessError {
  return new BadnessError('EBADMSG', `${path}: ${what}`);
}

/** The file as one number, e.g. of `memory.current`; Infinity for `max` and for what no machine has (≥ 2^53, v1's "no limit"). */
export function numberOf(file: KeptText): number {
  const text = file.text().trim();
  if (text === 'max') return Number.POSITIVE_INFINITY;
  if (!/^\d{1,20}$/.test(text))
    throw malformed(file.path, `expected a number, got ${JSON.stringify(text.slice(0, 40))}`);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
}

/**
 * The named values of one file of lines. Each key is first looked for where it stood the last time (the columns of /proc/meminfo
 * have fixed width), and searched for only when it is not there.
 */
export class KeyedFile {
  readonly path: string;
  /** In the order of the keys, in the unit of the file; NaN where the file has no such line. Overwritten by each reading. */
  readonly values: Float64Array;
  readonly #file: KeptText;
  readonly #form: LineForm;
  readonly #needles: Uint8Array[];
  readonly #places: Int32Array;

  /** It closes the file with itself. */
  constructor(file: KeptText, keys: readonly string[], form: LineForm) {
    this.path = file.path;
    this.#file = file;
    this.#form = form;
    this.#needles = keys.map((key) => encoder.encode(`\n${key}${form === 'meminfo' ? ':' : ' '}`));
    this.#places = new Int32Array(keys.length).fill(-1);
    this.values = new Float64Array(keys.length).fill(Number.NaN);
  }

  /**
   * Reads again; of the values only the first `count`, the others stay as they are.
   * @throws EBADMSG when a line with one of these keys cannot be understood or is cut off; errno names of the read.
   */
  refresh(count = this.#needles.length): void {
    const end = this.#file.read(this.#form === 'kstat' || this.#form === 'records');
    const { bytes } = this.#file;
    for (let index = 0; index < count; index++) {
      const needle = this.#needles[index]!;
      // Behind the end stands what an earlier, longer reading left; the text's last newline and that can make a key together.
      const last = end - needle.length;
      let at = this.#places[index]!;
      if (at > last || !standsAt(bytes, needle, at)) {
        at = this.#file.find(needle);
        this.#places[index] = at;
      }
      this.values[index] = at < 0 || at > last ? Number.NaN : this.#value(bytes, at + needle.length, end);
    }
  }

  /** The value whose line goes on at `at`. */
  #value(bytes: Uint8Array, start: number, end: number): number {
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
      const line = bytes.subarray(bytes.lastIndexOf(NEWLINE, start) + 1, Math.min(end, start + 40));
      throw malformed(this.path, `cannot read ${JSON.stringify(String.fromCharCode(...line).split('\n')[0])}`);
    }
    return value;
  }

  close(): void {
    this.#file.close();
  }
}

function standsAt(bytes: Uint8Array, needle: Uint8Array, at: number): boolean {
  if (at < 0) return false;
  for (let index = 0; index < needle.length; index++) if (bytes[at + index] !== needle[index]) return false;
  return true;
}

function skipBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === BLANK) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
