/**
 * Stage: bytes → table. A comm is up to 15 bytes that may be anything but NUL; a string has to hold them all. Bytes
 * that are not UTF-8 (a name cut in the middle of a character) become lone surrogates U+DC80 … U+DCFF and turn back.
 */

// A byte order mark is a character like any other here.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const ESCAPE = 0xdc00;

/** Length of the UTF-8 character that starts at `at`, or 0 when none does. */
function characterBytes(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; ++length) {
    try {
      utf8.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not a character yet; perhaps with the next byte.
    }
  }
  return 0;
}

/** The string of a NUL-terminated comm. `bytes` must not be shared memory. */
export function decodeComm(bytes: Uint8Array<ArrayBuffer>): string {
  const end = bytes.indexOf(0);
  const name = end < 0 ? bytes : bytes.subarray(0, end);
  let text = '';
  for (const byte of name) if (byte < 0x80) text += String.fromCharCode(byte);
  if (text.length === name.length) return text;
  text = '';
  for (let at = 0; at < name.length; ) {
    const length = characterBytes(name, at);
    text += length > 0 ? utf8.decode(name.subarray(at, at + length)) : String.fromCharCode(ESCAPE + name[at]!);
    at += Math.max(length, 1);
  }
  return text;
}

/** Writes the bytes of `comm` to `into`, as many as fit. */
export function encodeComm(comm: string, into: Uint8Array): void {
  let at = 0;
  for (const character of comm) {
    const code = character.charCodeAt(0);
    const escaped = character.length === 1 && code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff;
    const bytes = code < 0x80 || escaped ? [code & 0xff] : encoder.encode(character);
    for (const byte of bytes) if (at < into.length) into[at++] = byte;
  }
}
