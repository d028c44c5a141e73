/** Patterns of rules against hostile texts: a pattern and a text, with a newline between them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { re2Expression } from '../../../src/cli/posix-expression.js';
import { matchGlob } from '../../../src/policy/glob.js';
import { compileExpression } from '../../../src/policy/regular-expression.js';
import { rangeRefusal, type Target, textOf } from '../target.js';

/** By every way there is, remembered: no cleverness that could be wrong. */
function referenceGlob(glob: readonly string[], text: readonly string[]): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, length) => length === 0);
  for (const sign of glob) {
    const next = row.map(() => false);
    for (let at = 0; at <= text.length; at++) {
      if (sign === '*') next[at] = row[at]! || (at > 0 && next[at - 1]!);
      else next[at] = at > 0 && row[at - 1]! && (sign === '?' || sign === text[at - 1]);
    }
    row = next;
  }
  return row[text.length]!;
}

function expressionAnswer(source: string, text: string): string {
  let matcher: (text: string) => boolean;
  try {
    matcher = compileExpression(source);
  } catch (error) {
    // Whoever calls it says where the expression stands, and gives the library's words.
    assert.equal((error as Error).constructor.name, 'RE2JSSyntaxException', String(error));
    return 'no expression';
  }
  return `matches ${matcher(text)}`;
}

function posixAnswer(source: string): string {
  try {
    return expressionAnswer(re2Expression(source), 'a');
  } catch (error) {
    return rangeRefusal(error);
  }
}

const sign = fc.constantFrom(...'*?ab/.[](){}|^$\\+0123,-: ');
const text = fc.string({ unit: fc.constantFrom(...'ab/. '), maxLength: 20 });

export const pattern: Target = {
  name: 'pattern',
  seeds: [
    '/usr/bin/*\n/usr/bin/node',
    '^(node|java)[0-9]{1,3}$\nnode12',
    '*a*b?c\naaabbbc',
    '(a+)+$\naaaaaaaaaaaaaaaaaaaaaaaa!',
    '[[:alpha:]]*\\w\nabc',
  ],
  words: [
    '*',
    '?',
    '**',
    '.*',
    '(a+)+',
    '[a-z]',
    '{1,1000}',
    '{1000}',
    '(?:',
    '|',
    '\\b',
    '[[:',
    '\n',
    '\\p{L}',
    '(?i)',
    '\\Q',
    'a',
    '\xf0\x9f\x98\x80',
  ],
  shaped: fc.tuple(fc.string({ unit: sign, maxLength: 16 }), text).map((both) => both.join('\n')),
  most: 200,
  // A glob takes time by the product of both; a comm has 15 bytes, a path 4,096.
  longest: 8192,
  check(input) {
    const whole = textOf(input);
    const end = whole.indexOf('\n');
    const [glob, given] = end < 0 ? [whole, ''] : [whole.slice(0, end), whole.slice(end + 1)];
    const matched = matchGlob(glob, given);
    if (whole.length <= 200) assert.equal(matched, referenceGlob([...glob], [...given]));
    return `${matched} ${expressionAnswer(glob, given)} ${posixAnswer(glob)}`;
  },
};
