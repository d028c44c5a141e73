/**
 * Stage: bytes → table. One staged task comes in (FIELD_* cells), a row of columns goes out. The only place that
 * checks quantities: whatever is in a column is an exact integer of at most 2^53.
 *
 * Writers fill the inactive snapshot and publish it with one store; readers on other threads use the current one and
 * find out from its version whether it was reused under them.
 */

import { load_atomic, store_atomic } from './atomics';
import { int_sqrt, shift_hz } from './int-sqrt';
import {
  ABI_VERSION,
  ADJ_MAX,
  ADJ_MIN,
  C_CAP_LO,
  C_CHARGE,
  C_COMM,
  C_CPU_DIV,
  C_EUID,
  C_FLAGS,
  C_ID,
  C_KIND,
  C_NICE,
  C_OOM_ADJ,
  C_OOM_SCORE_ADJ,
  C_PF_FLAGS,
  C_RSS,
  C_START_S,
  C_STAT_RSS,
  C_TOTAL_VM,
  C_UID,
  CAP_SYS_ADMIN_BIT,
  CAP_SYS_RAWIO_BIT,
  CAP_SYS_RESOURCE_BIT,
  COLUMNS_BYTES,
  E_FULL,
  E_RANGE,
  E_VALUE,
  FIELD_BYTES,
  FIELD_FLAGS,
  FIELD_KIND,
  FIELD_NICE,
  FIELD_OOM_ADJ,
  FIELD_OOM_SCORE_ADJ,
  FIELD_PGTABLES_BYTES,
  FIELD_RSS_PAGES,
  FIELD_SCRATCH,
  FIELD_START_TIME_TICKS,
  FIELD_STAT_RSS_PAGES,
  FIELD_STIME_JIFFIES,
  FIELD_SWAP_PAGES,
  FIELD_TOTAL_VM_PAGES,
  FIELD_UTIME_JIFFIES,
  H_CAPACITY,
  H_CURRENT,
  H_SEQUENCE,
  HZ_MAX,
  HZ_MIN,
  KIND_PROCESS,
  OOM_DISABLE,
  PF_EXITING,
  PF_KTHREAD,
  PID_INIT,
  QUANTITY_MAX,
  S_ANY_FLAGS,
  S_COUNT,
  S_HZ,
  S_PAGE_SIZE,
  S_PREPARED,
  S_SLOW,
  S_UPTIME_TICKS,
  S_VERSION,
  SNAPSHOT_HEADER_BYTES,
  TASK_ADJ_NEVER,
  TASK_CAP_ADMIN,
  TASK_CAP_RAWIO,
  TASK_CAP_RESOURCE,
  TASK_EXITING,
  TASK_HAS_MM,
  TASK_INIT,
  TASK_KTHREAD,
  TASK_NICED,
  TASK_NO_MM,
  TASK_OOM_DISABLE,
  TASK_ROOT_UID,
  TASK_STAT_RSS,
  TASKS,
  USER_HZ,
  W_COMM,
  W_ERROR_FIELD,
  W_FIELDS,
} from './layout';

/** The version of this layout. A host writes magic, version and capacity into the header of a zeroed memory itself. */
export function abi_version(): i32 {
  return ABI_VERSION;
}

export function snapshot_at(index: u32): usize {
  return TASKS + index * (SNAPSHOT_HEADER_BYTES + COLUMNS_BYTES * load<u32>(H_CAPACITY));
}

/** The snapshot that readers use. */
export function snapshot_current(): usize {
  return snapshot_at(load_atomic(H_CURRENT));
}

/** First cell of a column; the cell of a slot is its width times the slot further. */
export function column(snapshot: usize, offset: u32): usize {
  return snapshot + SNAPSHOT_HEADER_BYTES + <usize>offset * load<u32>(H_CAPACITY);
}

/** The cell of a slot in a column of f64, and of u32. */
export function wide(snapshot: usize, offset: u32, slot: i32): usize {
  return column(snapshot, offset) + ((<usize>slot) << 3);
}

export function narrow(snapshot: usize, offset: u32, slot: i32): usize {
  return column(snapshot, offset) + ((<usize>slot) << 2);
}

export function f64_at(snapshot: usize, offset: u32, slot: i32): f64 {
  return load<f64>(wide(snapshot, offset, slot));
}

export function u32_at(snapshot: usize, offset: u32, slot: i32): u32 {
  return load<u32>(narrow(snapshot, offset, slot));
}

