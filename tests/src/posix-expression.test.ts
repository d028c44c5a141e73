// Expressions of earlyoom say the same in RE2: held against the regexec(3) that earlyoom itself asks, on random expressions and names.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { re2Expression } from '../../src/cli/posix-expression.js';
import { compileExpression } from '../../src/policy/regular-expression.js';
import fc from './support/fast-check.js';

interface Koffi {
  load(library: string): { func(name: string, result: string, args: string[]): (...args: unknown[]) => number };
}

const REG_EXTENDED_NOSUB = 1 | 8;
/** More than regex_t takes anywhere. */
const REGEX_BYTES = 256;

const module = (await import('koffi').catch(() => null)) as { default?: unknown } | null;
const libc = module && ((module.default ?? module) as unknown as Koffi).load('libc.so.6');
const skip = libc === null && 'koffi is not there';
const regcomp = libc?.func('regcomp', 'int', ['uint8_t *', 'str', 'int']);
const regexec = libc?.func('regexec', 'int', ['uint8_t *', 'str', 'size_t', 'uint8_t *', 'int']);
const regfree = libc?.func('regfree', 'void', ['uint8_t *']);

/** Where glibc finds the expression among the names; null when it takes none such. */
function foundByGlibc(expression: string, names: readonly string[]): boolean[] | null {
  const regex = new Uint8Array(REGEX_BYTES);
  if (regcomp!(regex, expression, REG_EXTENDED_NOSUB) !== 0) return null;
  const found = names.map((name) => regexec!(regex, name, 0, null, 0) === 0);
  regfree!(regex);
  return found;
}

const part = fc.constantFrom(
  ...[
    'a',
    'b',
    '-',
    '.',
    '^',
    '$',
    '|',
    '(',
    ')',
    'a*',
    'b+',
    '(ab)?',
    'a{2}',
    'a{,2}',
    'b{1,}',
    '{',
    '}',
    ']',
    ',',
    '+',
    '?',
    '{2}',
  ],
  ...['[ab]', '[^a]', '[]a]', '[^]b]', '[a\\]', '[\\.]', '[[:alpha:]_]', '[a-]', '[[]', '[.]', '[^[:digit:]]', '[*+?]'],
  ...[
    '\\.',
    '\\*',
    '\\\\',
    '\\(',
    '\\[',
    '\\w',
    '\\W',
    '\\s',
    '\\b',
    '\\d',
    '\\n',
    '\\Q',
    '\\z',
    '\\{',
    '\\^',
    '\\/',
    '/',
  ],
);
/** Without newlines: glibc takes what follows one for a beginning in some places, such as `[^a]^`, where POSIX does not. */
const name = fc.string({ unit: fc.constantFrom(...'ab-._[](){}*,dnQz/^ 1'), maxLength: 8 });

test('expressions: what RE2 is given finds the names that glibc finds', { skip }, () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.array(name, { minLength: 8, maxLength: 8 }),
      (parts, names) => {
        const expression = parts.join('');
        const expected = foundByGlibc(expression, names);
        if (expected === null) return;
        let find: (text: string) => boolean;
        try {
          find = compileExpression(re2Expression(expression));
        } catch {
          // Left out and named, which is never wrong.
          return;
        }
        compared += 1;
        assert.deepEqual(names.map(find), expected, `${expression} on ${JSON.stringify(names)}`);
      },
    ),
    { numRuns: 20_000, seed: 20_05 },
  );
  for (const expression of ['a.b', '^a.+$', 'a[^c]b']) {
    assert.deepEqual(
      [compileExpression(re2Expression(expression))('a\nb')],
      foundByGlibc(expression, ['a\nb']),
      expression,
    );
  }
  assert.ok(compared > 8000, `${compared} could be compared`);
});

test('expressions: those that people write are carried over', () => {
  for (const [posix, re2] of [
    ['(^|/)(init|Xorg|ssh)$', '(^|/)(init|Xorg|ssh)$'],
    ['^(Web Content|Isolated Web Co)$', '^(Web Content|Isolated Web Co)$'],
    ['java|^chrom(e|ium)$', 'java|^chrom(e|ium)$'],
    ['^.*-worker$', '(?s)^.*-worker$'],
    ['[\\.]', '[\\\\.]'],
    ['a\\.b', 'a\\.b'],
    ['x{,3}', 'x{0,3}'],
  ] as const) {
    assert.equal(re2Expression(posix), re2);
  }
});
