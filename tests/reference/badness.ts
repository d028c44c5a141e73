/**
 * Stage: scoring, as the tests believe it. The formulas of every scheme in BigInt, in the order of the sources they
 * follow and without a thought for speed: one task's inputs in, its terms out. The engine is held against this.
 */
import * as L from '../../assembly/layout.js';

/** What the scalar formula reads; the keys are the engine's IN_* cells. Quantities are unsigned words of `bits`. */
export interface Inputs {
  total_vm: bigint;
  children_vm: bigint;
  charge: bigint;
  utime: bigint;
  stime: bigint;
  uptime: bigint;
  start: bigint;
  total_pages: bigint;
  max_discount: bigint;
  flags: number;
  oom_adj: number;
  oom_score_adj: number;
  hz: number;
  bits: number;
  age: number;
  adj: number;
}

export interface Terms {
  points: bigint;
  cpu_units: bigint;
  cpu_div: bigint;
  run_units: bigint;
  run_div: bigint;
  /** What age and CPU divide or multiply by together; 1 where the scheme has no such limit. */
  discount: bigint;
  /** What /proc/PID/oom_score of a modern era prints; 0 in other schemes. */
  oom_score: bigint;
}

/** ⌊√x⌋ by Newton's method on integers. */
export function isqrt(x: bigint): bigint {
  if (x < 2n) return x;
  let guess = 1n << BigInt((x.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (guess + x / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** The private root of 2.4's oom_kill.c on 32-bit words: rough, never 0. */
export function intSqrt24(x: bigint): bigint {
  let rest = BigInt.asUintN(32, x);
  let out = rest;
  while (rest > 1n) {
    rest >>= 2n;
    out >>= 1n;
  }
  if (rest === 1n) out -= out >> 2n;
  return out === 0n ? 1n : out;
}

/** lib/int_sqrt.c of 2.6: the floor, of which only 16 bits come out. */
export function intSqrt26(x: bigint): bigint {
  const root = isqrt(x);
  return root > 65535n ? 65535n : root;
}

/** SHIFT_HZ: the smallest s ≥ 4 with hz < 12·2^(s−3). */
export function shiftHz(hz: number): number {
  let s = 4;
  while (hz >= 12 * 2 ** (s - 3)) s++;
  return s;
}

/** Points and terms of one task under `scheme`. Eligibility is another question (select.ts). */
export function badness(scheme: number, x: Inputs): Terms {
  if (scheme === L.SCHEME_LINUX_2_4) return linux24(x);
  if (scheme <= L.SCHEME_LINUX_2_6_32) return classic(scheme, x);
  if (scheme <= L.SCHEME_LINUX_5_9) return modern(scheme, x);
  return own(scheme, x);
}

const has = (x: Inputs, flag: number): boolean => (x.flags & flag) !== 0;
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

const QUANTITY_MAX = BigInt(L.QUANTITY_MAX);
const PLAIN = { cpu_units: 0n, cpu_div: 0n, run_units: 0n, run_div: 0n, discount: 1n, oom_score: 0n };

function linux24(x: Inputs): Terms {
  const word = (v: bigint) => BigInt.asUintN(x.bits, v);
  const shift = BigInt(shiftHz(x.hz));
  const cpu = word(x.utime + x.stime) >> (shift + 3n);
  // The subtraction is unguarded in the source, where jiffies never lie behind a start; readings of /proc can.
  const run = x.uptime >= x.start ? (x.uptime - x.start) >> (shift + 10n) : 0n;
  const terms = {
    ...PLAIN,
    cpu_units: cpu,
    cpu_div: intSqrt24(cpu),
    run_units: run,
    run_div: intSqrt24(intSqrt24(run)),
  };
  if (has(x, L.TASK_NO_MM | L.TASK_MEMDIE)) return { ...terms, points: 0n };
  let points = word(x.total_vm) / terms.cpu_div / terms.run_div;
  if (has(x, L.TASK_NICED)) points = word(points * 2n);
  if (has(x, L.TASK_CAP_ADMIN | L.TASK_ROOT_UID)) points /= 4n;
  if (has(x, L.TASK_CAP_RAWIO)) points /= 4n;
  return { ...terms, points };
}

/** 2.6.10 and what 2.6.11 … 2.6.35 added to it; `unsigned long` throughout. */
function classic(scheme: number, x: Inputs): Terms {
  const word = (v: bigint) => BigInt.asUintN(x.bits, v);
  const cpu = word(x.utime + x.stime) >> BigInt(shiftHz(x.hz) + 3);
  const [uptime, start] = [word(x.uptime), word(x.start)];
  const run = uptime >= start ? (uptime - start) >> 10n : 0n;
  const terms = {
    ...PLAIN,
    cpu_units: cpu,
    cpu_div: intSqrt26(cpu),
    run_units: run,
    run_div: intSqrt26(intSqrt26(run)),
  };
  const worth = (points: bigint): Terms => ({ ...terms, points });
  if (has(x, L.TASK_NO_MM)) return worth(0n);
  if (scheme === L.SCHEME_LINUX_2_6_10 && has(x, L.TASK_MEMDIE)) return worth(0n);
  if (scheme >= L.SCHEME_LINUX_2_6_20 && has(x, L.TASK_ORIGIN)) return worth(word(-1n));

  let points = word(x.total_vm);
  if (scheme >= L.SCHEME_LINUX_2_6_11) points = word(points + x.children_vm);
  if (terms.cpu_div !== 0n) points /= terms.cpu_div;
  if (terms.run_div !== 0n) points /= terms.run_div;
  if (has(x, L.TASK_NICED)) points = word(points * 2n);
  const root =
    scheme >= L.SCHEME_LINUX_2_6_32 ? L.TASK_CAP_ADMIN | L.TASK_CAP_RESOURCE : L.TASK_CAP_ADMIN | L.TASK_ROOT_UID;
  if (has(x, root)) points /= 4n;
  if (has(x, L.TASK_CAP_RAWIO)) points /= 4n;
  if (scheme >= L.SCHEME_LINUX_2_6_20 && has(x, L.TASK_MEMS_DISJOINT)) points /= 8n;
  return worth(scheme >= L.SCHEME_LINUX_2_6_11 ? word(shifted(scheme, points, x.oom_adj)) : points);
}

/** oomkilladj, the last step: left when positive, right when negative; −17 is one more shift here. */
function shifted(scheme: number, points: bigint, oomAdj: number): bigint {
  if (oomAdj < 0) return points >> BigInt(-oomAdj);
  if (oomAdj === 0) return points;
  const start = scheme >= L.SCHEME_LINUX_2_6_32 && points === 0n ? 1n : points;
  return start << BigInt(oomAdj);
}

/** 2.6.36 and later, as if `long` were wide enough; quotients truncate as C does. `charge` is what the era counts. */
function modern(scheme: number, x: Inputs): Terms {
  const worth = (points: bigint, oom_score: bigint): Terms => ({ ...PLAIN, points, oom_score });
  const never = L.TASK_INIT | L.TASK_KTHREAD | L.TASK_NO_MM | L.TASK_ADJ_NEVER;
  if (x.oom_score_adj === L.ADJ_MIN || has(x, never)) return worth(0n, 0n);
  if (scheme === L.SCHEME_LINUX_5_9 && has(x, L.TASK_VFORK)) return worth(0n, 0n);

  const total = x.total_pages === 0n ? 1n : x.total_pages;
  const adj = BigInt(x.oom_score_adj);
  const admin = has(x, L.TASK_CAP_ADMIN);
  if (scheme <= L.SCHEME_LINUX_3_0) {
    const floor = scheme === L.SCHEME_LINUX_2_6_36 ? 0n : 1n;
    const share = has(x, L.TASK_ORIGIN) ? 1000n : (x.charge * 1000n) / total - (admin ? 30n : 0n) + adj;
    const points = max(floor, min(1000n, share));
    return worth(points, points);
  }
  let points = x.charge;
  const exported = (p: bigint) =>
    scheme === L.SCHEME_LINUX_5_9 ? ((1000n + (p * 1000n) / total) * 2n) / 3n : (p * 1000n) / total;
  if (scheme === L.SCHEME_LINUX_3_15 && admin) points -= (points * 3n) / 100n;
  const bonus = scheme === L.SCHEME_LINUX_3_5 && admin ? 30n : 0n;
  points += (adj - bonus) * (total / 1000n);
  if (scheme !== L.SCHEME_LINUX_5_9) points = max(1n, points);
  // Selection takes a task in swapoff before all others; what /proc prints of it is not affected.
  return worth(has(x, L.TASK_ORIGIN) ? BigInt(L.POINTS_MAX) : points, exported(points));
}

/** What a task is charged in own schemes: with oom_score_adj added when the policy says so; a quantity again. */
export function ownCharge(charge: bigint, x: Pick<Inputs, 'adj' | 'oom_score_adj' | 'total_pages'>): bigint {
  if (x.adj !== L.ADJ_KERNEL) return charge;
  return min(QUANTITY_MAX, max(0n, charge + BigInt(x.oom_score_adj) * (x.total_pages / 1000n)));
}

/**
 * The project's own schemes (`children_vm`: what the rest of a family is charged). Nothing wraps: a family's sum and
 * the product of spare-young stop at QUANTITY_MAX; nice doubles after that.
 */
function own(scheme: number, x: Inputs): Terms {
  const charge = ownCharge(x.charge, x);
  if (scheme === L.SCHEME_RESIDENT) return { ...PLAIN, points: charge };
  if (scheme === L.SCHEME_FAMILY) {
    return { ...PLAIN, points: min(QUANTITY_MAX, charge + x.children_vm) };
  }

  const cpu = (x.utime + x.stime) >> BigInt(shiftHz(x.hz) + 3);
  const run = x.uptime >= x.start ? (x.uptime - x.start) >> 10n : 0n;
  const [cpuDiv, runDiv] = [max(1n, isqrt(cpu)), max(1n, isqrt(isqrt(run)))];
  const discount = min(x.max_discount, cpuDiv * runDiv);
  let points = charge;
  if (x.age === L.AGE_SPARE_OLD) points = charge / discount;
  if (x.age === L.AGE_SPARE_YOUNG) points = min(QUANTITY_MAX, charge * discount);
  if (has(x, L.TASK_NICED)) points *= 2n;
  return { points, cpu_units: cpu, cpu_div: cpuDiv, run_units: run, run_div: runDiv, discount, oom_score: 0n };
}
