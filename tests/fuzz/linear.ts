/**
 * Whether a parser takes time in proportion to its input: what repeats is tried at two sizes, and a parser that goes back over what it
 * has read takes eight times the time that the sizes differ by. On a busy machine a measurement can be wrong once, so it counts when it is
 * wrong three times.
 */
import { bytesOf, type Target } from './target.js';

const TIMES = 8;
/** Of what is proportional; going back over everything would be eight. */
const GENEROUS = 4;
/** Shorter times measure the clock. */
const LEAST_MS = 8;
const LARGE = 1 << 20;
const TRIES = 3;

export interface Slow {
  readonly what: string;
  readonly input: string;
  readonly smallMs: number;
  readonly largeMs: number;
}

/** CPU time, ms: other work on the machine does not count. */
async function cpuMs({ check }: Target, input: string): Promise<number> {
  const before = process.cpuUsage();
  await check(input);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Every word and every input by itself, over and over; and words over and over in the middle of an input. */
function* repetitions({ seeds, words }: Target): Generator<{ what: string; of: (length: number) => string }> {
  // Whole ones: cut in the middle, the smaller text may be refused where the larger one is read.
  const fill = (unit: string, length: number) => unit.repeat(Math.max(1, Math.floor(length / unit.length)));
  for (const unit of [...words, ...seeds]) {
    if (unit !== '')
      yield { what: `${JSON.stringify(unit.slice(0, 40))} repeated`, of: (length) => fill(unit, length) };
  }
  for (const [open, close] of ['[]', '{}', '()']) {
    const of = (length: number) => open!.repeat(length / 2) + close!.repeat(length / 2);
    yield { what: `${open}${close} within each other`, of };
  }
  const [longest = ''] = [...seeds].sort((a, b) => b.length - a.length);
  for (const word of words) {
    for (const part of [0.25, 0.5, 0.75]) {
      const at = Math.floor(longest.length * part);
      const of = (length: number) => longest.slice(0, at) + fill(word, length - longest.length) + longest.slice(at);
      if (word !== '') yield { what: `${JSON.stringify(word.slice(0, 40))} repeated at ${at} of an input`, of };
    }
  }
}

async function tooSlow(
  target: Target,
  of: (length: number) => string,
): Promise<{ smallMs: number; largeMs: number } | null> {
  const large = target.longest ?? LARGE;
  const [few, many] = [of(large / TIMES), of(large)];
  let slow: { smallMs: number; largeMs: number } | null = null;
  for (let tries = 0; tries < TRIES; tries++) {
    const largeMs = await cpuMs(target, many);
    if (largeMs < LEAST_MS * TIMES) return null;
    const smallMs = await cpuMs(target, few);
    if (largeMs < Math.max(smallMs, LEAST_MS) * TIMES * GENEROUS) return null;
    slow = { smallMs, largeMs };
  }
  return slow;
}

/** The first input whose time is out of proportion, and how many were tried. */
export async function linear(target: Target): Promise<{ tried: number; found: Slow | null }> {
  let tried = 0;
  for (const { what, of } of repetitions(target)) {
    tried += 1;
    const slow = await tooSlow(target, of);
    if (slow) return { tried, found: { what, input: bytesOf(of(LARGE / TIMES)).toString('latin1'), ...slow } };
  }
  return { tried, found: null };
}