export function put_f64(snapshot: usize, offset: u32, slot: i32, value: f64): void {
  store<f64>(wide(snapshot, offset, slot), value);
}

export function put_u32(snapshot: usize, offset: u32, slot: i32, value: u32): void {
  store<u32>(narrow(snapshot, offset, slot), value);
}

/** Where the order and hash columns start. */
export function scratch(offset: u32): usize {
  return snapshot_at(2) + <usize>offset * load<u32>(H_CAPACITY);
}

/** Starts the snapshot that readers do not use. hz 48 … 1535, page_size > 0, uptime in 1/100 s. Returns its index. */
export function table_begin(hz: i32, page_size: u32, uptime_ticks: f64): i32 {
  if (hz < HZ_MIN || hz > HZ_MAX || page_size == 0 || !(uptime_ticks >= 0 && uptime_ticks <= <f64>QUANTITY_MAX))
    return E_RANGE;
  const index = 1 - load_atomic(H_CURRENT);
  const snapshot = snapshot_at(index);
  store_atomic(snapshot + S_VERSION, load<u32>(snapshot + S_VERSION) | 1);
  store<u32>(snapshot + S_COUNT, 0);
  store<u32>(snapshot + S_SLOW, 0);
  store<u32>(snapshot + S_ANY_FLAGS, 0);
  store<u32>(snapshot + S_HZ, hz);
  store<u32>(snapshot + S_PAGE_SIZE, page_size);
  store<f64>(snapshot + S_UPTIME_TICKS, uptime_ticks);
  return index;
}

/** Makes the snapshot begun last the current one. Returns its index. */
export function table_publish(): i32 {
  const index = 1 - load_atomic(H_CURRENT);
  const snapshot = snapshot_at(index);
  store_atomic(snapshot + S_VERSION, (load<u32>(snapshot + S_VERSION) | 1) + 1);
  store_atomic(H_CURRENT, index);
  store_atomic(H_SEQUENCE, load<u32>(H_SEQUENCE) + 1);
  return index;
}

/** Appends the staged task to the snapshot being written. Returns its slot, E_VALUE (field at W_ERROR_FIELD) or E_FULL. */
export function table_put(w: usize): i32 {
  const snapshot = snapshot_at(1 - load_atomic(H_CURRENT));
  const slot = load<i32>(snapshot + S_COUNT);
  if (slot >= load<i32>(H_CAPACITY)) return E_FULL;
  const answer = row_write(w, snapshot, slot);
  if (answer < 0) return answer;
  store<u32>(snapshot + S_COUNT, slot + 1);
  return slot;
}

/** Replaces a row of the current snapshot by the staged task: a full reading in place of bounds. */
export function table_refresh(w: usize, slot: i32): i32 {
  const snapshot = snapshot_current();
  if (slot < 0 || slot >= load<i32>(snapshot + S_COUNT)) return E_RANGE;
  return row_write(w, snapshot, slot);
}

function field(w: usize, index: i32): f64 {
  return load<f64>(w + W_FIELDS + index * FIELD_BYTES);
}

function is_whole(w: usize, index: i32, low: i64, high: i64): bool {
  const value = <i64>field(w, index);
  // Equal only if nothing was cut off, rounded or not a number.
  return value >= low && value <= high && <f64>value == field(w, index);
}

/** The first field out of range, or −1. */
function refused_field(w: usize): i32 {
  for (let index = FIELD_KIND; index < FIELD_NICE; ++index) {
    if (!is_whole(w, index, 0, u32.MAX_VALUE)) return index;
  }
  if (!is_whole(w, FIELD_NICE, -20, 19)) return FIELD_NICE;
  if (!is_whole(w, FIELD_OOM_SCORE_ADJ, ADJ_MIN, ADJ_MAX)) return FIELD_OOM_SCORE_ADJ;
  if (!is_whole(w, FIELD_OOM_ADJ, OOM_DISABLE, 15)) return FIELD_OOM_ADJ;
  for (let index = FIELD_TOTAL_VM_PAGES; index < FIELD_SCRATCH; ++index) {
    if (!is_whole(w, index, 0, QUANTITY_MAX)) return index;
  }
  return -1;
}

function refuse(w: usize, index: i32): i32 {
  store<u32>(w + W_ERROR_FIELD, index);
  return E_VALUE;
}

