/**
 * Stage: points, before the formula. Fills C_RELATED: what other tasks add to a task's base. Children with an mm of
 * their own (2.6.11 … 2.6.35), or the rest of the family (scheme `family`). Linear in the number of tasks: parents
 * and families are found through one open-addressing index in scratch memory.
 */
import {
  C_CHARGE,
  C_DOMAIN_MASK,
  C_FLAGS,
  C_ID,
  C_OOM_SCORE_ADJ,
  C_PPID,
  C_RELATED,
  C_SID,
  C_TOTAL_VM,
  H_CAPACITY,
  QUANTITY_MAX,
  SCHEME_FAMILY,
  TASK_NO_MM,
  TASK_SAME_MM,
  X_HASH,
  X_KEY,
  X_ORDER,
} from './layout';
import { excluding_flags } from './schemes';
import { column, scratch } from './table';

/** Cells of the index: two per task, so that a probe chain stays short. A cell holds slot + 1, or 0. */
function index_cells(): u32 {
  return load<u32>(H_CAPACITY) * 2;
}

function index_clear(): void {
  const cells = scratch(X_HASH);
  const end = cells + ((<usize>index_cells()) << 2);
  for (let cell = cells; cell < end; cell += 8) store<u64>(cell, 0);
}

function first_cell(key: u32): u32 {
  return (key * 0x9e3779b1) % index_cells();
}

/** Slot of the entry with `key` in the column `keys`, or −1. With `add` ≥ 0 enters that slot where none is. */
function index_find(keys: usize, key: u32, add: i32): i32 {
  const cells = scratch(X_HASH);
  const count = index_cells();
  let cell = first_cell(key);
  for (;;) {
    const entry = load<u32>(cells + ((<usize>cell) << 2));
    if (entry == 0) break;
    if (load<u32>(keys + ((<usize>(entry - 1)) << 2)) == key) return entry - 1;
    if (++cell == count) cell = 0;
  }
  if (add >= 0) store<u32>(cells + ((<usize>cell) << 2), add + 1);
  return add;
}

function f64_at(cells: usize, slot: i32): f64 {
  return load<f64>(cells + ((<usize>slot) << 3));
}

function u32_at(cells: usize, slot: i32): u32 {
  return load<u32>(cells + ((<usize>slot) << 2));
}

/** Adds up to QUANTITY_MAX and no further, so that no sum depends on the order of its rows. */
function add_f64(cells: usize, slot: i32, value: f64): void {
  const cell = cells + ((<usize>slot) << 3);
  store<f64>(cell, min<f64>(load<f64>(cell) + value, <f64>QUANTITY_MAX));
}

/** Charges every child with an mm of its own to its parent: in full in 2.6.11, later half of it and one page. */
export function relate_children(snapshot: usize, count: i32, in_full: bool): void {
  const ids = column(snapshot, C_ID);
  const parents = column(snapshot, C_PPID);
  const flags = column(snapshot, C_FLAGS);
  const total_vm = column(snapshot, C_TOTAL_VM);
  const related = column(snapshot, C_RELATED);
  index_clear();
  for (let slot: i32 = 0; slot < count; ++slot) {
    index_find(ids, u32_at(ids, slot), slot);
    store<f64>(related + ((<usize>slot) << 3), 0);
  }
  for (let slot: i32 = 0; slot < count; ++slot) {
    if ((u32_at(flags, slot) & (TASK_NO_MM | TASK_SAME_MM)) != 0) continue;
    const parent = index_find(ids, u32_at(parents, slot), -1);
    if (parent < 0 || parent == slot) continue;
    const pages = f64_at(total_vm, slot);
    add_f64(related, parent, in_full ? pages : floor<f64>(pages / 2) + 1);
  }
}

/**
 * Key of every task's family. Without a root its session; under one the ancestor that is a child of the root, so that
 * one leaking tool with all it started counts as one. A parent that is not in the table ends the walk: a task that
 * does not descend from the root belongs to its topmost known ancestor.
 */
function family_keys(snapshot: usize, count: i32, root: u32): void {
  const ids = column(snapshot, C_ID);
  const parents = column(snapshot, C_PPID);
  const keys = scratch(X_KEY);
  if (root == 0) {
    const sessions = column(snapshot, C_SID);
    for (let slot: i32 = 0; slot < count; ++slot) store<u32>(keys + ((<usize>slot) << 2), u32_at(sessions, slot));
    return;
  }
  index_clear();
  for (let slot: i32 = 0; slot < count; ++slot) {
    index_find(ids, u32_at(ids, slot), slot);
    store<u32>(keys + ((<usize>slot) << 2), 0);
  }
  for (let slot: i32 = 0; slot < count; ++slot) family_walk(ids, parents, keys, slot, root, count);
}

/** Walks up from one task until below the root, out of the table or to a known key, and writes the key on the way. */
function family_walk(ids: usize, parents: usize, keys: usize, from: i32, root: u32, count: i32): void {
  let top: i32 = from;
  // Recordings may hold parents that form a ring: no walk is longer than the table.
  for (let step = 0; step < count && u32_at(keys, top) == 0 && u32_at(parents, top) != root; ++step) {
    const above = index_find(ids, u32_at(parents, top), -1);
    if (above < 0) break;
    top = above;
  }
  const known = u32_at(keys, top);
  const key = known != 0 ? known : u32_at(ids, top);
  for (let slot: i32 = from; u32_at(keys, slot) == 0; slot = index_find(ids, u32_at(parents, slot), -1)) {
    store<u32>(keys + ((<usize>slot) << 2), key);
    if (slot == top) break;
  }
}

/** rss + swap + page tables of one task, with oom_score_adj where the policy wants it as the kernel has it. */
function charge_of(snapshot: usize, slot: i32, adj_unit: f64): f64 {
  const charge = f64_at(column(snapshot, C_CHARGE), slot);
  if (adj_unit == 0) return charge;
  const adj = <f64>load<i32>(column(snapshot, C_OOM_SCORE_ADJ) + ((<usize>slot) << 2));
  return min<f64>(max<f64>(charge + adj * adj_unit, 0), <f64>QUANTITY_MAX);
}

/** Gives every eligible task the charge of the rest of its family. */
export function relate_family(snapshot: usize, count: i32, root: u32, domain_bit: u32, adj_unit: f64): void {
  const excluding = excluding_flags(SCHEME_FAMILY);
  const flags = column(snapshot, C_FLAGS);
  const domains = column(snapshot, C_DOMAIN_MASK);
  const related = column(snapshot, C_RELATED);
  const keys = scratch(X_KEY);
  const heads = scratch(X_ORDER);
  family_keys(snapshot, count, root);
  index_clear();
  for (let slot: i32 = 0; slot < count; ++slot) {
    const member = (u32_at(flags, slot) & excluding) == 0 && (u32_at(domains, slot) & domain_bit) == domain_bit;
    const head = index_find(keys, u32_at(keys, slot), slot);
    if (head == slot) store<f64>(related + ((<usize>slot) << 3), 0);
    store<u32>(heads + ((<usize>slot) << 2), head);
    if (member) add_f64(related, head, charge_of(snapshot, slot, adj_unit));
  }
  // Heads come before their members, so the sums are read from the far end.
  for (let slot: i32 = count - 1; slot >= 0; --slot) {
    const rest = f64_at(related, u32_at(heads, slot)) - charge_of(snapshot, slot, adj_unit);
    store<f64>(related + ((<usize>slot) << 3), max<f64>(rest, 0));
  }
}
