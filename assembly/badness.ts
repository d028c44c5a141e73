/**
 * Stage: points, in the readable form. The inputs of one task come in (IN_* cells, u64), its points and every term of
 * them go out (TERM_* cells). Whatever faster form there is must equal this one; `explain` prints what this wrote.
 *
 * Source: badness() of Linux 2.4 … 2.6.35, oom_badness() of 2.6.36 … 6.19; for our own schemes docs/schemes.md.
 */

import { int_sqrt, int_sqrt_2_4, int_sqrt_2_6, shift_hz } from './int-sqrt';
import {
  ADJ_KERNEL,
  ADJ_MIN,
  AGE_IGNORE,
  AGE_SPARE_OLD,
  E_RANGE,
  HZ_MAX,
  HZ_MIN,
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
  OK,
  POINTS_MAX,
  QUANTITY_MAX,
  SCHEME_FAMILY,
  SCHEME_LINUX_2_6_11,
  SCHEME_LINUX_2_6_32,
  SCHEME_LINUX_2_6_36,
  SCHEME_RESIDENT,
  SCHEMES,
  TASK_CAP_ADMIN,
  TASK_CAP_RAWIO,
  TASK_MEMDIE,
  TASK_MEMS_DISJOINT,
  TASK_NICED,
  TASK_NO_MM,
  TASK_ORIGIN,
  TERM_ADJ_PAGES,
  TERM_BASE,
  TERM_CHILDREN,
  TERM_CPU_DIV,
  TERM_CPU_UNITS,
  TERM_DISCOUNT,
  TERM_DISJOINT_DIV,
  TERM_NICE_TIMES,
  TERM_OOM_ADJ,
  TERM_OOM_SCORE,
  TERM_POINTS,
  TERM_RAWIO_DIV,
  TERM_ROOT_BONUS,
  TERM_ROOT_DIV,
  TERM_RUN_DIV,
  TERM_RUN_UNITS,
  W_INPUTS,
  W_TERMS,
} from './layout';
import {
  counts_thousandths,
  divides_disjoint,
  heeds_memdie_in_badness,
  is_2_4,
  is_classic,
  is_modern,
  is_signed,
  root_bonus_percent,
  root_bonus_thousandths,
  root_flags,
  unkillable_flags,
} from './schemes';

/** Points of the inputs in window `w`; all terms at W_TERMS. E_RANGE for an unknown scheme or hz. */
export function points_scalar(w: usize, scheme: i32): i32 {
  const hz = load<i32>(w + W_INPUTS + IN_HZ);
  if (scheme < 0 || scheme >= SCHEMES || hz < HZ_MIN || hz > HZ_MAX) return E_RANGE;
  term(w, TERM_BASE, input(w, is_classic(scheme) ? IN_TOTAL_VM : IN_CHARGE));
  term(w, TERM_CHILDREN, input(w, IN_CHILDREN_VM));
  for (let offset: i32 = TERM_CPU_UNITS; offset <= TERM_OOM_SCORE; offset += 8) term(w, offset, 0);
  term(w, TERM_DISCOUNT, 1);
  term(w, TERM_NICE_TIMES, 1);
  term(w, TERM_ROOT_DIV, 1);
  term(w, TERM_RAWIO_DIV, 1);
  term(w, TERM_DISJOINT_DIV, 1);
  let points: u64;
  if (is_classic(scheme)) points = classic(w, scheme);
  else if (is_modern(scheme)) points = <u64>modern(w, scheme);
  else points = own(w, scheme);
  term(w, TERM_POINTS, points);
  return OK;
}

function input(w: usize, offset: u32): u64 {
  return load<u64>(w + W_INPUTS + offset);
}

function input_u32(w: usize, offset: u32): u32 {
  return load<u32>(w + W_INPUTS + offset);
}

/** Writes a term and hands it back, so that a formula reads as one line. */
function term(w: usize, offset: u32, value: u64): u64 {
  store<u64>(w + W_TERMS + offset, value);
  return value;
}

