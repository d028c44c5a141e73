/**
 * Stage: bytes of /proc. How bytes stand in a recording: printable UTF-8 as it is, everything else escaped, so that a recording
 * survives a mail, an editor and a bug report. A byte string has one character a byte, U+0000 … U+00FF.
 *
 *     \\ a backslash   \t a tab   \xNN any byte   \- nothing (an empty line, which editors would drop)
 *     \ at the end of the last line: no newline follows
 */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** What stands for itself in a line: printable ASCII without the backslash, and no blank at the end. */
const PLAIN = /^[ -[\]-~]*(?<! )$/;
/** Not printable: controls, format characters (bidirectional marks), unassigned, and blanks that look like others. */
const HIDDEN = /[\p{C}\p{Z}]/u;

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** Bytes of the character that begins with `byte`, 0 when none does. */
function lengthOf(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/** The printable character at `at` of a byte string, empty when there is none. */
function characterAt(bytes: string, at: number): string {
  const length = lengthOf(bytes.charCodeAt(at));
  if (length === 0 || at + length > bytes.length) return '';
  try {
    const character = utf8.decode(bytesOf(bytes.slice(at, at + length)));
    return HIDDEN.test(character) ? '' : character;
  } catch {
    return '';
  }
}

/** One line of bytes (no newline in it) as it is written. */
export function spelledLine(bytes: string): string {
  if (bytes === '') return '\\-';
  return PLAIN.test(bytes) ? bytes : escaped(bytes, true);
}

/** A word of a statement, such as a path: blanks are escaped too. */
export function spelledWord(bytes: string): string {
  return PLAIN.test(bytes) && !bytes.includes(' ') && bytes !== ''
    ? bytes
    : bytes === ''
      ? '\\-'
      : escaped(bytes, false);
}

function escaped(bytes: string, blanks: boolean): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes.charCodeAt(at);
    if (byte >= 0x80) {
      const character = characterAt(bytes, at);
      text += character || hex(byte);
      at += character ? lengthOf(byte) : 1;
      continue;
    }
    at += 1;
    if (byte === 0x5c) text += '\\\\';
    else if (byte === 0x09) text += '\\t';
    else if (byte < 0x20 || byte === 0x7f) text += hex(byte);
    // A blank at the end is lost wherever lines are trimmed.
    else if (byte === 0x20 && (!blanks || at === bytes.length)) text += hex(byte);
    else text += String.fromCharCode(byte);
  }
  return text;
}

function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}

/** What a backslash and a letter stand for. */
const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['t', '\t'],
  ['-', ''],
]);

/** The bytes of a text that is written so; `open`: it ended with a lone backslash. Null for an escape that is none. */
export function readSpelled(text: string): { bytes: string; open: boolean } | null {
  // Nearly all lines of /proc are ASCII without escapes but those of tabs.
  if (isAscii(text)) {
    const plain = text.replaceAll('\\t', '\t');
    if (!plain.includes('\\')) return { bytes: plain, open: false };
  }
  let bytes = '';
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\\', at);
    bytes += byteString(text.slice(at, next < 0 ? text.length : next));
    if (next < 0) break;
    if (next === text.length - 1) return { bytes, open: true };
    const simple = SIMPLE.get(text[next + 1]!);
    if (simple !== undefined) {
      bytes += simple;
      at = next + 2;
      continue;
    }
    const digits = /^x([0-9a-fA-F]{2})/.exec(text.slice(next + 1, next + 4))?.[1];
    if (digits === undefined) return null;
    bytes += String.fromCharCode(Number.parseInt(digits, 16));
    at = next + 4;
  }
  return { bytes, open: false };
}

/** The byte string of a text in UTF-8. */
export function byteString(text: string): string {
  return isAscii(text) ? text : byteStringOf(encoder.encode(text));
}

/** The bytes of a byte string. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; ++index) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** The byte string of bytes. */
export function byteStringOf(bytes: Uint8Array): string {
  const text = lenient.decode(bytes);
  return isAscii(text) ? text : Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

/** The text of a byte string; bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: string): string {
  return isAscii(bytes) ? bytes : lenient.decode(bytesOf(bytes));
}

const INDENT = '  ';

/** A file as lines of a recording, indented. Nothing for an empty file. */
export function spelledFile(bytes: string): string[] {
  if (bytes === '') return [];
  const lines = bytes.split('\n');
  const last = lines.pop()!;
  const written = lines.map((line) => INDENT + spelledLine(line));
  if (last === '') return written;
  // Blanks before the backslash are not at the end.
  written.push(`${INDENT}${spelledLine(last)}\\`);
  return written;
}
