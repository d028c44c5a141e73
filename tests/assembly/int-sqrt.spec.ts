// The roots of the kernels, number by number.

import { int_sqrt, int_sqrt_2_4, int_sqrt_2_6, shift_hz } from '../../assembly/int-sqrt';

describe('int_sqrt', () => {
  test('is the floor of the root on both sides of every square', () => {
    for (let root: u64 = 1; root < 65_536; ++root) {
      const square = root * root;
      if (int_sqrt(square - 1) != root - 1 || int_sqrt(square) != root) expect<u64>(square).toBe(0, 'this square');
    }
    expect<u64>(int_sqrt(0)).toBe(0);
  });

  test('holds up to 2^52, where the roots of neighbours are closest', () => {
    for (let root: u64 = 67_108_863; root > 67_100_000; --root) {
      const square = root * root;
      if (int_sqrt(square - 1) != root - 1 || int_sqrt(square) != root) expect<u64>(square).toBe(0, 'this square');
    }
    expect<u64>(int_sqrt(4503599627370495)).toBe(67_108_863);
  });

  test('2.6 has sixteen bits of result', () => {
    expect<u64>(int_sqrt_2_6(4294967295)).toBe(65_535);
    expect<u64>(int_sqrt_2_6(4294967296)).toBe(65_535, 'and not 65536');
    expect<u64>(int_sqrt_2_6(u64.MAX_VALUE)).toBe(65_535);
    expect<u64>(int_sqrt_2_6(4294836225)).toBe(65_535);
    expect<u64>(int_sqrt_2_6(4294836224)).toBe(65_534);
    expect<u64>(int_sqrt_2_6(0)).toBe(0);
  });

  test('2.4 is rough and never 0', () => {
    // 0 … 9, a digit each.
    let first: u32 = 0;
    for (let x: u32 = 0; x < 10; ++x) first = first * 10 + int_sqrt_2_4(x);
    expect<u32>(first).toBe(1111223322);
    expect<u32>(int_sqrt_2_4(16)).toBe(3);
    for (let x: u32 = 0; x < 100_000; ++x) {
      if (int_sqrt_2_4(x) == 0) expect<u32>(x).toBe(u32.MAX_VALUE, 'a root of 0');
    }
  });
});

describe('shift_hz', () => {
  test('is the smallest that holds the tick rate, and no more than four', () => {
    expect<u32>(shift_hz(48)).toBe(6);
    expect<u32>(shift_hz(95)).toBe(6);
    expect<u32>(shift_hz(96)).toBe(7);
    expect<u32>(shift_hz(100)).toBe(7);
    expect<u32>(shift_hz(250)).toBe(8);
    expect<u32>(shift_hz(767)).toBe(9);
    expect<u32>(shift_hz(768)).toBe(10);
    expect<u32>(shift_hz(1000)).toBe(10);
    expect<u32>(shift_hz(1535)).toBe(10);
  });
});
