/** Stage: selection. Patterns with `*`, any run, and `?`, any one character; and those on comm, which has at most 15 bytes. */
import { type Check, check, refuse } from './checks.js';

const COMM_MAX = 15;
const encoder = new TextEncoder();

/**
 * True when `glob` covers the whole of `text`. Case counts. Takes time in proportion to the product of the lengths at
 * worst, whatever the pattern.
 */
export function matchGlob(glob: string, text: string): boolean {
  const first = glob.search(/[*?]/);
  if (first < 0) return glob === text;
  // Most texts are others before that.
  if (!text.startsWith(glob.slice(0, first))) return false;
  const wanted = [...glob];
  const given = [...text];
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < given.length; ) {
    if (wanted[at] === '*') {
      star = at++;
      resume = i;
    } else if (wanted[at] === '?' || wanted[at] === given[i]) {
      ++at;
      ++i;
    } else if (star < 0) {
      return false;
    } else {
      at = star + 1;
      i = ++resume;
    }
  }
  while (wanted[at] === '*') ++at;
  return at === wanted.length;
}

/** Whether one of the globs covers the whole of `text`. */
export function matchesAny(globs: readonly string[], text: string): boolean {
  return globs.some((glob) => matchGlob(glob, text));
}

/** A pattern that can match: the kernel cuts a comm off, so a longer text without `*` would protect nobody, silently. */
export const commGlob: Check<string> = check({ type: 'string', minLength: 1 }, (value, path) => {
  if (typeof value !== 'string' || value === '') {
    return refuse(path, 'a name or pattern of a comm', value, value === '');
  }
  if (encoder.encode(value.replaceAll('*', '')).length <= COMM_MAX) return value;
  return refuse(path, `at most ${COMM_MAX} bytes besides '*', as comm is; cut it off and end it with '*'`, value);
});
