/**
 * Stage: selection, as the tests believe it. What a scheme asks of a task before its points count, as data: one row of
 * rules for each kernel era, in the words of its select_bad_process(), and one mask for the project's own schemes.
 */
import * as L from '../../assembly/layout.js';

/** Nobody chooses these, whatever the scheme. */
export const NEVER = L.TASK_PROTECTED | L.TASK_SELF | L.TASK_OUTSIDE | L.TASK_RULE_NEVER;

export interface Rules {
  /** Passed over before the walk asks whether somebody is dying already. */
  skip: number;
  /** Seen on a task that was not passed over: the walk ends, nobody is chosen. */
  wait: number;
  /** Passed over after that question. */
  skipLate: number;
  /** A task in swapoff: taken at once when the walk reaches it, worth more than all, or nothing special here. */
  origin: 'at once' | 'over all' | 'by points';
  /** Of equals the one created first, or last. */
  equal: 'first' | 'last';
  /** Whether points of zero can win. */
  zero: boolean;
}

const MEMDIE_OR_EXITING = L.TASK_MEMDIE | L.TASK_EXITING;
const UNKILLABLE = L.TASK_INIT | L.TASK_KTHREAD | L.TASK_NO_MM;

/** Rules of a kernel era's walk; null for the project's own schemes. */
export function rulesOf(scheme: number): Rules | null {
  const old: Rules = { skip: 0, wait: 0, skipLate: 0, origin: 'at once', equal: 'first', zero: false };
  if (scheme <= L.SCHEME_LINUX_2_6_10) return old;
  if (scheme === L.SCHEME_LINUX_2_6_11) return { ...old, skip: L.TASK_INIT, wait: MEMDIE_OR_EXITING, zero: true };
  if (scheme === L.SCHEME_LINUX_2_6_16) {
    const skip = L.TASK_INIT | L.TASK_OOM_DISABLE | L.TASK_MEMS_DISJOINT;
    return { ...old, skip, wait: MEMDIE_OR_EXITING, zero: true };
  }
  if (scheme <= L.SCHEME_LINUX_2_6_32) {
    const skip = L.TASK_INIT | L.TASK_NO_MM;
    const skipLate = L.TASK_OOM_DISABLE;
    return { skip, wait: MEMDIE_OR_EXITING, skipLate, origin: 'by points', equal: 'first', zero: true };
  }
  const modern: Rules = { ...old, skip: UNKILLABLE, wait: MEMDIE_OR_EXITING, skipLate: L.TASK_ADJ_NEVER };
  if (scheme <= L.SCHEME_LINUX_3_0) return { ...modern, origin: 'by points' };
  if (scheme === L.SCHEME_LINUX_3_5) return { ...modern, origin: 'over all' };
  if (scheme <= L.SCHEME_LINUX_4_17) return { ...modern, wait: L.TASK_MEMDIE, origin: 'over all' };
  if (scheme > L.SCHEME_LINUX_5_9) return null;
  const skipLate = L.TASK_ADJ_NEVER | L.TASK_VFORK;
  return { skip: UNKILLABLE, wait: L.TASK_MEMDIE, skipLate, origin: 'over all', equal: 'last', zero: true };
}

/** The TASK_* bits that make a task ineligible under `scheme`. */
export function neverOf(scheme: number): number {
  const rules = rulesOf(scheme);
  // Killing the child of a vfork gives nothing back while its parent has the same mm.
  const own = UNKILLABLE | L.TASK_ADJ_NEVER | MEMDIE_OR_EXITING | L.TASK_VFORK;
  return NEVER | (rules === null ? own : rules.skip | rules.skipLate);
}

export function isEligible(scheme: number, flags: number): boolean {
  return (flags & neverOf(scheme)) === 0;
}
