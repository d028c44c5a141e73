/**
 * Stage: selection → report. The scored snapshot and the answer of `select` come in; the terms of a task and the
 * canonical decision record go out. The record is bytes, little-endian, with no cell left to chance, so that two
 * runtimes decided the same when their records are equal. Everything printed is printed from it.
 */

import { store_atomic } from './atomics';
import { points_scalar } from './badness';
import {
  C_CHARGE,
  C_COMM,
  C_FLAGS,
  C_ID,
  C_ID_HI,
  C_KIND,
  C_POINTS,
  C_START_S,
  C_START_TICKS,
  C_TOTAL_VM,
  COMM_BYTES,
  DECISION_BYTES,
  DECISIONS,
  DECISIONS_MAX,
  E_RANGE,
  H_DECISIONS,
  INPUTS_BYTES,
  ORDER_BYTES,
  ORDER_ID,
  ORDER_ID_HI,
  ORDER_KIND,
  ORDER_POINTS,
  ORDER_START_TICKS,
  P_RECORDED_BYTES,
  R_COMM,
  R_DIGEST,
  R_ELIGIBLE,
  R_INPUTS,
  R_ORDER,
  R_ORDERED,
  R_OUTCOME,
  R_PARAMETERS,
  R_SCHEMA,
  R_SCHEME,
  R_SEQUENCE,
  R_SNAPSHOT,
  R_TERMS,
  RUNNERS_UP_MAX,
  S_COUNT,
  S_RECORDED_BYTES,
  SCHEMA_VERSION,
  TERM_FLAGS,
  TERM_INELIGIBLE,
  TERMS_BYTES,
  W_DECISION,
  W_INPUTS,
  W_PARAMETERS,
  W_TERMS,
  X_ORDER,
} from './layout';
import { ineligible_because, inputs_load } from './score';
import { rank } from './select';
import { column, f64_at, scratch, snapshot_current, u32_at } from './table';

const FNV_OFFSET: u64 = 0xcbf29ce484222325;
const FNV_PRIME: u64 = 0x100000001b3;

/** Writes every term of the points of the task in `slot` to W_TERMS. The snapshot must have been scored in `scheme`. */
export function explain(w: usize, slot: i32, scheme: i32): i32 {
  const snapshot = snapshot_current();
  if (slot < 0 || slot >= load<i32>(snapshot + S_COUNT)) return E_RANGE;
  inputs_load(w, scheme, snapshot, slot);
  const answer = points_scalar(w, scheme);
  store<u32>(w + W_TERMS + TERM_FLAGS, u32_at(snapshot, C_FLAGS, slot));
  store<u32>(w + W_TERMS + TERM_INELIGIBLE, ineligible_because(w, scheme, snapshot, slot));
  return answer;
}

/**
 * Appends the record of a choice to the ring: `outcome` is what `select` answered, in a snapshot that was scored with the
 * parameters at P_*, and whose points rules may have changed since; `eligible` tasks have some. Returns its number.
 */
export function decision_write(w: usize, scheme: i32, eligible: i32, outcome: i32): u32 {
  const snapshot = snapshot_current();
  const record = w + W_DECISION;
  for (let cell = record; cell < record + DECISION_BYTES; cell += 8) store<u64>(cell, 0);
  const sequence = load<u32>(H_DECISIONS);
  store<u32>(record + R_SCHEMA, SCHEMA_VERSION);
  store<u32>(record + R_SEQUENCE, sequence);
  store<i32>(record + R_OUTCOME, outcome);
  store<u32>(record + R_SCHEME, scheme);
  store<u32>(record + R_ELIGIBLE, eligible);
  copy(record + R_PARAMETERS, w + W_PARAMETERS, P_RECORDED_BYTES);
  copy(record + R_SNAPSHOT, snapshot, S_RECORDED_BYTES);
  store<u64>(record + R_DIGEST, digest(snapshot));
  if (outcome >= 0) victim_write(w, scheme, snapshot, outcome, record);
  order_write(scheme, snapshot, record);
  // The ring is filled before the count is raised, so a reader below the count sees whole records.
  const to = DECISIONS + (sequence % DECISIONS_MAX) * DECISION_BYTES;
  copy(to, record, DECISION_BYTES);
  store_atomic(H_DECISIONS, sequence + 1);
  return sequence;
}

function copy(to: usize, from: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 8) store<u64>(to + at, load<u64>(from + at));
}

function victim_write(w: usize, scheme: i32, snapshot: usize, slot: i32, record: usize): void {
  explain(w, slot, scheme);
  copy(record + R_COMM, column(snapshot, C_COMM) + ((<usize>slot) << 4), COMM_BYTES);
  copy(record + R_TERMS, w + W_TERMS, TERMS_BYTES);
  copy(record + R_INPUTS, w + W_INPUTS, INPUTS_BYTES);
}

/** The worst of the ranking, so that the record says who came close. */
function order_write(scheme: i32, snapshot: usize, record: usize): void {
  const rows = rank(scheme, RUNNERS_UP_MAX);
  store<u32>(record + R_ORDERED, rows);
  for (let row = 0; row < rows; ++row) {
    const slot = load<i32>(scratch(X_ORDER) + ((<usize>row) << 2));
    const to = record + R_ORDER + <usize>row * ORDER_BYTES;
    store<u32>(to + ORDER_ID, u32_at(snapshot, C_ID, slot));
    store<u32>(to + ORDER_ID_HI, u32_at(snapshot, C_ID_HI, slot));
    store<u32>(to + ORDER_KIND, u32_at(snapshot, C_KIND, slot));
    store<f64>(to + ORDER_POINTS, f64_at(snapshot, C_POINTS, slot));
    store<f64>(to + ORDER_START_TICKS, f64_at(snapshot, C_START_TICKS, slot));
  }
}

/** FNV-1a, a word at a time, over the columns that a reader filled, in slot order. */
function digest(snapshot: usize): u64 {
  const count = <usize>load<u32>(snapshot + S_COUNT);
  let hash = FNV_OFFSET;
  for (let offset = C_TOTAL_VM; offset < C_CHARGE; offset += 8) hash = digest_of(hash, snapshot, offset, count << 3);
  for (let offset = C_KIND; offset < C_START_S; offset += 4) hash = digest_of(hash, snapshot, offset, count << 2);
  return digest_of(hash, snapshot, C_COMM, count << 4);
}

function digest_of(hash: u64, snapshot: usize, offset: u32, bytes: usize): u64 {
  const cells = column(snapshot, offset);
  for (let at: usize = 0; at < bytes; at += 4) hash = (hash ^ load<u32>(cells + at)) * FNV_PRIME;
  return hash;
}
