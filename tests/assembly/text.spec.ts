// The reading of numbers at the edges: ends of the text, ends of the range.

import { E_FORMAT, E_SHORT, FIELD_SID, FIELD_TGID, TEXT_BYTES, W_TEXT, WINDOWS } from '../../assembly/layout';
import {
  byte_at,
  field_get,
  field_read,
  field_set,
  NUMBER_TOO_LARGE,
  number_at,
  refuse_at,
  skip_digits,
  text_end,
} from '../../assembly/proc/text';
import { text_put } from './window';

const w: u32 = WINDOWS;
const text: u32 = WINDOWS + W_TEXT;

function number_of(digits: string): u64 {
  return number_at(text, text + text_put(w, digits));
}

function read(line: string, times: u32, divisor: u32): i32 {
  const answer = field_read(w, FIELD_TGID, text, text + text_put(w, line), times, divisor);
  return answer < 0 ? answer : answer - text;
}

describe('text: numbers', () => {
  test('digits end at the first other byte and at the end of the text', () => {
    text_put(w, '123x5');
    expect<u32>(skip_digits(text, text + 5) - text).toBe(3);
    expect<u32>(skip_digits(text, text + 2) - text).toBe(2);
    expect<u32>(skip_digits(text, text) - text).toBe(0);
    text_put(w, '/:');
    expect<u32>(skip_digits(text, text + 2) - text).toBe(0, 'the neighbours of 0 and 9 are no digits');
  });

  test('the largest quantity is 2^53, above it nothing wraps', () => {
    expect<u64>(number_of('0')).toBe(0);
    expect<u64>(number_of('9007199254740992')).toBe(9007199254740992);
    expect<u64>(number_of('9007199254740993')).toBe(NUMBER_TOO_LARGE);
    expect<u64>(number_of('18446744073709551616')).toBe(NUMBER_TOO_LARGE, '2^64 is not 0');
    expect<u64>(number_of(`1${'0'.repeat(5000)}`)).toBe(NUMBER_TOO_LARGE);
    expect<u64>(number_of(`${'0'.repeat(5000)}7`)).toBe(7, 'leading zeros count nothing');
  });

  test('a number that touches the end of the text is cut off', () => {
    expect<i32>(read('42 ', 1, 1)).toBe(2);
    expect<f64>(field_get(w, FIELD_TGID)).toBe(42);
    expect<i32>(read('42', 1, 1)).toBe(E_SHORT);
    expect<i32>(read('', 1, 1)).toBe(E_SHORT);
    expect<i32>(read(' ', 1, 1)).toBe(E_FORMAT);
    expect<i32>(read('42\t', 1, 1)).toBe(2);
    expect<i32>(read('42\0', 1, 1)).toBe(E_FORMAT);
    expect<i32>(read('42!', 1, 1)).toBe(E_FORMAT);
  });

  test('scaling floors, and refuses before and after', () => {
    expect<i32>(read('199 ', 250, 100)).toBe(3);
    expect<f64>(field_get(w, FIELD_TGID)).toBe(497);
    expect<i32>(read('9007199254740992 ', 1024, 4096)).toBe(16);
    expect<f64>(field_get(w, FIELD_TGID)).toBe(2251799813685248);
    expect<i32>(read('9007199254740992 ', 101, 100)).toBe(E_FORMAT);
    expect<i32>(read('9007199254740993 ', 1, 100)).toBe(E_FORMAT);
  });

  test('without a cell the number is only checked', () => {
    field_set(w, FIELD_SID, 5);
    const end = text + text_put(w, '18446744073709551615\t');
    expect<i32>(field_read(w, -1, text, end, 1, 1) - text).toBe(20);
    expect<f64>(field_get(w, FIELD_SID)).toBe(5);
  });

  test('a text longer than the window ends with the window', () => {
    expect<u32>(text_end(w, 7) - text).toBe(7);
    expect<u32>(text_end(w, TEXT_BYTES) - text).toBe(TEXT_BYTES);
    expect<u32>(text_end(w, u32.MAX_VALUE) - text).toBe(TEXT_BYTES);
  });

  test('behind the end of the text there is no byte', () => {
    text_put(w, 'ab');
    expect<u32>(byte_at(text, text + 1)).toBe(0x61);
    expect<u32>(byte_at(text + 1, text + 1)).toBe(0);
    expect<i32>(refuse_at(text, text + 1)).toBe(E_FORMAT);
    expect<i32>(refuse_at(text + 1, text + 1)).toBe(E_SHORT);
  });
});
