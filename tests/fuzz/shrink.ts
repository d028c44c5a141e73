/** A smaller input that fails in the same way: parts are left out, then characters made plain, for as long as it still fails. */
import { shapeOf, type Target } from './target.js';

const TRIES_MOST = 4000;
const TIME_MOST_MS = 20_000;

/** How an input fails; null when it does not. */
export async function failureOf({ check }: Target, input: string): Promise<Error | null> {
  try {
    await check(input);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const kindOf = (error: Error) => `${error.name} ${shapeOf(error.message).slice(0, 20)}`;

/** The inputs that come next from one, in the order they are tried: first those that are much smaller. */
function* simpler(input: string): Generator<string> {
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < input.length; at += size) yield input.slice(0, at) + input.slice(at + size);
  }
  for (let at = 0; at < input.length; at++) {
    if (input[at] !== 'a' && input[at] !== '0') yield `${input.slice(0, at)}a${input.slice(at + 1)}`;
  }
}

export async function shrunk(target: Target, input: string, failure: Error): Promise<string> {
  const kind = kindOf(failure);
  const end = performance.now() + TIME_MOST_MS;
  let smallest = input;
  for (let tries = 0, isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const next of simpler(smallest)) {
      if (++tries > TRIES_MOST || performance.now() > end) return smallest;
      const error = await failureOf(target, next);
      if (error === null || kindOf(error) !== kind) continue;
      smallest = next;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}
