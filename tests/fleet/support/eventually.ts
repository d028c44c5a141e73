/** What becomes true in its own time. */

const WHOLE_MS = 30_000;
const EVERY_MS = 20;

/** The first value of `look` that is none of undefined, null and false; what it throws counts as not yet. Rejects after half a minute, or `wholeMs`. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  what = 'what was waited for',
  wholeMs = WHOLE_MS,
): Promise<NonNullable<Exclude<T, false>>> {
  let last: unknown;
  for (let left = wholeMs; left > 0; left -= EVERY_MS) {
    try {
      const value = await look();
      last = value;
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  throw new Error(`${what} did not come within ${wholeMs} ms; last: ${String(last)}`);
}
