/** Names of tasks: any bytes survive, and nothing that is printed moves a cursor or ends a line. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cut, narrow, printable, widthOf } from '../../../src/cli/names.js';
import { decodeComm, encodeComm } from '../../../src/comm.js';
import { bytesOf, type Target } from '../target.js';

const WORDS = [
  '\x1b[2J',
  '\x1b]0;x\x07',
  '\xe2\x80\xae',
  '\xc2\x9b',
  '\r',
  '\n',
  '\x7f',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xc3',
  '\\',
  '\xef\xbb\xbf',
];
const SEEDS = ['node', 'a) b', '\xe6\xbc\xa2\xe5\xad\x97', '\xf0\x9f\x98\x80', "'", '\xe2\x80\xa6', 'e\xcc\x81'];
const bytes = fc.uint8Array({ maxLength: 24 }).map((list) => Buffer.from(list).toString('latin1'));

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes that are UTF-8, null for others. */
function strictly(raw: Uint8Array): string | null {
  try {
    return strict.decode(raw);
  } catch {
    return null;
  }
}

export const comm: Target = {
  name: 'comm',
  seeds: SEEDS,
  words: WORDS,
  shaped: bytes,
  most: 64,
  // The kernel's names have 15 bytes; each that is no UTF-8 costs an exception.
  longest: 4096,
  check(input) {
    const raw = Uint8Array.from(bytesOf(input));
    const text = decodeComm(raw);
    const end = raw.indexOf(0);
    const name = end < 0 ? raw : raw.subarray(0, end);
    const plain = strictly(name);
    if (plain !== null) assert.equal(text, plain);
    const back = new Uint8Array(name.length);
    encodeComm(text, back);
    assert.ok(Buffer.from(back).equals(name), 'other bytes came back');
    return `${plain === null} ${text.length}`;
  },
};

/** What a terminal obeys, and what changes the order of what it shows. */
const MOVES = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

export const printed: Target = {
  name: 'printed',
  seeds: SEEDS,
  words: WORDS,
  shaped: bytes,
  most: 256,
  longest: 4096,
  check(input) {
    const name = decodeComm(Uint8Array.from(bytesOf(input)));
    const shown = printable(name);
    if (MOVES.test(shown)) assert.fail(JSON.stringify(shown));
    const tight = narrow(shown);
    if (MOVES.test(tight)) assert.fail(JSON.stringify(tight));
    assert.equal(widthOf(tight), [...tight].length, 'one cell a character');
    for (const width of [1, 5, 16]) assert.ok(widthOf(cut(shown, width)) <= width);
    return shown === name ? 'plain' : `escaped ${Math.min(20, shown.length - name.length)}`;
  },
};
