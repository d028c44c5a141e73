// Stage: bytes → table. In: the text of /proc/PID/status in the window. Out: what stat does not tell, staged.

import {
  E_RANGE,
  FIELD_CAP_HI,
  FIELD_CAP_LO,
  FIELD_EUID,
  FIELD_PGTABLES_BYTES,
  FIELD_RSS_ANON_PAGES,
  FIELD_RSS_PAGES,
  FIELD_RSS_SHMEM_PAGES,
  FIELD_SCRATCH,
  FIELD_SWAP_PAGES,
  FIELD_TOTAL_VM_PAGES,
  FIELD_UID,
  STATUS_HAS_MM,
  W_TEXT,
} from '../layout';
import { byte_at, field_get, field_read, field_set, NEWLINE, refuse_at, SPACE, TAB, text_end } from './text';

const COLON: u32 = 0x3a;
const HEX_DIGITS_MAX: u32 = 16;

// The four bytes before the colon tell the wanted keys from each other and from all others, FDSize from VmSize excepted;
// little-endian words.
const KEY_UID: u32 = 0x6469550a; // "\nUid"
const KEY_VM_SIZE: u32 = 0x657a6953; // Vm"Size"
const KEY_VM_RSS: u32 = 0x5353526d; // V"mRSS"
const KEY_RSS_ANON: u32 = 0x6e6f6e41; // Rss"Anon"
const KEY_RSS_SHMEM: u32 = 0x6d656d68; // RssS"hmem"
const KEY_VM_SWAP: u32 = 0x70617753; // Vm"Swap"
const KEY_VM_PTE: u32 = 0x4554506d; // V"mPTE"
const KEY_VM_PMD: u32 = 0x444d506d; // V"mPMD"
const KEY_CAP_EFF: u32 = 0x66664570; // Ca"pEff"

/** The byte before "Size" in VmSize. */
const LETTER_M: u32 = 0x6d;

/** Cell that the key before `colon` fills, −1 for a key that nobody asks for. VmPMD waits in the spare cell until it is added to VmPTE. */
function status_field(colon: u32): i32 {
  const key = load<u32>(colon - 4);
  if (key == KEY_UID) return FIELD_UID;
  if (key == KEY_VM_SIZE && load<u8>(colon - 5) == LETTER_M) return FIELD_TOTAL_VM_PAGES;
  if (key == KEY_VM_RSS) return FIELD_RSS_PAGES;
  if (key == KEY_RSS_ANON) return FIELD_RSS_ANON_PAGES;
  if (key == KEY_RSS_SHMEM) return FIELD_RSS_SHMEM_PAGES;
  if (key == KEY_VM_SWAP) return FIELD_SWAP_PAGES;
  if (key == KEY_VM_PTE) return FIELD_PGTABLES_BYTES;
  return key == KEY_VM_PMD ? FIELD_SCRATCH : -1;
}

/** `000001ffffffffff`: stages the two halves and completes the page tables. Answers `seen` or E_*. */
function capabilities_read(w: u32, p: u32, end: u32, seen: i32): i32 {
  const start = p;
  let bits: u64 = 0;
  for (; ; ++p) {
    const c = byte_at(p, end);
    const digit = c - 0x30 < 10 ? c - 0x30 : c - 0x61 < 6 ? c - 0x57 : 16;
    if (digit == 16) break;
    bits = (bits << 4) | digit;
  }
  if (p - start - 1 >= HEX_DIGITS_MAX || byte_at(p, end) != NEWLINE) return refuse_at(p, end);
  field_set(w, FIELD_CAP_LO, <f64>(<u32>bits));
  field_set(w, FIELD_CAP_HI, <f64>(bits >> 32));
  field_set(w, FIELD_PGTABLES_BYTES, field_get(w, FIELD_PGTABLES_BYTES) + field_get(w, FIELD_SCRATCH));
  return seen;
}

/** The number of one wanted line at `p`: two of them after Uid, kB where it is a quantity. An address in the line, or E_*. */
function value_read(w: u32, field: i32, p: u32, end: u32, page_size: u32): i32 {
  const is_bytes = field == FIELD_PGTABLES_BYTES || field == FIELD_SCRATCH;
  const plain = field < FIELD_TOTAL_VM_PAGES;
  const after = field_read(w, field, p, end, plain ? 1 : 1024, plain || is_bytes ? 1 : page_size);
  return field == FIELD_UID && after >= 0 ? field_read(w, FIELD_EUID, after + 1, end, 1, 1) : after;
}

/**
 * Stages what only /proc/PID/status tells (proc_pid_status(), any Linux), from these lines among others:
 *
 *     Uid:	1000	1000	1000	1000
 *     VmSize:	 1077084 kB
 *     CapEff:	000001ffffffffff
 *
 * Cells of uid, euid, capabilities, rss_anon, rss_shmem, swap and page tables start from 0; those of total_vm and rss
 * keep their value when there is no line for them. CapEff comes after all other keys in every kernel:
 * reading stops there, and a text without it was cut off. A key is what stands before the first colon of a line, and
 * the kernel escapes newlines in names, so no name can pass for a line. Returns STATUS_HAS_MM or 0, E_SHORT, E_FORMAT,
 * or E_RANGE for a page_size of 0; on an error the staged cells mean nothing.
 */
export function status_parse(w: u32, length: u32, page_size: u32): i32 {
  if (!page_size) return E_RANGE;
  const end = text_end(w, length);
  // The two groups of cells stand in a row each: rss_anon rss_shmem swap pgtables, and uid euid cap_lo cap_hi.
  for (let i = 0; i < 4; ++i) {
    field_set(w, FIELD_RSS_ANON_PAGES + i, 0);
    field_set(w, FIELD_UID + i, 0);
  }
  field_set(w, FIELD_SCRATCH, 0);
  let seen = 0;
  // The first line is Name in every kernel; its key would be compared with bytes before the text.
  let in_key = false;
  for (let p = w + W_TEXT; p < end; ++p) {
    const byte = <u32>load<u8>(p);
    if (byte == NEWLINE) in_key = true;
    if (byte != COLON || !in_key) continue;
    in_key = false;
    const last = load<u32>(p - 4) == KEY_CAP_EFF;
    const field = status_field(p);
    do ++p;
    while (byte_at(p, end) == SPACE || byte_at(p, end) == TAB);
    if (last) return capabilities_read(w, p, end, seen);
    if (field >= 0) {
      const after = value_read(w, field, p, end, page_size);
      if (after < 0) return after;
      if (field == FIELD_TOTAL_VM_PAGES) seen = STATUS_HAS_MM;
    }
    // The byte at p may be the end of the line itself.
    --p;
  }
  return refuse_at(end, end);
}
