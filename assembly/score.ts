/**
 * Stage: table → points. The columns of the current snapshot come in, the column C_POINTS goes out; who may not be
 * chosen is sorted out first and gets NaN. Two roots and one division a task, eight tasks at a time, for the
 * schemes that a guard runs; every other scheme goes through the scalar form, which is the definition of all.
 */

import { points_scalar } from './badness';
import {
  ADJ_KERNEL,
  ADJ_NEVER_ONLY,
  AGE_IGNORE,
  AGE_SPARE_YOUNG,
  C_CHARGE,
  C_CPU_DIV,
  C_DOMAIN_MASK,
  C_FACTOR,
  C_FLAGS,
  C_OOM_ADJ,
  C_OOM_SCORE_ADJ,
  C_PGTABLES_BYTES,
  C_POINTS,
  C_RELATED,
  C_START_S,
  C_START_TICKS,
  C_STAT_RSS,
  C_STIME,
  C_SWAP,
  C_TOTAL_VM,
  C_UTIME,
  DOMAINS_MAX,
  E_RANGE,
  FAST_UPTIME_TICKS,
  IN_ADJ,
  IN_AGE,
  IN_BITS,
  IN_CHARGE,
  IN_CHILDREN_VM,
  IN_FLAGS,
  IN_HZ,
  IN_MAX_DISCOUNT,
  IN_OOM_ADJ,
  IN_OOM_SCORE_ADJ,
  IN_START,
  IN_STIME,
  IN_TOTAL_PAGES,
  IN_TOTAL_VM,
  IN_UPTIME,
  IN_UTIME,
  P_ADJ,
  P_AGE,
  P_DOMAIN,
  P_MAX_DISCOUNT,
  P_ROOT,
  P_TOTAL_PAGES,
  POINTS_MAX,
  QUANTITY_MAX,
  S_COUNT,
  S_ELIGIBLE,
  S_HZ,
  S_PAGE_SIZE,
  S_PREPARED,
  S_SLOW,
  S_UPTIME_TICKS,
  SCHEME_BADNESS,
  SCHEME_FAMILY,
  SCHEME_LINUX_2_6_10,
  SCHEME_LINUX_2_6_11,
  SCHEME_LINUX_2_6_36,
  SCHEME_RESIDENT,
  SCHEMES,
  TASK_BOUND,
  TASK_CAP_RAWIO,
  TASK_MEMDIE,
  TASK_NICED,
  TASK_NO_MM,
  TASK_OUTSIDE,
  TERM_POINTS,
  USER_HZ,
  W_INPUTS,
  W_TERMS,
} from './layout';
import { relate_children, relate_family } from './relations';
import { charges_children, excluding_flags, is_2_4, is_classic, is_modern, root_flags } from './schemes';
import { column, f64_at, put_f64, snapshot_current, u32_at } from './table';

/** Bit of the domain that the call is about; 0 when it is about every task. */
export function domain_bit(w: usize): u32 {
  const domain = load<u32>(w + P_DOMAIN);
  return domain == 0 ? 0 : 1 << domain;
}

/** Scores the current snapshot with the parameters at P_*. Returns the number of eligible tasks. */
export function score(w: usize, scheme: i32): i32 {
  const snapshot = snapshot_current();
  const discount = load<f64>(w + P_MAX_DISCOUNT);
  // The comparisons are false for NaN.
  if (
    !(
      scheme >= 0 &&
      scheme < SCHEMES &&
      load<u32>(w + P_DOMAIN) < <u32>DOMAINS_MAX &&
      load<u32>(w + P_AGE) <= <u32>AGE_IGNORE &&
      load<u32>(w + P_ADJ) <= <u32>ADJ_KERNEL &&
      discount >= 1 &&
      discount <= 2147483648
    )
  ) {
    return E_RANGE;
  }
  const total = load<f64>(w + P_TOTAL_PAGES);
  if (!(total >= 0 && total <= <f64>QUANTITY_MAX)) return E_RANGE;
  const count = load<i32>(snapshot + S_COUNT);
  relate(w, scheme, snapshot, count);
  if (ASC_FEATURE_SIMD) {
    const plain = load<u32>(w + P_ADJ) == ADJ_NEVER_ONLY && load<u32>(w + P_AGE) != AGE_SPARE_YOUNG;
    const fast = scheme == SCHEME_LINUX_2_6_10 || ((scheme == SCHEME_BADNESS || scheme == SCHEME_RESIDENT) && plain);
    const exact = load<f64>(snapshot + S_UPTIME_TICKS) < <f64>FAST_UPTIME_TICKS && !load<u32>(snapshot + S_SLOW);
    if (fast && exact) return score_eights(w, scheme, snapshot, count);
  }
  return score_each(w, scheme, snapshot, 0, count);
}

