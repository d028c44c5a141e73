/** Stage: none (files). Values of a policy as TOML has them, in the form a person would write. */
import { isPlain } from './checks.js';
import { showDuration } from './duration.js';
import { snake } from './spelling.js';
import { showSize, type Threshold, threshold } from './threshold.js';

const THRESHOLDS = ['available', 'swapFree', 'least', 'more', 'less'];
const SIZES = ['budget', 'plus', 'minus'];
const DURATIONS = ['older', 'younger'];
const WIDTH = 100;

/** Text as a basic string of TOML, on one line, without anything that a terminal obeys. Throws RangeError for what no TOML can hold: half a character. */
export function tomlString(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new RangeError(`TOML holds whole characters only, got ${JSON.stringify(text)}`);
  // What TOML wants escaped JSON escapes in the same way, but for DEL; what a terminal obeys or hides is escaped as well.
  return JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** `10%` or `512MiB`, where that is read back as the same. */
function thresholdText(at: Threshold): string | null {
  if (at.percent !== undefined && at.bytes !== undefined) return null;
  const text = at.bytes === undefined ? `${at.percent}%` : showSize(at.bytes);
  try {
    const back = threshold(text, '');
    return back.percent === at.percent && back.bytes === at.bytes ? text : null;
  } catch {
    // More digits than people write.
    return null;
  }
}

/** A number, which is written as a size or span under a key that holds one. */
function numberText(key: string, value: number): string {
  if (SIZES.includes(key)) return tomlString(showSize(value));
  if (DURATIONS.includes(key)) return tomlString(showDuration(value));
  // As integers TOML's reader takes only those that JavaScript counts exactly beyond themselves, too.
  return value > Number.MAX_SAFE_INTEGER ? `${value}.0` : String(value);
}

function inlineTable(value: object): string {
  // What is null is left out, which is what null means.
  const said = Object.entries(value).filter(([, inner]) => inner !== null);
  const pairs = said.map(([key, inner]) => `${snake(key)} = ${tomlValue(key, inner)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** One line, or several where it would be a long one. */
function arrayText(key: string, items: readonly unknown[]): string {
  const texts = items.map((item) => tomlValue(key, item));
  const single = `[${texts.join(', ')}]`;
  if (single.length <= WIDTH) return single;
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length + 2 <= WIDTH) lines[lines.length - 1] = `${last} ${text},`;
    else lines.push(`  ${text},`);
  }
  return `[\n${lines.join('\n')}\n]`;
}

/** The value of a key, whose name says what a number under it means. Throws RangeError for what TOML cannot hold. */
export function tomlValue(key: string, value: unknown): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'number') return numberText(key, value);
  if (Array.isArray(value)) return arrayText(key, value);
  if (!isPlain(value)) return String(value);
  const text = THRESHOLDS.includes(key) ? thresholdText(value as unknown as Threshold) : null;
  return text === null ? inlineTable(value) : tomlString(text);
}
