/**
 * Stage: bytes → lines. Bytes of a log as text. A log is whatever its writers wrote, so bytes that are not UTF-8 must
 * survive: they become lone surrogates U+DC80 … U+DCFF, as everywhere in this library (see comm.ts).
 */

const REPLACEMENT = '\ufffd';
const ESCAPE = 0xdc00;
/** Arguments that String.fromCharCode takes at once without a deep stack. */
const UNITS_AT_ONCE = 4096;

const quick = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes of the character that a first byte announces, and the least code point that needs so many; null for no first byte. */
function announced(first: number): { length: number; least: number; bits: number } | null {
  if (first >= 0xc2 && first <= 0xdf) return { length: 2, least: 0x80, bits: first & 0x1f };
  if (first >= 0xe0 && first <= 0xef) return { length: 3, least: 0x800, bits: first & 0x0f };
  if (first >= 0xf0 && first <= 0xf4) return { length: 4, least: 0x10000, bits: first & 0x07 };
  return null;
}

/** The code point that starts at `at`, or -1 when no whole UTF-8 character does. */
function codePointAt(bytes: Uint8Array, at: number): { code: number; length: number } {
  const first = bytes[at]!;
  if (first < 0x80) return { code: first, length: 1 };
  const lead = announced(first);
  if (lead === null || at + lead.length > bytes.length) return { code: -1, length: 1 };
  let code = lead.bits;
  for (let index = 1; index < lead.length; ++index) {
    const byte = bytes[at + index]!;
    if ((byte & 0xc0) !== 0x80) return { code: -1, length: 1 };
    code = (code << 6) | (byte & 0x3f);
  }
  const allowed = code >= lead.least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return allowed ? { code, length: lead.length } : { code: -1, length: 1 };
}

/** The text of any bytes, each of them kept. Linear in their number, whatever they are. */
export function decodeBytes(bytes: Uint8Array): string {
  const text = quick.decode(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  let decoded = '';
  let units: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { code, length } = codePointAt(bytes, at);
    if (code < 0) units.push(ESCAPE + bytes[at]!);
    else if (code < 0x10000) units.push(code);
    else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    at += length;
    if (units.length >= UNITS_AT_ONCE) {
      decoded += String.fromCharCode(...units);
      units = [];
    }
  }
  return decoded + String.fromCharCode(...units);
}

const BACKSLASH = 0x5c;
const encoder = new TextEncoder();

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  return -1;
}

/** Text in which /dev/kmsg wrote bytes as `\x0a`, as it was before. What is no such escape stays as it is. */
export function unescapeBytes(text: string): string {
  if (!text.includes('\\x')) return text;
  const source = encoder.encode(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; ++at) {
    const high = source[at] === BACKSLASH && source[at + 1] === 0x78 ? hexDigit(source[at + 2] ?? 0) : -1;
    const low = high < 0 ? -1 : hexDigit(source[at + 3] ?? 0);
    if (low < 0) bytes[length++] = source[at]!;
    else {
      bytes[length++] = high * 16 + low;
      at += 3;
    }
  }
  return decodeBytes(bytes.subarray(0, length));
}