function relate(w: usize, scheme: i32, snapshot: usize, count: i32): void {
  if (charges_children(scheme)) relate_children(snapshot, count, scheme == SCHEME_LINUX_2_6_11);
  if (scheme != SCHEME_FAMILY) return;
  const unit = load<u32>(w + P_ADJ) == ADJ_KERNEL ? floor<f64>(load<f64>(w + P_TOTAL_PAGES) / 1000) : 0;
  relate_family(snapshot, count, load<u32>(w + P_ROOT), domain_bit(w), unit);
}

/** Whether the task in `slot` may be chosen in `scheme`: 0, or the flags that forbid it. */
export function ineligible_because(w: usize, scheme: i32, snapshot: usize, slot: i32): u32 {
  const bit = domain_bit(w);
  const outside = (u32_at(snapshot, C_DOMAIN_MASK, slot) & bit) != bit;
  const flags = u32_at(snapshot, C_FLAGS, slot);
  return (flags | (outside ? TASK_OUTSIDE : 0)) & excluding_flags(scheme);
}

/** The scalar form, one task after the other. */
function score_each(w: usize, scheme: i32, snapshot: usize, from: i32, count: i32): i32 {
  let eligible = 0;
  for (let slot: i32 = from; slot < count; ++slot) {
    let value: f64 = NaN;
    if (ineligible_because(w, scheme, snapshot, slot) == 0) {
      inputs_load(w, scheme, snapshot, slot);
      points_scalar(w, scheme);
      value = points_as_f64(w, scheme);
      ++eligible;
    }
    put_f64(snapshot, C_POINTS, slot, value);
  }
  return eligible;
}

/** The points that points_scalar left, as a column holds them: above POINTS_MAX they saturate. */
function points_as_f64(w: usize, scheme: i32): f64 {
  const cell = w + W_TERMS + TERM_POINTS;
  if (is_modern(scheme)) return <f64>load<i64>(cell);
  return <f64>min<u64>(load<u64>(cell), POINTS_MAX);
}

