// Stage: bytes → table. The reading of decimal numbers that all files of /proc have in common.
// In: text between two addresses, never trusted. Out: addresses, values, staged cells of the thread's window.

import { E_FORMAT, E_SHORT, FIELD_BYTES, QUANTITY_MAX, TEXT_BYTES, W_FIELDS, W_TEXT } from '../layout';

export const TAB: u32 = 0x09;
export const NEWLINE: u32 = 0x0a;
export const SPACE: u32 = 0x20;
const DIGIT_0: u32 = 0x30;

/** Answer of number_at for whatever is above QUANTITY_MAX. Small enough that times HZ_MAX it still fits 64 bits. */
export const NUMBER_TOO_LARGE: u64 = QUANTITY_MAX + 1;
const LIMIT: u64 = QUANTITY_MAX;

/** Address after the last byte of the window's text. A length that the window cannot hold counts as cut off there. */
export function text_end(w: u32, length: u32): u32 {
  return w + W_TEXT + min<u32>(length, TEXT_BYTES);
}

/** The byte at `p`, 0 at the end of the text: every loop over bytes stops at a NUL as it would at the end. */
export function byte_at(p: u32, end: u32): u32 {
  return p < end ? load<u8>(p) : 0;
}

/** Why the text is refused when what stands at `p` is not what was expected: it ends there, or it is something else. */
export function refuse_at(p: u32, end: u32): i32 {
  return p < end ? E_FORMAT : E_SHORT;
}

/** Writes one staged cell (FIELD_*). */
export function field_set(w: u32, field: u32, value: f64): void {
  store<f64>(w + field * FIELD_BYTES, value, W_FIELDS);
}

/** Reads one staged cell (FIELD_*). */
export function field_get(w: u32, field: u32): f64 {
  return load<f64>(w + field * FIELD_BYTES, W_FIELDS);
}

/** Address of the first byte from `p` on that is no decimal digit, at most `end`. */
export function skip_digits(p: u32, end: u32): u32 {
  while (byte_at(p, end) - DIGIT_0 < 10) ++p;
  return p;
}

/** Value of the decimal digits from `p` to `end`, at most QUANTITY_MAX; else NUMBER_TOO_LARGE. */
export function number_at(p: u32, end: u32): u64 {
  let value: u64 = 0;
  for (; p < end; ++p) {
    value = value * 10 + <u64>(load<u8>(p) - DIGIT_0);
    // Leaving at once keeps the next multiplication far from 2^64, however many digits follow.
    if (value > LIMIT) return NUMBER_TOO_LARGE;
  }
  return value;
}

/**
 * Reads digits that a blank must follow (any byte up to SPACE but NUL), and stages ⌊number · times / divisor⌋; with
 * field < 0 it only checks. Returns the address of the blank, E_SHORT when the text ends before it (a number that
 * touches the end may have lost digits), or E_FORMAT for anything else there, no digit at all, or a quantity above
 * QUANTITY_MAX. times is at most HZ_MAX, divisor is not 0.
 */
export function field_read(w: u32, field: i32, p: u32, end: u32, times: u32, divisor: u32): i32 {
  const after = skip_digits(p, end);
  if (after == p || byte_at(after, end) - 1 >= SPACE) return refuse_at(after, end);
  if (field >= 0) {
    const number = number_at(p, after);
    const quantity = (number * times) / divisor;
    if (number > LIMIT || quantity > LIMIT) return E_FORMAT;
    field_set(w, field, <f64>quantity);
  }
  return after;
}
