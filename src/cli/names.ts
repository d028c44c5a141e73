/**
 * Stage: report. Names as a terminal may show them. A comm is whatever its process wanted, so nothing in it may move
 * the cursor, colour the screen or hide text; what is escaped can be told from what is meant.
 */

const NAMED: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\x1b': '\\e', '\\': '\\\\' };

/** Control and format characters (among them those that reverse the direction of text), line and paragraph ends, what is unassigned. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\\]/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
const PICTURE = /\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
const MARK = /\p{M}/u;
const SIMPLE = /^[!-[\]-~]+$/;
const ESCAPE = 0xdc00;

function hexadecimal(code: number): string {
  return code.toString(16).padStart(2, '0');
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const named = NAMED[character];
  if (named) return named;
  // A byte that is not UTF-8 (see comm.ts).
  if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) return `\\x${hexadecimal(code - ESCAPE)}`;
  return code < 0x80 ? `\\x${hexadecimal(code)}` : `\\u{${hexadecimal(code)}}`;
}

/** A name that is safe to print. Quoted when it is empty, or begins or ends with a blank. */
export function printable(name: string): string {
  if (SIMPLE.test(name)) return name;
  let text = '';
  for (const character of name) text += HIDDEN.test(character) ? escaped(character) : character;
  return text === '' || /^\s|\s$/u.test(text) ? `'${text}'` : text;
}

const HARMFUL = new RegExp(`(?![\\n\\\\])${HIDDEN.source}`, 'gu');

/** Sentences with names in them that nobody has looked at: escaped is what a terminal would take for more than text, and nothing else. */
export function harmless(sentences: string): string {
  return sentences.replace(HARMFUL, escaped);
}

const BARE = /[\x7f-\x9f]/g;

/** The same JSON: what a terminal obeys and JSON need not escape is escaped. */
export function harmlessJson(json: string): string {
  return json.replace(BARE, (character) => `\\u00${hexadecimal(character.charCodeAt(0))}`);
}

/** One cell in every terminal, left to right, on its own: ASCII, the letters of three scripts, and the signs that we write ourselves. */
const NARROW = /^[ -~\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}…−×÷]$/u;

/**
 * A printable text for a screen where columns have to hold: what some terminal might draw wider, over its neighbour, or from
 * right to left is escaped as well.
 */
export function narrow(text: string): string {
  if (SIMPLE.test(text)) return text;
  let shown = '';
  for (const character of text) {
    const isNarrow = NARROW.test(character) && cellsOf(character) === 1;
    shown += isNarrow ? character : `\\u{${hexadecimal(character.codePointAt(0)!)}}`;
  }
  return shown;
}

function cellsOf(character: string): number {
  if (MARK.test(character)) return 0;
  return WIDE.test(character) || PICTURE.test(character) ? 2 : 1;
}

/** Columns of a terminal that a printable text takes. */
export function widthOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

/** The beginning of a text that fits into `width` columns, with a mark where it was cut. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let cells = 1;
  for (const character of text) {
    cells += cellsOf(character);
    if (cells > width) break;
    kept += character;
  }
  return `${kept}…`;
}
