/**
 * Stage: all of them. Threads or not, one spelling: the build without threads has nobody to order against. All of these
 * are sequentially consistent where there are threads: every thread sees them happen in one and the same order.
 */

export function store_atomic(address: usize, value: u32): void {
  if (ASC_FEATURE_THREADS) atomic.store<u32>(address, value);
  else store<u32>(address, value);
}

export function load_atomic(address: usize): u32 {
  if (ASC_FEATURE_THREADS) return atomic.load<u32>(address);
  else return load<u32>(address);
}

export function load_atomic_64(address: usize): u64 {
  if (ASC_FEATURE_THREADS) return atomic.load<u64>(address);
  else return load<u64>(address);
}

/** Adds and returns what was there before. */
export function add_atomic(address: usize, value: u32): u32 {
  if (ASC_FEATURE_THREADS) return atomic.add<u32>(address, value);
  const before = load<u32>(address);
  store<u32>(address, before + value);
  return before;
}

/** Stores and returns what was there before. */
export function swap_atomic_64(address: usize, value: u64): u64 {
  if (ASC_FEATURE_THREADS) return atomic.xchg<u64>(address, value);
  const before = load<u64>(address);
  store<u64>(address, value);
  return before;
}

/** Compare-and-swap: stores `value` only where `expected` is. Says whether it did. */
export function replace_atomic<T>(address: usize, expected: T, value: T): bool {
  if (ASC_FEATURE_THREADS) return atomic.cmpxchg<T>(address, expected, value) == expected;
  if (load<T>(address) != expected) return false;
  store<T>(address, value);
  return true;
}