function divide_unless_zero(points: u64, divisor: u64): u64 {
  return divisor != 0 ? points / divisor : points;
}

/** CPU units: jiffies >> (SHIFT_HZ + 3), some eight to ten seconds each. */
function cpu_units(w: usize, mask: u64): u64 {
  const cpu = (input(w, IN_UTIME) + input(w, IN_STIME)) & mask;
  return term(w, TERM_CPU_UNITS, cpu >> (shift_hz(load<i32>(w + W_INPUTS + IN_HZ)) + 3));
}

/** Run units: 1,024 s each; 0 for a task that started after the clock read. */
function run_units(w: usize, shift: u32): u64 {
  const uptime = input(w, IN_UPTIME);
  const start = input(w, IN_START);
  return term(w, TERM_RUN_UNITS, uptime >= start ? (uptime - start) >> shift : 0);
}

/** badness() of 2.4 … 2.6.35; every step wraps at the width of the kernel's unsigned long. */
function classic(w: usize, scheme: i32): u64 {
  const flags = input_u32(w, IN_FLAGS);
  const mask: u64 = input_u32(w, IN_BITS) == 32 ? 0xffffffff : u64.MAX_VALUE;
  let points = (input(w, IN_TOTAL_VM) + input(w, IN_CHILDREN_VM)) & mask;
  // First, so that the terms are told of a task without points too.
  points = classic_discount(w, scheme, points, mask);
  if ((flags & TASK_NO_MM) != 0) return 0;
  if ((flags & TASK_MEMDIE) != 0 && heeds_memdie_in_badness(scheme)) return 0;
  if ((flags & TASK_ORIGIN) != 0 && divides_disjoint(scheme)) return mask;
  if ((flags & TASK_NICED) != 0) points = (points * term(w, TERM_NICE_TIMES, 2)) & mask;
  if ((flags & root_flags(scheme)) != 0) points /= term(w, TERM_ROOT_DIV, 4);
  if ((flags & TASK_CAP_RAWIO) != 0) points /= term(w, TERM_RAWIO_DIV, 4);
  if ((flags & TASK_MEMS_DISJOINT) != 0 && divides_disjoint(scheme)) points /= term(w, TERM_DISJOINT_DIV, 8);
  return scheme >= SCHEME_LINUX_2_6_11 ? classic_adjust(w, scheme, points, mask) : points;
}

/** Divides by the root of the CPU time and by the fourth root of the run time, one after the other. */
function classic_discount(w: usize, scheme: i32, points: u64, mask: u64): u64 {
  const cpu = cpu_units(w, mask);
  let cpu_div: u64;
  let run_div: u64;
  if (is_2_4(scheme)) {
    const run = run_units(w, shift_hz(load<i32>(w + W_INPUTS + IN_HZ)) + 10);
    cpu_div = int_sqrt_2_4(<u32>cpu);
    run_div = int_sqrt_2_4(int_sqrt_2_4(<u32>run));
  } else {
    cpu_div = int_sqrt_2_6(cpu);
    run_div = int_sqrt_2_6(int_sqrt_2_6(run_units(w, 10)));
  }
  term(w, TERM_CPU_DIV, cpu_div);
  term(w, TERM_RUN_DIV, run_div);
  term(w, TERM_DISCOUNT, max<u64>(cpu_div, 1) * max<u64>(run_div, 1));
  return divide_unless_zero(divide_unless_zero(points, cpu_div), run_div);
}

/** oomkilladj: a shift. From 2.6.32 a positive one lifts zero points to one first. */
function classic_adjust(w: usize, scheme: i32, points: u64, mask: u64): u64 {
  const adj = load<i32>(w + W_INPUTS + IN_OOM_ADJ);
  term(w, TERM_OOM_ADJ, <u64>(<i64>adj));
  if (adj < 0) return points >> -adj;
  if (adj > 0 && points == 0 && scheme == SCHEME_LINUX_2_6_32) points = 1;
  return (points << adj) & mask;
}

