// Table, score and selection on the engine's own functions, without a host.

import {
  C_CHARGE,
  C_CPU_DIV,
  C_FLAGS,
  COLUMN_ALIGN,
  E_FULL,
  E_NO_VICTIM,
  E_RANGE,
  E_VALUE,
  FIELD_BYTES,
  FIELD_PGTABLES_BYTES,
  FIELD_RSS_PAGES,
  FIELD_START_TIME_TICKS,
  FIELD_TGID,
  FIELD_UTIME_JIFFIES,
  FIELDS,
  H_CAPACITY,
  P_MAX_DISCOUNT,
  SCHEME_BADNESS,
  SCHEME_RESIDENT,
  SCHEMES,
  TASK_INIT,
  W_ERROR_FIELD,
  W_FIELDS,
  WINDOWS,
} from '../../assembly/layout';
import { field_set } from '../../assembly/proc/text';
import { score } from '../../assembly/score';
import { rank, select } from '../../assembly/select';
import { f64_at, narrow, snapshot_current, table_begin, table_publish, table_put, u32_at } from '../../assembly/table';

const w: u32 = WINDOWS;

function begin(): void {
  store<u32>(H_CAPACITY, COLUMN_ALIGN);
  store<f64>(w + P_MAX_DISCOUNT, 4);
  table_begin(100, 4096, 100000);
}

function put(tgid: f64, rss: f64): i32 {
  for (let index = 0; index < FIELDS; ++index) store<f64>(w + W_FIELDS + index * FIELD_BYTES, 0);
  field_set(w, FIELD_TGID, tgid);
  field_set(w, FIELD_RSS_PAGES, rss);
  return table_put(w);
}

describe('table_put', () => {
  test('prepares charge and divisor, and derives flags', () => {
    begin();
    put(1, 10);
    field_set(w, FIELD_PGTABLES_BYTES, 8191);
    field_set(w, FIELD_UTIME_JIFFIES, 9216);
    table_put(w);
    table_publish();
    const snapshot = snapshot_current();
    expect<f64>(f64_at(snapshot, C_CHARGE, 1)).toBe(11, 'half a page of tables is none');
    expect<f32>(load<f32>(narrow(snapshot, C_CPU_DIV, 1))).toBe(3);
    expect<u32>(u32_at(snapshot, C_FLAGS, 0) & TASK_INIT).toBe(TASK_INIT);
  });

  test('refuses what is no quantity, by its field, and what is one too many', () => {
    begin();
    expect<i32>(put(7, 0.5)).toBe(E_VALUE);
    expect<u32>(load<u32>(w + W_ERROR_FIELD)).toBe(FIELD_RSS_PAGES);
    expect<i32>(put(7, NaN)).toBe(E_VALUE);
    expect<i32>(put(-1, 1)).toBe(E_VALUE);
    expect<u32>(load<u32>(w + W_ERROR_FIELD)).toBe(FIELD_TGID);
    for (let slot = 0; slot < COLUMN_ALIGN; ++slot) expect<i32>(put(slot + 2, 1)).toBe(slot);
    expect<i32>(put(999, 1)).toBe(E_FULL);
  });
});

describe('select', () => {
  test('nobody in an empty table', () => {
    begin();
    table_publish();
    expect<i32>(score(w, SCHEME_BADNESS)).toBe(0);
    expect<i32>(select(w, SCHEME_BADNESS)).toBe(E_NO_VICTIM);
    expect<i32>(rank(SCHEME_BADNESS, 8)).toBe(0);
    expect<i32>(score(w, SCHEMES)).toBe(E_RANGE);
    expect<i32>(score(w, -1)).toBe(E_RANGE);
  });

  test('the largest, wherever it stands among eight and the rest', () => {
    for (let largest = 0; largest < 21; ++largest) {
      begin();
      for (let slot = 0; slot < 21; ++slot) put(slot + 2, slot == largest ? 500 : 100 + slot);
      table_publish();
      expect<i32>(score(w, SCHEME_RESIDENT)).toBe(21);
      expect<i32>(select(w, SCHEME_RESIDENT)).toBe(largest);
    }
  });

  test('of equals the one that started last, then the higher id', () => {
    begin();
    put(5, 100);
    field_set(w, FIELD_TGID, 4);
    field_set(w, FIELD_START_TIME_TICKS, 7);
    table_put(w);
    field_set(w, FIELD_TGID, 6);
    table_put(w);
    table_publish();
    score(w, SCHEME_RESIDENT);
    expect<i32>(select(w, SCHEME_RESIDENT)).toBe(2);
  });
});
