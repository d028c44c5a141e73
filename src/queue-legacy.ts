/**
 * Stage: candidate queue. The grammar of the 2005 code, for those who must behave as it did: a blank is appended, only
 * blanks separate, a NUL ends the text together with its last token; the digits at the start of a token count modulo
 * 2^32, and a token without any is 0. So `11\n22` is one entry and `11  22` is three.
 */

/** The entries of a write, as the old code made them; as 32-bit signed numbers. */
export function parseLegacyQueue(bytes: Uint8Array): number[] {
  const entries: number[] = [];
  let value = 0;
  let ended = false;
  for (const byte of [...bytes, 0x20]) {
    if (byte === 0) break;
    const digit = byte - 0x30;
    if (byte === 0x20) {
      entries.push(value);
      value = 0;
      ended = false;
    } else if (digit < 0 || digit > 9) {
      ended = true;
    } else if (!ended) {
      value = (Math.imul(value, 10) + digit) | 0;
    }
  }
  return entries;
}
