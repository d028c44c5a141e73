/**
 * Stage: selection. Extended regular expressions of POSIX, as glibc takes them, written as RE2 takes them. The two differ in what a
 * backslash means, inside brackets and before letters, and RE2 reads more into what follows a parenthesis or a quantifier.
 */

/** What glibc has besides POSIX, and RE2 too, under these names. */
const SHARED_ESCAPES: Readonly<Record<string, string>> = {
  w: '\\w',
  W: '\\W',
  s: '\\s',
  S: '\\S',
  b: '\\b',
  B: '\\B',
  '`': '\\A',
  "'": '\\z',
};

const QUANTIFIER = /^(?:[*+?]|\{\d*(?:,\d*)?\})/;

function cannot(what: string): never {
  throw new RangeError(what);
}

/** `\x` outside brackets. */
function escaped(character: string): string {
  if (character === '') return cannot('a backslash at its end');
  if (/[1-9]/.test(character)) return cannot(`\\${character}, a reference back, which RE2 does not have`);
  if (/[<>]/.test(character))
    return cannot(`\\${character}, the edge of a word, which RE2 does not tell from the other`);
  const shared = SHARED_ESCAPES[character];
  if (shared !== undefined) return shared;
  // Of any other letter it is the letter.
  return /\w/.test(character) ? character : `\\${character}`;
}

/** `[...]`, and how long it was. A backslash in it is itself, and so is a bracket that closes nothing. */
function bracket(text: string): { re2: string; length: number } {
  const [opening] = /^\[\^?/.exec(text)!;
  let re2 = opening;
  for (let at = opening.length; at < text.length; ) {
    const [named] = /^\[:[a-z]+:\]/.exec(text.slice(at)) ?? [];
    if (named) {
      re2 += named;
      at += named.length;
      continue;
    }
    if (/^\[[.=]/.test(text.slice(at))) return cannot(`${text.slice(at, at + 2)} in brackets, a collating element`);
    if (text[at] === ']' && at > opening.length) return { re2: `${re2}]`, length: at + 1 };
    re2 += /[\\[\]]/.test(text[at]!) ? `\\${text[at]}` : text[at];
    at += 1;
  }
  return cannot('a bracket that is not closed');
}

/** The quantifier at the front of the text, if there is one, as RE2 writes it. */
function quantifier(text: string): { re2: string; length: number } | null {
  const [found] = QUANTIFIER.exec(text) ?? [];
  if (found === undefined || found === '{}') return null;
  return { re2: found.replace(/^\{,/, '{0,'), length: found.length };
}

/** The same expression for RE2. Throws RangeError with what cannot be said there. Whether RE2 takes the rest, it says itself. */
export function re2Expression(posix: string): string {
  let re2 = '';
  let hasDot = false;
  /** Whether there is something that a quantifier may follow. */
  let quantifiable = false;
  for (let at = 0; at < posix.length; ) {
    const rest = posix.slice(at);
    const times = quantifier(rest);
    if (times) {
      if (!quantifiable) cannot(`${rest.slice(0, times.length)} after nothing that it could repeat`);
      quantifiable = false;
      re2 += times.re2;
      at += times.length;
      continue;
    }
    const character = posix[at]!;
    const part = character === '[' ? bracket(rest) : null;
    if (part) re2 += part.re2;
    else if (character === '\\') re2 += escaped(posix[at + 1] ?? '');
    else re2 += character === '{' ? '\\{' : character;
    hasDot ||= character === '.';
    quantifiable = !/[(|^]/.test(character);
    at += part?.length ?? (character === '\\' ? 2 : 1);
  }
  // A dot of POSIX is a newline too.
  return hasDot ? `(?s)${re2}` : re2;
}
