/**
 * Stage: bytes of /proc. Where the files of a recording lie once it is read: their bytes one after the other, as parsers want them. Most are
 * never asked for as text, so no string is made of them before somebody does.
 */
import type { Entry } from './recording.js';
import { byteStringOf, bytesOf } from './spelling.js';

const CHUNK_BYTES = 65_536;
const TAB = 0x09;
const NEWLINE = 0x0a;
const BLANK = 0x20;
const BACKSLASH = 0x5c;
const LETTER_T = 0x74;
const TILDE = 0x7e;

/** A file that was read from a recording: an `Entry`. */
export class RecordedFile {
  readonly kind = 'file';
  readonly #pool: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #text: string | null = null;

  /** Of the bytes `start` … `end` of a pool. */
  constructor(pool: Uint8Array, start: number, end: number) {
    this.#pool = pool;
    this.#start = start;
    this.#end = end;
  }

  /** As a byte string: a character a byte. */
  get bytes(): string {
    this.#text ??= byteStringOf(this.raw);
    return this.#text;
  }

  /** The bytes themselves, where they lie. */
  get raw(): Uint8Array {
    return this.#pool.subarray(this.#start, this.#end);
  }
}

/** The bytes of a file of a recording, wherever that comes from. */
export function rawOf(file: Entry & { kind: 'file' }): Uint8Array {
  return file instanceof RecordedFile ? file.raw : bytesOf(file.bytes);
}

/** Takes files line by line, one file after the other. */
export class FileBytes {
  #pool = new Uint8Array(0);
  #start = 0;
  #end = 0;

  begin(): void {
    this.#start = this.#end;
  }

  /** The file that was begun, as far as it was taken. */
  file(): RecordedFile {
    return new RecordedFile(this.#pool, this.#start, this.#end);
  }

  /** Makes room for so many bytes. Files that are whole stay where they are. */
  reserve(bytes: number): void {
    if (this.#end + bytes <= this.#pool.length) return;
    const begun = this.#pool.subarray(this.#start, this.#end);
    this.#pool = new Uint8Array(Math.max(CHUNK_BYTES, 2 * begun.length + bytes));
    this.#pool.set(begun);
    this.#start = 0;
    this.#end = begun.length;
  }

  /** Appends a byte string. */
  add(text: string): void {
    const bytes = bytesOf(text);
    this.reserve(bytes.length);
    this.#pool.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * Appends a line as nearly all of a recording are: indented by two blanks, printable ASCII, no escapes but those of tabs. `from` is where
   * it begins in `source`, for all of which there is room. Answers where the next line begins; −1 for any other line, which is not taken.
   */
  addPlainLine(source: Uint8Array, from: number): number {
    if (source[from] !== BLANK || source[from + 1] !== BLANK) return -1;
    const pool = this.#pool;
    let end = this.#end;
    for (let at = from + 2; at < source.length; ++at) {
      let byte = source[at]!;
      if (byte === BACKSLASH && source[at + 1] === LETTER_T) {
        byte = TAB;
        at += 1;
      } else if (byte === NEWLINE) {
        // Of blanks alone there is nothing to be said, and at the end they are escaped.
        if (!(pool[end - 1]! > BLANK)) return -1;
        pool[end] = NEWLINE;
        this.#end = end + 1;
        return at + 1;
      } else if (byte < BLANK || byte > TILDE || byte === BACKSLASH) return -1;
      pool[end] = byte;
      end += 1;
    }
    return -1;
  }
}
