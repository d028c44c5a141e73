/**
 * Stage: token. At most one kill in flight along any line of ancestry: a token held by a domain blocks its ancestors
 * and descendants, siblings are independent. Linux 2006 had one global bit (oom_kill_in_progress); here it is a word
 * per domain that says which operation holds it and who runs that. Life of a word, each arrow one compare-and-swap:
 *
 *     IDLE ─acquire─▶ ACQUIRED ─victim─▶ VICTIM ─finish─▶ IDLE      ACQUIRED ─finish (cancel)─▶ IDLE
 *     ACQUIRED, VICTIM ─acquire, past the deadline─▶ the same state under a new operation and holder
 *
 * Why never two on one line: acquire first puts its word in, then looks at all words of its line, and withdraws when
 * one is held. Of two that acquire on one line, one put its word in later; everything here is sequentially consistent,
 * so that one sees the earlier word and withdraws. Whoever takes over looks too, except over a victim: a victim is only
 * named by an operation that had looked.
 *
 * Why no livelock: both may see each other and both withdraw. Nobody waits inside the engine; the host tries again
 * after a random delay, and the look before the word is put in keeps a caller that cannot win from disturbing others.
 * So it takes two attempts within one microsecond, after random delays of milliseconds, to collide again.
 *
 * Why nothing wedges: a word comes into being together with its operation, and its deadline has been written before, to
 * a cell that only its holder writes. Wherever a thread dies, what it leaves behind is a word with a deadline. Taking
 * over does not look first, so even two dead words on one line go away, one after the other.
 *
 * Why a stale caller changes nothing: every change compares the operation id, ids are not reused (2^31 of them), and
 * victim and deadline stand in the holder's own window (W_TOKENS), not where a successor has its own.
 */

import { add_atomic, load_atomic_64, replace_atomic } from './atomics';
import { domain_at, domain_held_on_line } from './domains';
import {
  D_TOKEN,
  E_BUSY,
  E_RANGE,
  E_STALE,
  H_OPERATION,
  HOLD_BYTES,
  HOLD_DEADLINE_MS,
  HOLD_ID,
  HOLD_ID_HI,
  HOLD_START_TICKS,
  OK,
  OPERATION_MAX,
  TOKEN_VICTIM,
  W_TOKENS,
} from './layout';

/** Address of the word of an open domain, or 0. */
function token_at(domain: i32): u32 {
  const record = domain_at(domain);
  return record == 0 ? 0 : record + D_TOKEN;
}

function hold_at(w: u32, domain: i32): u32 {
  return (w & ~TOKEN_VICTIM) + W_TOKENS + domain * HOLD_BYTES;
}

/**
 * Takes the token of a domain for the thread of window `w`, until `deadline_ms` on the host's monotonic clock. Of an
 * operation whose deadline has passed at `now_ms` (−1 for none) it takes over state and victim, and voids its id.
 * Answers the operation id > 0; E_BUSY while the token or another on its line is held, or when another thread came
 * first; E_RANGE. Whoever takes over looks for TOKEN_VICTIM: that kill goes on.
 */
export function token_acquire(w: u32, domain: i32, now_ms: f64, deadline_ms: f64): i32 {
  const token = token_at(domain);
  if (token == 0) return E_RANGE;
  const before = load_atomic_64(token);
  const ours = hold_at(w, domain);
  if (before != 0) {
    // What is read of a hold that its owner reuses meanwhile is thrown away: the word is another then.
    const theirs = hold_at(<u32>before, domain);
    if (now_ms < load<f64>(theirs, HOLD_DEADLINE_MS)) return E_BUSY;
    store<f64>(ours, load<f64>(theirs, HOLD_START_TICKS), HOLD_START_TICKS);
    store<u64>(ours, load<u64>(theirs, HOLD_ID), HOLD_ID);
  } else if (domain_held_on_line(domain)) {
    return E_BUSY;
  }
  store<f64>(ours, deadline_ms, HOLD_DEADLINE_MS);
  const operation = (add_atomic(H_OPERATION, 1) + 1) & OPERATION_MAX;
  const victim = <u32>before & TOKEN_VICTIM;
  const word = ((<u64>operation) << 32) | (w | victim);
  if (!replace_atomic<u64>(token, before, word)) return E_BUSY;
  if (victim == 0 && domain_held_on_line(domain)) {
    // Fails when the deadline has passed meanwhile and another took over: then it is theirs.
    replace_atomic<u64>(token, word, 0);
    return E_BUSY;
  }
  return operation;
}

/**
 * Names the victim of an operation, before any signal: id in two words, start time in ticks. From then on the deadline
 * is `deadline_ms`. Only the thread of window `w` that holds the token may. Answers OK, E_STALE (void or no longer
 * without a victim: do not kill), E_RANGE.
 */
export function token_victim(
  w: u32,
  domain: i32,
  operation: u32,
  id: u32,
  id_hi: u32,
  start_ticks: f64,
  deadline_ms: f64,
): i32 {
  const token = token_at(domain);
  if (token == 0) return E_RANGE;
  const word = ((<u64>operation) << 32) | w;
  if (load_atomic_64(token) != word) return E_STALE;
  const hold = hold_at(w, domain);
  store<u32>(hold, id, HOLD_ID);
  store<u32>(hold, id_hi, HOLD_ID_HI);
  store<f64>(hold, start_ticks, HOLD_START_TICKS);
  store<f64>(hold, deadline_ms, HOLD_DEADLINE_MS);
  return replace_atomic<u64>(token, word, word | TOKEN_VICTIM) ? OK : E_STALE;
}

/**
 * Ends an operation. `victim` is 0 to cancel one that has none (memory came back, or nobody was found), TOKEN_VICTIM to
 * finish one (the memory is back, or it gave up). Answers OK; E_STALE when it is not the current one, or not in that
 * state; E_RANGE.
 */
export function token_finish(domain: i32, operation: u32, victim: u32): i32 {
  const token = token_at(domain);
  if (token == 0) return E_RANGE;
  const word = load_atomic_64(token);
  // The 0 of an idle word is no operation.
  if (word == 0 || <u32>(word >> 32) != operation || (<u32>word & TOKEN_VICTIM) != victim) return E_STALE;
  return replace_atomic<u64>(token, word, 0) ? OK : E_STALE;
}