function row_write(w: usize, snapshot: usize, slot: i32): i32 {
  const refused = refused_field(w);
  if (refused >= 0) return refuse(w, refused);
  const tables = <u64>field(w, FIELD_PGTABLES_BYTES) / load<u32>(snapshot + S_PAGE_SIZE);
  const charge = <u64>field(w, FIELD_RSS_PAGES) + <u64>field(w, FIELD_SWAP_PAGES) + tables;
  if (charge > <u64>QUANTITY_MAX) return refuse(w, FIELD_RSS_PAGES);
  const cpu = <u64>field(w, FIELD_UTIME_JIFFIES) + <u64>field(w, FIELD_STIME_JIFFIES);
  if (cpu > <u64>QUANTITY_MAX) return refuse(w, FIELD_UTIME_JIFFIES);

  for (let index = FIELD_KIND; index <= FIELD_OOM_ADJ; ++index) {
    put_u32(snapshot, C_KIND + (index << 2), slot, <u32>(<i64>field(w, index)));
  }
  for (let index = FIELD_TOTAL_VM_PAGES; index <= FIELD_STAT_RSS_PAGES; ++index) {
    put_f64(snapshot, C_TOTAL_VM + ((index - FIELD_TOTAL_VM_PAGES) << 3), slot, field(w, index));
  }
  if (!(<u32>field(w, FIELD_FLAGS) & TASK_STAT_RSS)) put_f64(snapshot, C_STAT_RSS, slot, field(w, FIELD_RSS_PAGES));
  put_f64(snapshot, C_CHARGE, slot, <f64>charge);
  store<u32>(snapshot + S_PREPARED, 0);
  const cpu_units = cpu >> (shift_hz(load<i32>(snapshot + S_HZ)) + 3);
  store<f32>(narrow(snapshot, C_CPU_DIV, slot), <f32>max<u64>(int_sqrt(cpu_units), 1));
  // Beyond this the kernel's root stops growing and ours does not.
  if (cpu_units >> 32) store<u32>(snapshot + S_SLOW, 1);
  const flags = flags_of(snapshot, slot);
  put_u32(snapshot, C_FLAGS, slot, flags);
  store<u32>(snapshot + S_ANY_FLAGS, load<u32>(snapshot + S_ANY_FLAGS) | flags);
  const start_s = <u64>field(w, FIELD_START_TIME_TICKS) / USER_HZ;
  put_u32(snapshot, C_START_S, slot, <u32>min<u64>(start_s, i32.MAX_VALUE));
  const comm = column(snapshot, C_COMM) + ((<usize>slot) << 4);
  store<u64>(comm, load<u64>(w + W_COMM));
  store<u64>(comm + 8, load<u64>(w + W_COMM + 8));
  return slot;
}

/** The facts that the caller states and those that follow from the other columns. */
function flags_of(snapshot: usize, slot: i32): u32 {
  let flags = u32_at(snapshot, C_FLAGS, slot);
  const pf_flags = u32_at(snapshot, C_PF_FLAGS, slot);
  const caps = u32_at(snapshot, C_CAP_LO, slot);
  if (pf_flags & PF_KTHREAD) flags |= TASK_KTHREAD;
  if (pf_flags & PF_EXITING) flags |= TASK_EXITING;
  const pages = f64_at(snapshot, C_TOTAL_VM, slot) + f64_at(snapshot, C_RSS, slot);
  if (pages == 0 && !(flags & TASK_HAS_MM)) flags |= TASK_NO_MM;
  if (u32_at(snapshot, C_KIND, slot) == KIND_PROCESS && u32_at(snapshot, C_ID, slot) == PID_INIT) flags |= TASK_INIT;
  if (<i32>u32_at(snapshot, C_OOM_SCORE_ADJ, slot) == ADJ_MIN) flags |= TASK_ADJ_NEVER;
  if (<i32>u32_at(snapshot, C_OOM_ADJ, slot) == OOM_DISABLE) flags |= TASK_OOM_DISABLE;
  if (<i32>u32_at(snapshot, C_NICE, slot) > 0) flags |= TASK_NICED;
  if (!u32_at(snapshot, C_UID, slot) || !u32_at(snapshot, C_EUID, slot)) flags |= TASK_ROOT_UID;
  if (caps & (1 << CAP_SYS_ADMIN_BIT)) flags |= TASK_CAP_ADMIN;
  if (caps & (1 << CAP_SYS_RESOURCE_BIT)) flags |= TASK_CAP_RESOURCE;
  if (caps & (1 << CAP_SYS_RAWIO_BIT)) flags |= TASK_CAP_RAWIO;
  return flags;
}
