/**
 * Stage: candidate queue. Text comes in (the write to /proc/oom of 2005), entries go out one by one in the order they
 * were written. One thread writes, any thread drains. A write replaces the whole list in one swap; taking consumes.
 *
 * There are two buffers and one word, H_QUEUE: head, count and epoch, where the lowest bit of the epoch says which
 * buffer is in force. The writer only ever touches the other buffer, and one swap of the word publishes it. A drainer
 * loads the word, reads the entry at its head, and then swaps the word for one whose head is one further, if it still
 * is what it was. So of an entry exactly one of these happens:
 *
 * - the swap succeeds: no list was published since the load (the epoch is in the word), so that the buffer was in
 *   force and at rest all the while, and what was read is the entry; nobody else got this head;
 * - the swap fails: whatever was read, perhaps from a buffer being rewritten, is thrown away and nothing was consumed.
 *
 * Both swaps are sequentially consistent and change the same word, hence: the entries written before a publication are
 * seen by whoever loads its word, and a drainer's reads are over before the writer's next list begins. The swap that
 * publishes also answers how many of the old list had been taken: those entries belong to the drainers, the rest to the
 * writer again, so that no descriptor is closed twice or forgotten. An epoch comes again after 2^32 lists.
 */

import { load_atomic_64, replace_atomic, swap_atomic_64 } from './atomics';
import {
  E_FORMAT,
  E_FULL,
  E_NO_ENTRY,
  ENTRY_HANDLE,
  H_QUEUE,
  PID_INIT,
  PID_MAX,
  Q_COUNT,
  Q_ENTRIES,
  QUEUE,
  QUEUE_BUFFER_BYTES,
  QUEUE_ENTRY_BYTES,
  QUEUE_MAX,
  TEXT_BYTES,
  W_TAKEN,
  W_TEXT,
} from './layout';
import { NEWLINE, SPACE, TAB } from './proc/text';

const DIGIT_0: u32 = 0x30;

/** The buffer of an epoch. */
function buffer_of(epoch: u32): u32 {
  return QUEUE + (epoch & 1) * QUEUE_BUFFER_BYTES;
}

function epoch_of(word: u64): u32 {
  return <u32>(word >> 32);
}

function count_of(word: u64): u32 {
  return <u32>word >> 16;
}

function head_of(word: u64): u32 {
  return <u32>word & 0xffff;
}

/**
 * Reads `length` bytes of text at W_TEXT into the list that is being made; nothing is in force before queue_publish.
 * Answers its number of entries; E_FORMAT (also above TEXT_BYTES), E_FULL above QUEUE_MAX: do not publish then.
 *
 *     11 22 33\n
 *
 * The grammar: pids of 2 … PID_MAX without leading zeros, between runs of blanks, tabs and newlines; of the same pid
 * twice the first counts.
 */
export function queue_parse(w: u32, length: i32): i32 {
  if (<u32>length > <u32>TEXT_BYTES) return E_FORMAT;
  const buffer = buffer_of(epoch_of(load_atomic_64(H_QUEUE)) + 1);
  const entries = buffer + Q_ENTRIES;
  let count: u32 = 0;
  let value: u32 = 0;
  for (let at: i32 = 0; at <= length; ++at) {
    const byte: u32 = at < length ? load<u8>(w + at, W_TEXT) : SPACE;
    const digit = byte - DIGIT_0 < 10;
    if (digit) {
      value = value * 10 + (byte - DIGIT_0);
      // 0 is a leading zero; and no value grows far enough to overflow.
      if (value - 1 >= <u32>PID_MAX) return E_FORMAT;
      continue;
    }
    if ((byte != SPACE && byte != TAB && byte != NEWLINE) || value == PID_INIT) return E_FORMAT;
    if (value == 0) continue;
    if (is_listed(entries, count, value)) {
      value = 0;
      continue;
    }
    if (count == QUEUE_MAX) return E_FULL;
    store<u64>(entries + count * QUEUE_ENTRY_BYTES, value);
    ++count;
    value = 0;
  }
  for (let index: u32 = 0; index < count; ++index) store<u32>(entries + index * QUEUE_ENTRY_BYTES, 0, ENTRY_HANDLE);
  store<u32>(buffer + Q_COUNT, count);
  return count;
}

/**
 * Whether a pid is among the first `count` entries; if not, entry `count` is where the tree will find it. The tree
 * branches on one bit of the pid after the other, so it is never deeper than a pid has bits, whatever is written. It
 * lives in the handle cells, two links of 16 bits each, which nobody needs before the list is complete.
 */
function is_listed(entries: u32, count: u32, pid: u32): bool {
  if (count == 0) return false;
  let at = entries;
  for (let bits = pid; load<u32>(at) != pid; bits >>= 1) {
    const link = at + ((bits & 1) << 1);
    const next = load<u16>(link, ENTRY_HANDLE);
    if (next == 0) {
      store<u16>(link, <u16>count, ENTRY_HANDLE);
      return false;
    }
    at = entries + <u32>next * QUEUE_ENTRY_BYTES;
  }
  return true;
}

/** Puts the list that was made in force, all of it at once. Answers how many entries of the old one had been taken. */
export function queue_publish(): i32 {
  const epoch = epoch_of(load_atomic_64(H_QUEUE)) + 1;
  const count = load<u32>(buffer_of(epoch) + Q_COUNT);
  return head_of(swap_atomic_64(H_QUEUE, ((<u64>epoch) << 32) | (count << 16)));
}

/** Takes the next entry, to W_TAKEN. Answers how many are left after it, or E_NO_ENTRY. */
export function queue_take(w: u32): i32 {
  let word: u64;
  let entry: u64;
  // Another round only when another thread has taken or published: somebody always gets on.
  do {
    word = load_atomic_64(H_QUEUE);
    if (head_of(word) == count_of(word)) return E_NO_ENTRY;
    entry = load<u64>(buffer_of(epoch_of(word)) + head_of(word) * QUEUE_ENTRY_BYTES, Q_ENTRIES);
  } while (!replace_atomic<u64>(H_QUEUE, word, word + 1));
  store<u64>(w, entry, W_TAKEN);
  return count_of(word) - head_of(word) - 1;
}