/** Copies what the scalar form wants from the columns of one task. */
export function inputs_load(w: usize, scheme: i32, snapshot: usize, slot: i32): void {
  const inputs = w + W_INPUTS;
  const hz = load<u32>(snapshot + S_HZ);
  const uptime_ticks = load<f64>(snapshot + S_UPTIME_TICKS);
  store<u64>(inputs + IN_TOTAL_VM, u64_at(snapshot, C_TOTAL_VM, slot));
  const related = charges_children(scheme) || scheme == SCHEME_FAMILY;
  store<u64>(inputs + IN_CHILDREN_VM, related ? u64_at(snapshot, C_RELATED, slot) : 0);
  store<u64>(inputs + IN_CHARGE, charge_for(scheme, snapshot, slot));
  store<u64>(inputs + IN_UTIME, u64_at(snapshot, C_UTIME, slot));
  store<u64>(inputs + IN_STIME, u64_at(snapshot, C_STIME, slot));
  const jiffies = is_2_4(scheme);
  store<u64>(inputs + IN_UPTIME, jiffies ? to_jiffies(<u64>uptime_ticks, hz) : <u64>uptime_ticks / USER_HZ);
  const start_ticks = u64_at(snapshot, C_START_TICKS, slot);
  // A bound starts as late as can be, whatever its ticks say for ties.
  const bound = (u32_at(snapshot, C_FLAGS, slot) & TASK_BOUND) != 0;
  const start_s = bound ? <u64>u32_at(snapshot, C_START_S, slot) : start_ticks / USER_HZ;
  store<u64>(inputs + IN_START, jiffies ? to_jiffies(start_ticks, hz) : start_s);
  store<u64>(inputs + IN_TOTAL_PAGES, <u64>load<f64>(w + P_TOTAL_PAGES));
  store<u64>(inputs + IN_MAX_DISCOUNT, <u64>load<f64>(w + P_MAX_DISCOUNT));
  store<u32>(inputs + IN_FLAGS, u32_at(snapshot, C_FLAGS, slot));
  store<u32>(inputs + IN_OOM_ADJ, u32_at(snapshot, C_OOM_ADJ, slot));
  store<u32>(inputs + IN_OOM_SCORE_ADJ, u32_at(snapshot, C_OOM_SCORE_ADJ, slot));
  store<u32>(inputs + IN_HZ, hz);
  store<u32>(inputs + IN_BITS, 64);
  store<u32>(inputs + IN_AGE, load<u32>(w + P_AGE));
  store<u32>(inputs + IN_ADJ, load<u32>(w + P_ADJ));
}

/** USER_HZ ticks as jiffies, without the product leaving 64 bits. */
function to_jiffies(ticks: u64, hz: u32): u64 {
  return (ticks / USER_HZ) * hz + ((ticks % USER_HZ) * hz) / USER_HZ;
}

function u64_at(snapshot: usize, offset: u32, slot: i32): u64 {
  return <u64>f64_at(snapshot, offset, slot);
}

/** What a scheme charges: kernels use their own rss counters, 2.6.36 no page tables. */
function charge_for(scheme: i32, snapshot: usize, slot: i32): u64 {
  if (!is_modern(scheme)) return u64_at(snapshot, C_CHARGE, slot);
  const rss_swap = u64_at(snapshot, C_STAT_RSS, slot) + u64_at(snapshot, C_SWAP, slot);
  if (scheme == SCHEME_LINUX_2_6_36) return rss_swap;
  return rss_swap + u64_at(snapshot, C_PGTABLES_BYTES, slot) / load<u32>(snapshot + S_PAGE_SIZE);
}

/**
 * Writes what the points of every task are multiplied by in `scheme`: privileges and niceness are powers of two and add up
 * to one exponent; who may not be chosen gets NaN, which loses every comparison. Changes only when rows do.
 */
function factors_prepare(w: usize, scheme: i32, snapshot: usize, count: i32): void {
  const prepared = 1 + scheme + SCHEMES * load<i32>(w + P_DOMAIN);
  if (load<i32>(snapshot + S_PREPARED) == prepared) return;
  const classic = is_classic(scheme);
  const rooted = root_flags(scheme);
  const excluding = excluding_flags(scheme);
  const bit = domain_bit(w);
  const all_flags = column(snapshot, C_FLAGS);
  const domains = column(snapshot, C_DOMAIN_MASK);
  const factors = column(snapshot, C_FACTOR);
  let eligible = 0;
  for (let slot = 0; slot < count; ++slot) {
    const flags = load<u32>(all_flags + (slot << 2));
    let exponent: i64 = 1023;
    if (flags & TASK_NICED && scheme != SCHEME_RESIDENT) exponent += 1;
    if (flags & rooted) exponent -= 2;
    if (flags & TASK_CAP_RAWIO && classic) exponent -= 2;
    let factor = reinterpret<f64>(exponent << 52);
    if (flags & (TASK_NO_MM | TASK_MEMDIE) && classic) factor = 0;
    if ((flags & excluding) | (bit & ~load<u32>(domains + (slot << 2)))) factor = NaN;
    else ++eligible;
    store<f64>(factors + (slot << 3), factor);
  }
  store<i32>(snapshot + S_ELIGIBLE, eligible);
  store<i32>(snapshot + S_PREPARED, prepared);
}

