/**
 * Stage: selection. Patterns of rules: a glob, or between two `/` a regular expression of RE2, which takes time in
 * proportion to the text whatever the expression. They are checked as text here, and compiled where they are used: the
 * engine of regular expressions is loaded only by a policy that has one.
 */
import { type Check, check, refuse } from './checks.js';
import { commGlob, matchGlob } from './glob.js';

/** True when the text is one that the pattern means. */
export type Matcher = (text: string) => boolean;

const PATTERN_MAX = 1000;
const form = { type: 'string', minLength: 1, maxLength: PATTERN_MAX };

/** Of `/…/`: no path ends with a slash but the root, which is one slash alone. */
export function isRegularExpression(pattern: string): boolean {
  return pattern.length > 1 && pattern.startsWith('/') && pattern.endsWith('/');
}

function patternCheck(what: string, glob: Check<string>): Check<string> {
  return check(form, (value, path) => {
    const isText = typeof value === 'string';
    if (!isText || value === '' || value.length > PATTERN_MAX || value === '//') {
      const expected = `${what}: a pattern with * and ?, or a /regular expression/, at most ${PATTERN_MAX} characters`;
      return refuse(path, expected, value, isText);
    }
    return isRegularExpression(value) ? value : glob(value, path);
  });
}

/** A glob that does not begin so would match no path, silently. */
const pathGlob: Check<string> = check(form, (value, path) =>
  /^[/*?]/.test(value as string) ? (value as string) : refuse(path, `a path, which begins with '/', or '*'`, value),
);

const anyGlob: Check<string> = check(form, (value) => value as string);

export const commPattern: Check<string> = patternCheck('a comm', commGlob);
export const pathPattern: Check<string> = patternCheck('an absolute path', pathGlob);
export const linePattern: Check<string> = patternCheck('a command line', anyGlob);

/**
 * The matcher of each pattern. Throws RangeError at `path`, from `pathOf`, for an expression that RE2 does not take
 * (it has no look-around and no references back).
 */
export async function compilePatterns(
  patterns: readonly string[],
  pathOf: (index: number) => string,
): Promise<Matcher[]> {
  const expressions = patterns.some(isRegularExpression) ? await import('./regular-expression.js') : null;
  return patterns.map((pattern, index) => {
    if (!expressions || !isRegularExpression(pattern)) return (text) => matchGlob(pattern, text);
    const source = pattern.slice(1, -1);
    try {
      return expressions.compileExpression(source);
    } catch (error) {
      return refuse(pathOf(index), `a regular expression of RE2 (${(error as Error).message})`, pattern);
    }
  });
}
