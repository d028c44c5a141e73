/** Stage: none (settings). Which machines are among the first so many percent: always the same ones, and at more percent those and more. */

/** FNV-1a over the bytes, stirred (the finalizer of MurmurHash3), so that names that differ in their last digit lie far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Whether a host is among the first `percent` (0 … 100) for the policy at `key`. Each key has an order of its own. */
export function isAmong(host: string, key: string, percent: number): boolean {
  return hash(`${key}\0${host}`) < (percent / 100) * 2 ** 32;
}