/**
 * The same formula for eight tasks at a time: four loads, two roots and a division a task. It rests on
 * ⌊⌊v/a⌋/b⌋ = ⌊v/(a·b)⌋, on an f64 quotient of integers below 2^53 never rounding up to the next integer, and on the f32
 * root of an f32 root never reaching the next integer below 2^21.
 */
function score_eights(w: usize, scheme: i32, snapshot: usize, count: i32): i32 {
  factors_prepare(w, scheme, snapshot, count);
  const classic = scheme == SCHEME_LINUX_2_6_10;
  const base = column(snapshot, classic ? C_TOTAL_VM : C_CHARGE);
  const cpu = column(snapshot, C_CPU_DIV);
  const start = column(snapshot, C_START_S);
  const factors = column(snapshot, C_FACTOR);
  const points = column(snapshot, C_POINTS);
  const ageless = scheme == SCHEME_RESIDENT || load<u32>(w + P_AGE) == AGE_IGNORE;
  // A limit of 1 switches the discount off without a branch in the loop.
  const limit = f32x4.splat(classic ? Infinity : ageless ? 1 : <f32>floor<f64>(load<f64>(w + P_MAX_DISCOUNT)));
  const uptime = i32x4.splat(<i32>(load<f64>(snapshot + S_UPTIME_TICKS) / USER_HZ));
  const one = f32x4.splat(1);
  // Columns are padded to COLUMN_ALIGN, so the last eight may be fewer, or none.
  // Tested at its end: V8 moves what is the same in every step out of a loop only where no way leads past the step.
  let at: usize = 0;
  do {
    const half = at >> 1;
    const units_a = i32x4.shr_s(i32x4.sub(uptime, v128.load(start + half)), 10);
    const units_b = i32x4.shr_s(i32x4.sub(uptime, v128.load(start + half, 16)), 10);
    // Started after the clock was read: the root is NaN and loses, so 1 stays.
    const run_a = f32x4.pmax(one, f32x4.floor(f32x4.sqrt(f32x4.sqrt(f32x4.convert_i32x4_s(units_a)))));
    const run_b = f32x4.pmax(one, f32x4.floor(f32x4.sqrt(f32x4.sqrt(f32x4.convert_i32x4_s(units_b)))));
    const div_a = f32x4.pmin(f32x4.mul(v128.load(cpu + half), run_a), limit);
    const div_b = f32x4.pmin(f32x4.mul(v128.load(cpu + half, 16), run_b), limit);
    const div_0 = f64x2.promote_low_f32x4(div_a);
    const div_1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(div_a, div_a, 2, 3, 2, 3));
    const div_2 = f64x2.promote_low_f32x4(div_b);
    const div_3 = f64x2.promote_low_f32x4(v128.shuffle<i32>(div_b, div_b, 2, 3, 2, 3));
    const aged_0 = f64x2.floor(f64x2.div(v128.load(base + at), div_0));
    const aged_1 = f64x2.floor(f64x2.div(v128.load(base + at, 16), div_1));
    const aged_2 = f64x2.floor(f64x2.div(v128.load(base + at, 32), div_2));
    const aged_3 = f64x2.floor(f64x2.div(v128.load(base + at, 48), div_3));
    v128.store(points + at, f64x2.floor(f64x2.mul(aged_0, v128.load(factors + at))));
    v128.store(points + at, f64x2.floor(f64x2.mul(aged_1, v128.load(factors + at, 16))), 16);
    v128.store(points + at, f64x2.floor(f64x2.mul(aged_2, v128.load(factors + at, 32))), 32);
    v128.store(points + at, f64x2.floor(f64x2.mul(aged_3, v128.load(factors + at, 48))), 48);
    at += 64;
  } while (at < (<usize>count) << 3);
  return load<i32>(snapshot + S_ELIGIBLE);
}
