/**
 * Stage: points → selection. The scored snapshot comes in, the victim's slot or a ranking goes out. Equal points are
 * decided by the rule of the scheme, never by the order of rows, so a shuffled table gives the same victim.
 */
import {
  C_CHARGE,
  C_FLAGS,
  C_ID,
  C_ID_HI,
  C_KIND,
  C_POINTS,
  C_START_TICKS,
  E_IN_FLIGHT,
  E_NO_VICTIM,
  S_ANY_FLAGS,
  S_COUNT,
  SCHEME_LINUX_2_6_20,
  TASK_ADJ_NEVER,
  TASK_OOM_DISABLE,
  TASK_ORIGIN,
  TASK_VFORK,
  X_ORDER,
} from './layout';
import { aborting_flags, origin_ends_walk, TIE_FIRST, TIE_OWN, tie_rule, zero_can_win } from './schemes';
import { ineligible_because } from './score';
import { column, f64_at, scratch, snapshot_current, u32_at } from './table';

/** Whether `a` was created after `b`; ids decide within one tick, as a process list is in the order of creation. */
function created_after(snapshot: usize, a: i32, b: i32): bool {
  const start_a = f64_at(snapshot, C_START_TICKS, a);
  const start_b = f64_at(snapshot, C_START_TICKS, b);
  if (start_a != start_b) return start_a > start_b;
  const id_a = ((<u64>u32_at(snapshot, C_ID_HI, a)) << 32) | u32_at(snapshot, C_ID, a);
  const id_b = ((<u64>u32_at(snapshot, C_ID_HI, b)) << 32) | u32_at(snapshot, C_ID, b);
  if (id_a != id_b) return id_a > id_b;
  return u32_at(snapshot, C_KIND, a) > u32_at(snapshot, C_KIND, b);
}

function ending_flags(scheme: i32): u32 {
  return origin_ends_walk(scheme) ? TASK_ORIGIN : 0;
}

/** Whether `a` ranks before `b`: who ends the walk first of all, then by points. */
function ranks_before(snapshot: usize, a: i32, b: i32, scheme: i32): bool {
  const tie = tie_rule(scheme);
  const ending = ending_flags(scheme);
  const flags_a = u32_at(snapshot, C_FLAGS, a);
  const flags_b = u32_at(snapshot, C_FLAGS, b);
  const origin_a = (flags_a & ending) != 0;
  if (origin_a != ((flags_b & ending) != 0)) return origin_a;
  if (origin_a) return created_after(snapshot, b, a);
  const points_a = f64_at(snapshot, C_POINTS, a);
  const points_b = f64_at(snapshot, C_POINTS, b);
  if (points_a != points_b) return points_a > points_b;
  if (tie == TIE_OWN) {
    const charge_a = f64_at(snapshot, C_CHARGE, a);
    const charge_b = f64_at(snapshot, C_CHARGE, b);
    if (charge_a != charge_b) return charge_a > charge_b;
  }
  return created_after(snapshot, a, b) != (tie == TIE_FIRST);
}

/**
 * The victim among the scored tasks of the current snapshot: its slot, E_NO_VICTIM, or E_IN_FLIGHT where the kernel of
 * that era would wait for one that is dying already.
 */
export function select(w: usize, scheme: i32): i32 {
  const snapshot = snapshot_current();
  const count = load<i32>(snapshot + S_COUNT);
  const aborting = aborting_flags(scheme);
  const ending = ending_flags(scheme);
  if (load<u32>(snapshot + S_ANY_FLAGS) & (aborting | ending)) {
    const reached = first_reached(w, scheme, snapshot, count, aborting, ending);
    if (reached != E_NO_VICTIM) return reached;
  }
  return best(snapshot, count, scheme);
}

function best(snapshot: usize, count: i32, scheme: i32): i32 {
  const points = column(snapshot, C_POINTS);
  let chosen = E_NO_VICTIM;
  let most: f64 = zero_can_win(scheme) ? -Infinity : f64.MIN_VALUE;
  for (let slot: i32 = 0; slot < count; ++slot) {
    const at = points + ((<usize>slot) << 3);
    if (ASC_FEATURE_SIMD) {
      // Nearly always none of eight comes near; what lies past the last task is looked at again one by one.
      const bound = f64x2.splat(most);
      const near = v128.or(
        v128.or(f64x2.ge(v128.load(at), bound), f64x2.ge(v128.load(at, 16), bound)),
        v128.or(f64x2.ge(v128.load(at, 32), bound), f64x2.ge(v128.load(at, 48), bound)),
      );
      if (slot + 8 <= count && !v128.any_true(near)) {
        slot += 7;
        continue;
      }
    }
    const value = load<f64>(at);
    // Not the same as value < most: the points of an ineligible task are NaN.
    if (!(value >= most)) continue;
    if (value > most || chosen < 0 || ranks_before(snapshot, slot, chosen, scheme)) {
      most = value;
      chosen = slot;
    }
  }
  return chosen;
}

