/**
 * Stage: gate · token, before both. What can run short of memory: a tree of at most DOMAINS_MAX records, the system at
 * its root in slot 0. The bit of a domain in a task's domain_mask is its slot.
 *
 * Domains are opened and closed by one thread, the one that opened the engine; every thread may use them. A record is
 * complete before its state says DOMAIN_OPEN, and closing takes the token for good first, so that no operation is ever
 * in flight in a domain that is not there. A parent outlives its children.
 */

import { load_atomic, load_atomic_64 } from './atomics';
import { D_PARENT, D_STATE, D_TOKEN, DOMAIN_BYTES, DOMAIN_OPEN, DOMAINS, DOMAINS_MAX } from './layout';

/** Address of the record of an open domain, or 0. */
export function domain_at(domain: i32): u32 {
  if (<u32>domain >= <u32>DOMAINS_MAX) return 0;
  const record: u32 = DOMAINS + domain * DOMAIN_BYTES;
  return load_atomic(record + D_STATE) == DOMAIN_OPEN ? record : 0;
}

/** Whether `above` is `domain` or an ancestor of it. */
function is_above(above: i32, domain: i32): bool {
  while (domain >= 0 && domain != above) domain = load<i32>(DOMAINS + domain * DOMAIN_BYTES + D_PARENT);
  return domain == above;
}

/** Whether the token of another domain on the line of ancestors and descendants of `domain` is held. */
export function domain_held_on_line(domain: i32): bool {
  for (let other: i32 = 0; other < DOMAINS_MAX; ++other) {
    // The word before the state: a closed domain's word is never 0.
    const word = load_atomic_64(DOMAINS + other * DOMAIN_BYTES + D_TOKEN);
    if (word == 0 || other == domain || domain_at(other) == 0) continue;
    if (is_above(other, domain) || is_above(domain, other)) return true;
  }
  return false;
}
