/**
 * Stage: points. What distinguishes one scheme from the next, as bits, so that each formula is written once.
 * A scheme number comes in, its traits or the flags that it heeds go out. Sources: mm/oom_kill.c of each era.
 */
import {
  SCHEME_BADNESS,
  SCHEME_FAMILY,
  SCHEME_LINUX_2_4,
  SCHEME_LINUX_2_6_10,
  SCHEME_LINUX_2_6_11,
  SCHEME_LINUX_2_6_16,
  SCHEME_LINUX_2_6_20,
  SCHEME_LINUX_2_6_32,
  SCHEME_LINUX_2_6_36,
  SCHEME_LINUX_3_0,
  SCHEME_LINUX_3_5,
  SCHEME_LINUX_3_15,
  SCHEME_LINUX_5_9,
  TASK_ADJ_NEVER,
  TASK_CAP_ADMIN,
  TASK_CAP_RESOURCE,
  TASK_EXITING,
  TASK_INIT,
  TASK_KTHREAD,
  TASK_MEMDIE,
  TASK_MEMS_DISJOINT,
  TASK_NO_MM,
  TASK_OOM_DISABLE,
  TASK_OUTSIDE,
  TASK_PROTECTED,
  TASK_ROOT_UID,
  TASK_RULE_NEVER,
  TASK_SELF,
  TASK_VFORK,
} from './layout';

/** total_vm divided by age and CPU: 2.4 … 2.6.35. */
export function is_classic(scheme: i32): bool {
  return scheme <= SCHEME_LINUX_2_6_32;
}

/** rss, swap and page tables against the size of memory: 2.6.36 and later. */
export function is_modern(scheme: i32): bool {
  return scheme >= SCHEME_LINUX_2_6_36 && scheme <= SCHEME_LINUX_5_9;
}

export function is_own(scheme: i32): bool {
  return scheme >= SCHEME_BADNESS;
}

/** Nobody may choose these, whatever the scheme. */
export const NEVER: u32 = TASK_PROTECTED | TASK_SELF | TASK_OUTSIDE | TASK_RULE_NEVER;

/** The flags that make a task ineligible in `scheme`. */
export function excluding_flags(scheme: i32): u32 {
  if (is_own(scheme)) {
    return NEVER | TASK_INIT | TASK_KTHREAD | TASK_NO_MM | TASK_ADJ_NEVER | TASK_MEMDIE | TASK_EXITING | TASK_VFORK;
  }
  if (scheme >= SCHEME_LINUX_2_6_36) return NEVER | unkillable_flags(scheme);
  if (scheme >= SCHEME_LINUX_2_6_20) return NEVER | TASK_INIT | TASK_NO_MM | TASK_OOM_DISABLE;
  if (scheme == SCHEME_LINUX_2_6_16) return NEVER | TASK_INIT | TASK_OOM_DISABLE | TASK_MEMS_DISJOINT;
  if (scheme == SCHEME_LINUX_2_6_11) return NEVER | TASK_INIT;
  return NEVER;
}

/** The flags that oom_badness() of a modern era answers with "not at all", which /proc prints as 0. */
export function unkillable_flags(scheme: i32): u32 {
  return TASK_INIT | TASK_KTHREAD | TASK_NO_MM | TASK_ADJ_NEVER | (scheme == SCHEME_LINUX_5_9 ? TASK_VFORK : 0);
}

/** The flags whose bearer makes the kernel of that era wait instead of choosing (ERR_PTR(−1), abort). */
export function aborting_flags(scheme: i32): u32 {
  if (scheme >= SCHEME_LINUX_3_15 && scheme <= SCHEME_LINUX_5_9) return TASK_MEMDIE;
  if (scheme >= SCHEME_LINUX_2_6_11 && scheme <= SCHEME_LINUX_3_5) return TASK_MEMDIE | TASK_EXITING;
  return 0;
}

/** PF_SWAPOFF ends the walk when it is reached (2.4 … 2.6.18); later it only gets the highest points. */
export function origin_ends_walk(scheme: i32): bool {
  return scheme <= SCHEME_LINUX_2_6_16;
}

/**
 * Whether zero points can be chosen: 2.6.11 … 2.6.35 while nothing else was, 5.9 because its points are signed, our
 * own because a discount can bring every task of a domain to zero while there is memory to be had.
 */
export function zero_can_win(scheme: i32): bool {
  return (scheme >= SCHEME_LINUX_2_6_11 && scheme <= SCHEME_LINUX_2_6_32) || scheme >= SCHEME_LINUX_5_9;
}

/** The flags that quarter the points of a classic scheme, once. */
export function root_flags(scheme: i32): u32 {
  if (!is_classic(scheme)) return 0;
  return scheme == SCHEME_LINUX_2_6_32 ? TASK_CAP_ADMIN | TASK_CAP_RESOURCE : TASK_CAP_ADMIN | TASK_ROOT_UID;
}

/** Whether children with an mm of their own are charged to the parent: 2.6.11 in full, later half and one page. */
export function charges_children(scheme: i32): bool {
  return scheme >= SCHEME_LINUX_2_6_11 && scheme <= SCHEME_LINUX_2_6_32;
}

/** Whether points need what other tasks have: children or the family. */
export function is_relative(scheme: i32): bool {
  return charges_children(scheme) || scheme == SCHEME_FAMILY;
}

/** Rules for equal points. */
export const TIE_OWN = 0; // larger charge, then later start, then higher id
export const TIE_FIRST = 1; // earlier created
export const TIE_LAST = 2; // later created

export function tie_rule(scheme: i32): u32 {
  if (is_own(scheme)) return TIE_OWN;
  return scheme == SCHEME_LINUX_5_9 ? TIE_LAST : TIE_FIRST;
}

/** Whether disjoint memory nodes divide by eight. */
export function divides_disjoint(scheme: i32): bool {
  return scheme == SCHEME_LINUX_2_6_20 || scheme == SCHEME_LINUX_2_6_32;
}

/** Eras of the formulas that differ in one step only; named here so that badness.ts reads as prose. */
export function is_2_4(scheme: i32): bool {
  return scheme == SCHEME_LINUX_2_4;
}

export function heeds_memdie_in_badness(scheme: i32): bool {
  return scheme <= SCHEME_LINUX_2_6_10;
}

/** 2.6.36 and 3.0 count thousandths of memory; 3.5 and later count pages. */
export function counts_thousandths(scheme: i32): bool {
  return scheme == SCHEME_LINUX_2_6_36 || scheme == SCHEME_LINUX_3_0;
}

/** 30 thousandths off for CAP_SYS_ADMIN (2.6.36 … 3.14); three per cent of the points in 3.15 … 4.16; then nothing. */
export function root_bonus_thousandths(scheme: i32): bool {
  return scheme <= SCHEME_LINUX_3_5;
}

export function root_bonus_percent(scheme: i32): bool {
  return scheme == SCHEME_LINUX_3_15;
}

export function is_signed(scheme: i32): bool {
  return scheme == SCHEME_LINUX_5_9;
}