/** Who ends the walk of a kernel before it has seen everybody: one that is dying (abort) or, long ago, in swapoff. */
function first_reached(w: usize, scheme: i32, snapshot: usize, count: i32, aborting: u32, ending: u32): i32 {
  let first = -1;
  for (let slot: i32 = 0; slot < count; ++slot) {
    const flags = u32_at(snapshot, C_FLAGS, slot);
    if ((flags & (aborting | ending)) == 0 || is_skipped(w, scheme, snapshot, slot)) continue;
    // Without an ending flag every abort is the same abort.
    if (first < 0 || created_after(snapshot, first, slot)) first = slot;
  }
  if (first < 0) return E_NO_VICTIM;
  return (u32_at(snapshot, C_FLAGS, first) & aborting) != 0 ? E_IN_FLIGHT : first;
}

/** Whether the walk of this era passes a task by before it looks at whether it is dying. */
function is_skipped(w: usize, scheme: i32, snapshot: usize, slot: i32): bool {
  // From 2.6.20 on a dying task aborts even where its adj would keep it from being chosen: that is looked at later.
  const later = scheme >= SCHEME_LINUX_2_6_20 ? TASK_OOM_DISABLE | TASK_ADJ_NEVER | TASK_VFORK : 0;
  return (ineligible_because(w, scheme, snapshot, slot) & ~later) != 0;
}

/**
 * Writes the slots of the `limit` worst tasks of the scored snapshot, worst first, to the order column. Returns how
 * many there are. Nobody who is ineligible is among them. A heap of the worst so far, its root the mildest of them.
 */
export function rank(scheme: i32, limit: i32): i32 {
  const snapshot = snapshot_current();
  const count = load<i32>(snapshot + S_COUNT);
  const order = scratch(X_ORDER);
  let size = 0;
  for (let slot: i32 = 0; slot < count; ++slot) {
    if (isNaN(f64_at(snapshot, C_POINTS, slot))) continue;
    if (size < limit) {
      rise(snapshot, order, size++, slot, scheme);
    } else if (size > 0 && ranks_before(snapshot, slot, load<u32>(order), scheme)) {
      sink(snapshot, order, size, slot, scheme);
    }
  }
  for (let left = size; left > 1; --left) {
    const mildest = load<u32>(order);
    const last = load<u32>(order + ((<usize>(left - 1)) << 2));
    sink(snapshot, order, left - 1, last, scheme);
    store<u32>(order + ((<usize>(left - 1)) << 2), mildest);
  }
  return size;
}

/** Puts `slot` at the end of the heap and lets it rise to its place. */
function rise(snapshot: usize, order: usize, at: i32, slot: i32, scheme: i32): void {
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = load<u32>(order + ((<usize>above) << 2));
    if (!ranks_before(snapshot, parent, slot, scheme)) break;
    store<u32>(order + ((<usize>at) << 2), parent);
    at = above;
  }
  store<u32>(order + ((<usize>at) << 2), slot);
}

/** Puts `slot` at the root of a heap of `size` and lets it sink to its place. */
function sink(snapshot: usize, order: usize, size: i32, slot: i32, scheme: i32): void {
  let at = 0;
  for (;;) {
    let below = at * 2 + 1;
    if (below >= size) break;
    let child = load<u32>(order + ((<usize>below) << 2));
    if (below + 1 < size) {
      const other = load<u32>(order + ((<usize>(below + 1)) << 2));
      if (ranks_before(snapshot, child, other, scheme)) {
        child = other;
        ++below;
      }
    }
    if (!ranks_before(snapshot, slot, child, scheme)) break;
    store<u32>(order + ((<usize>at) << 2), child);
    at = below;
  }
  store<u32>(order + ((<usize>at) << 2), slot);
}
