// Stage: bytes → table. In: the text of /proc/PID/stat in the window. Out: staged cells and comm of the window.

import {
  COMM_BYTES,
  E_FORMAT,
  E_RANGE,
  E_SHORT,
  FIELD_ID_HI,
  FIELD_KIND,
  FIELD_NICE,
  FIELD_PF_FLAGS,
  FIELD_PPID,
  FIELD_RSS_PAGES,
  FIELD_SID,
  FIELD_START_TIME_TICKS,
  FIELD_STAT_RSS_PAGES,
  FIELD_STATE,
  FIELD_STIME_JIFFIES,
  FIELD_TGID,
  FIELD_THREADS,
  FIELD_UTIME_JIFFIES,
  HZ_MAX,
  KIND_PROCESS,
  OK,
  USER_HZ,
  W_COMM,
  W_TEXT,
} from '../layout';
import { byte_at, field_get, field_read, field_set, refuse_at, text_end } from './text';

const OPEN: u32 = 0x28; // (
const CLOSE: u32 = 0x29; // )
const MINUS: u32 = 0x2d;
// The four bytes around the state letter, ") S ", as one little-endian word without the letter.
const STATE_MASK: u32 = 0xff00ffff;
const STATE_FRAME: u32 = 0x20002029;

const STAT_FIRST = 4;
const STAT_LAST = 24;

/** Cell of a numbered field of stat as proc(5) counts them, −1 for those nobody asks for. */
function stat_field(n: i32): i32 {
  if (n == 4) return FIELD_PPID;
  if (n == 6) return FIELD_SID;
  if (n == 9) return FIELD_PF_FLAGS;
  if (n == 14) return FIELD_UTIME_JIFFIES;
  if (n == 15) return FIELD_STIME_JIFFIES;
  if (n == 19) return FIELD_NICE;
  if (n == 20) return FIELD_THREADS;
  if (n == 22) return FIELD_START_TIME_TICKS;
  return n == STAT_LAST ? FIELD_STAT_RSS_PAGES : -1;
}

/** Copies comm, cut to COMM_BYTES − 1 and padded with NUL. Byte by byte: not every build has memory.copy. */
function comm_copy(w: u32, p: u32, end: u32): void {
  for (let i = 0; i < COMM_BYTES; ++i, ++p) {
    store<u8>(w + i, p < end && i < COMM_BYTES - 1 ? load<u8>(p) : 0, W_COMM);
  }
}

/** Fields 4 to 24, the first of them at `p`. A negative number is staged as 0 (a dying task shows session −1), nice as it is. */
function numbers_read(w: u32, p: u32, end: u32, hz: u32): i32 {
  for (let n = STAT_FIRST; n <= STAT_LAST; ++n) {
    const negative = byte_at(p, end) == MINUS;
    if (negative) ++p;
    const field = stat_field(n);
    const times = field == FIELD_UTIME_JIFFIES || field == FIELD_STIME_JIFFIES ? hz : USER_HZ;
    const after = field_read(w, field, p, end, times, USER_HZ);
    if (after < 0) return after;
    // 0 − x and not −x: a negative zero would be another bit pattern in the record.
    if (negative && field >= 0) field_set(w, field, field == FIELD_NICE ? 0 - field_get(w, field) : 0);
    p = after + 1;
  }
  return OK;
}

/**
 * Stages a task from the text of /proc/PID/stat, as do_task_stat() of any Linux prints it:
 *
 *     512 (npm i) S 500 512 500 0 -1 4194304 981 0 3 0 41 7 0 0 20 0 11 0 87155 1102934016 14320 18446744073709551615 …
 *
 * The times become jiffies at `hz`. total_vm is not set from here: vsize is in bytes and statm has it in pages.
 * Returns OK, E_SHORT (cut off), E_FORMAT, or E_RANGE (hz above HZ_MAX); on an error the staged cells mean nothing.
 */
export function stat_parse(w: u32, length: u32, hz: u32): i32 {
  if (hz > <u32>HZ_MAX) return E_RANGE;
  const end = text_end(w, length);
  const open = field_read(w, FIELD_TGID, w + W_TEXT, end, 1, 1) + 1;
  if (open <= 0) return open - 1;
  if (byte_at(open, end) != OPEN) return refuse_at(open, end);
  // comm may hold any byte but NUL, so only the last ")" ends it: no number after it contains one.
  let close = end - 1;
  while (load<u8>(close) != CLOSE) {
    if (--close <= <u32>open) return E_SHORT;
  }
  if (end - close < 4) return E_SHORT;
  if ((load<u32>(close) & STATE_MASK) != STATE_FRAME) return E_FORMAT;
  const state = <u32>load<u8>(close, 2);
  if ((state | 0x20) - 0x61 >= 26) return E_FORMAT;
  const status = numbers_read(w, close + 4, end, hz);
  if (status < 0) return status;
  comm_copy(w, open + 1, close);
  field_set(w, FIELD_KIND, KIND_PROCESS);
  field_set(w, FIELD_ID_HI, 0);
  field_set(w, FIELD_STATE, state);
  // Where nothing better is read, the kernel's approximate count serves as rss.
  field_set(w, FIELD_RSS_PAGES, field_get(w, FIELD_STAT_RSS_PAGES));
  return OK;
}
