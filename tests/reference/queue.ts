// The two grammars of the candidate queue in plain TypeScript, written from their description and not from the engine.
// In: bytes of a write. Out: the list, or the errno it is refused with.

const CAPACITY = 4096;
const TEXT_MAX = 65536;
const PID_MAX = 4194304;

export type ParsedQueue = number[] | 'EINVAL' | 'E2BIG';

/** Tokens between runs of blanks, tabs and newlines; of the same pid twice the first counts. */
export function referenceQueue(bytes: Uint8Array): ParsedQueue {
  if (bytes.length > TEXT_MAX) return 'EINVAL';
  const pids = new Set<number>();
  for (const token of String.fromCharCode(...bytes).split(/[ \t\n]+/)) {
    if (token === '') continue;
    if (!/^[1-9][0-9]{0,9}$/.test(token) || Number(token) < 2 || Number(token) > PID_MAX) return 'EINVAL';
    pids.add(Number(token));
    // Whichever comes first in the text is the error.
    if (pids.size > CAPACITY) return 'E2BIG';
  }
  return [...pids];
}

/** The code of 2005: a blank is appended, only blanks separate, and a NUL ends the text together with its last token. */
export function referenceLegacyQueue(bytes: Uint8Array): ParsedQueue {
  if (bytes.length > TEXT_MAX) return 'EINVAL';
  const text = String.fromCharCode(...bytes, 0x20);
  const nul = text.indexOf('\0');
  const tokens = (nul < 0 ? text : text.slice(0, nul)).split(' ').slice(0, -1);
  if (tokens.length > CAPACITY) return 'E2BIG';
  return tokens.map((token) => Number(BigInt.asIntN(32, BigInt(/^[0-9]*/.exec(token)![0] || '0'))));
}
