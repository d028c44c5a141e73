/** Stage: bytes of /proc. The words of a statement of a recording, and how one that cannot be understood is refused. */
import { BadnessError } from '../errors.js';
import { readSpelled } from './spelling.js';

const PATH_MOST = 4096;
/** Parts that are neither empty nor `.` nor `..`. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/;
/** Nearly all: such parts of printable ASCII without escapes. */
const USUAL_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[!-.0-[\]-~]+)+$/;
const SHOWN_MOST = 60;

/** Code `ERECORDING`. */
export function refuse(line: number, words: string): never {
  throw new BadnessError('ERECORDING', `line ${line}: ${words}`);
}

export function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_MOST ? `${text.slice(0, SHOWN_MOST)}…` : text);
}

/** An integer 0 … `most`. */
export function number(what: string, text: string | undefined, line: number, most = 2 ** 53): number {
  const value = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (value <= most) return value;
  return refuse(line, `${what}: expected an integer 0..${most}, got ${shown(text ?? 'nothing')}`);
}

/** The byte string of an escaped word. */
export function wordOf(text: string, line: number): string {
  const read = readSpelled(text);
  if (read === null || read.open)
    return refuse(line, `expected \\\\, \\t, \\- or \\xNN after a backslash, got ${shown(text)}`);
  return read.bytes;
}

/** An absolute path without detours, so that nobody who writes it somewhere leaves that place. */
export function pathOf(text: string, line: number): string {
  if (text.length <= PATH_MOST && USUAL_PATH.test(text)) return text;
  const path = wordOf(text, line);
  if (path.length <= PATH_MOST && PLAIN_PATH.test(path) && !path.includes('\0')) return path;
  return refuse(line, `expected an absolute path of at most ${PATH_MOST} bytes without // and .., got ${shown(text)}`);
}
