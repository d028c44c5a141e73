/**
 * Stage: gate. Calls that report a failed allocation come in, each with its time; whether this one may kill goes out,
 * or why not (GATE_*). The state machine is that of out_of_memory(), Linux 2.6.10, with two ideas of time:
 *
 * - GATE_MODULAR, the kernel's own: differences wrap, and a field that was never written holds time 0;
 * - ours: "never called" and "never killed" are flags, and a clock that goes back starts again instead of being
 *   believed. A host that knows of a jump forward (suspend) clears GATE_CALLED.
 *
 * A gate without GATE_RATE is open at once: for sources that measure a level, where token and settling are the pause.
 *
 * A time is ticks in two words, so that 64-bit jiffies come without BigInt. One thread at a time is inside a gate; the
 * others are answered E_BUSY: to them it is shut, because somebody is deciding at this very moment.
 */

import { replace_atomic, store_atomic } from './atomics';
import { domain_at } from './domains';
import {
  E_BUSY,
  E_RANGE,
  GATE_CALLED,
  GATE_CALLS,
  GATE_COOLDOWN,
  GATE_COOLDOWN_TICKS,
  GATE_COUNT,
  GATE_FEW,
  GATE_FIRST,
  GATE_FLAGS,
  GATE_KILL,
  GATE_KILLED,
  GATE_LAST,
  GATE_LASTKILL,
  GATE_LOCK,
  GATE_MODULAR,
  GATE_RATE,
  GATE_RESET,
  GATE_TOO_SOON,
  GATE_WARM_UP_TICKS,
  GATE_WINDOW_TICKS,
} from './layout';

/**
 * A failed allocation at this time; or, with `done`, the end of the kill that was let through at this time, from which
 * counting starts again. Answers GATE_KILL or the reason to refuse (GATE_RESET for `done`); E_RANGE, E_BUSY.
 */
export function gate_call(domain: i32, time_lo: u32, time_hi: u32, done: bool): i32 {
  const gate = domain_at(domain);
  if (gate == 0) return E_RANGE;
  if (!replace_atomic<u32>(gate + GATE_LOCK, 0, 1)) return E_BUSY;
  const answer = gate_step(gate, ((<u64>time_hi) << 32) | time_lo, done);
  store_atomic(gate + GATE_LOCK, 0);
  return answer;
}

function gate_step(gate: u32, now: u64, done: bool): i32 {
  const flags = load<u32>(gate, GATE_FLAGS);
  if ((flags & GATE_RATE) == 0) return GATE_KILL;
  const last = load<u64>(gate, GATE_LAST);
  const modular = (flags & GATE_MODULAR) != 0;
  if (done) {
    // A kill from before the clock went back says nothing about the history that began after.
    return !modular && now > last ? GATE_RESET : gate_restart(gate, now);
  }
  store<u64>(gate, now, GATE_LAST);
  if ((flags & GATE_CALLED) == 0 || (!modular && now < last)) {
    store<u32>(gate, (flags | GATE_CALLED) & ~GATE_KILLED, GATE_FLAGS);
    store<u64>(gate, now, GATE_FIRST);
    return gate_restart(gate, now);
  }
  if (now - last > load<u64>(gate, GATE_WINDOW_TICKS)) return gate_restart(gate, now);
  if (now - load<u64>(gate, GATE_FIRST) < load<u64>(gate, GATE_WARM_UP_TICKS)) return GATE_TOO_SOON;

  const count = load<u32>(gate, GATE_COUNT) + 1;
  store<u32>(gate, count, GATE_COUNT);
  if (count < load<u32>(gate, GATE_CALLS)) return GATE_FEW;
  const cooling = now - load<u64>(gate, GATE_LASTKILL) < load<u64>(gate, GATE_COOLDOWN_TICKS);
  if (cooling && (flags & GATE_KILLED) != 0) return GATE_COOLDOWN;
  store<u64>(gate, now, GATE_LASTKILL);
  store<u32>(gate, flags | GATE_KILLED, GATE_FLAGS);
  return GATE_KILL;
}

/** The `reset:` label of the kernel. */
function gate_restart(gate: u32, now: u64): i32 {
  // time_after(now, first)
  if (<i64>(load<u64>(gate, GATE_FIRST) - now) < 0) store<u64>(gate, now, GATE_FIRST);
  store<u32>(gate, 0, GATE_COUNT);
  return GATE_RESET;
}
