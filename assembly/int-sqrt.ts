/**
 * Stage: points. The integer square roots of the kernels; a number comes in, its root goes out.
 */

/** ⌊√x⌋ for x below 2^52, where the root of the nearest f64 cannot round up to the next integer. */
export function int_sqrt(x: u64): u64 {
  return <u64>sqrt<f64>(<f64>x);
}

/**
 * int_sqrt() of Linux 2.6: digit by digit from bit 30, so the result has 16 bits. Exact below 2^32, and 65535 above.
 */
export function int_sqrt_2_6(x: u64): u64 {
  return x >= 0x100000000 ? 0xffff : int_sqrt(x);
}

/**
 * int_sqrt() of Linux 2.4's oom_kill.c, 32-bit: quarters x and halves the result until x is used up. Between two
 * thirds and three halves of the true root, and never 0, so nobody has to guard a division by it.
 */
export function int_sqrt_2_4(x: u32): u32 {
  let out = x;
  while (x > 1) {
    x >>= 2;
    out >>= 1;
  }
  if (x == 1) out -= out >> 2;
  return max<u32>(out, 1);
}

/** SHIFT_HZ of <linux/timex.h>: the smallest s ≥ 4 with hz < 12 · 2^(s−3). Wants hz in HZ_MIN … HZ_MAX. */
export function shift_hz(hz: i32): u32 {
  let shift: u32 = 4;
  while (hz >= 12 << (shift - 3)) ++shift;
  return shift;
}