/** a · b / c for quantities, as the kernel's long arithmetic would say it if long were wide enough. */
function scaled(value: i64, times: i64, total: i64): i64 {
  return (value / total) * times + ((value % total) * times) / total;
}

/** oom_badness() of 2.6.36 and later: pages, or thousandths of memory before 3.5. Division truncates toward zero. */
function modern(w: usize, scheme: i32): i64 {
  const flags = input_u32(w, IN_FLAGS);
  const total = <i64>max<u64>(input(w, IN_TOTAL_PAGES), 1);
  const adj = <i64>load<i32>(w + W_INPUTS + IN_OOM_SCORE_ADJ);
  const thousandths = counts_thousandths(scheme);
  if (adj == ADJ_MIN || (flags & unkillable_flags(scheme)) != 0) return 0;
  const origin = (flags & TASK_ORIGIN) != 0;
  let points = <i64>input(w, IN_CHARGE);
  if (thousandths) {
    if (origin) return term(w, TERM_OOM_SCORE, 1000);
    points = scaled(points, 1000, total);
  }
  const unit: i64 = thousandths ? 1 : total / 1000;
  if ((flags & TASK_CAP_ADMIN) != 0) {
    let bonus: i64 = 0;
    if (root_bonus_thousandths(scheme)) bonus = 30 * unit;
    else if (root_bonus_percent(scheme)) bonus = scaled(points, 3, 100);
    points -= term(w, TERM_ROOT_BONUS, bonus);
  }
  points += term(w, TERM_ADJ_PAGES, adj * unit);
  if (!is_signed(scheme) && points <= 0) points = scheme == SCHEME_LINUX_2_6_36 ? 0 : 1;
  if (thousandths) points = min<i64>(points, 1000);
  // Selection takes a task in swapoff before all others; what /proc prints of it is not affected.
  term(w, TERM_OOM_SCORE, oom_score(scheme, points, total));
  return origin ? POINTS_MAX : points;
}

/** What /proc/PID/oom_score prints for these points. */
function oom_score(scheme: i32, points: i64, total: i64): i64 {
  if (counts_thousandths(scheme)) return points;
  const thousandths = scaled(points, 1000, total);
  return is_signed(scheme) ? ((1000 + thousandths) * 2) / 3 : thousandths;
}

/** badness, resident and family: what comes back, in pages. Products saturate at QUANTITY_MAX. */
function own(w: usize, scheme: i32): u64 {
  let charge = <i64>input(w, IN_CHARGE);
  if (input_u32(w, IN_ADJ) == ADJ_KERNEL) {
    const adj = <i64>load<i32>(w + W_INPUTS + IN_OOM_SCORE_ADJ) * (<i64>input(w, IN_TOTAL_PAGES) / 1000);
    charge = min<i64>(max<i64>(charge + term(w, TERM_ADJ_PAGES, adj), 0), QUANTITY_MAX);
  }
  if (scheme == SCHEME_FAMILY) return min<u64>(charge + input(w, IN_CHILDREN_VM), QUANTITY_MAX);
  if (scheme == SCHEME_RESIDENT) return charge;

  const age = input_u32(w, IN_AGE);
  let points: u64 = charge;
  const cpu_div = int_sqrt(cpu_units(w, u64.MAX_VALUE));
  const run_div = int_sqrt(int_sqrt(run_units(w, 10)));
  term(w, TERM_CPU_DIV, cpu_div);
  term(w, TERM_RUN_DIV, run_div);
  if (age != AGE_IGNORE) {
    const both = max<u64>(cpu_div, 1) * max<u64>(run_div, 1);
    const discount = term(w, TERM_DISCOUNT, min<u64>(both, input(w, IN_MAX_DISCOUNT)));
    if (age == AGE_SPARE_OLD) points /= discount;
    else points = points > <u64>QUANTITY_MAX / discount ? QUANTITY_MAX : points * discount;
  }
  if ((input_u32(w, IN_FLAGS) & TASK_NICED) != 0) points *= term(w, TERM_NICE_TIMES, 2);
  return points;
}
