/** One input from another: what hostile writers, broken disks and half-written files make of it. */
import type { Random } from './random.js';

/** Numbers at which parsers break: signs, powers of two, what JavaScript counts exactly, what no machine has. */
const NUMBERS = [
  ...[
    '0',
    '-1',
    '-0',
    '1',
    '00',
    '0x10',
    '1e3',
    '1.5',
    '.5',
    '127',
    '128',
    '255',
    '256',
    '4095',
    '4096',
    '4097',
    '65535',
    '65536',
  ],
  ...[
    '2147483647',
    '2147483648',
    '4294967295',
    '4294967296',
    '4194304',
    '4194305',
    '9007199254740991',
    '9007199254740992',
  ],
  ...[
    '9007199254740993',
    '9223372036854775807',
    '18446744073709551615',
    '18446744073709551616',
    '9'.repeat(40),
    '1'.repeat(400),
  ],
];
/** Bytes that mean something in most formats. */
const BYTES = [...'\0\x01\t\n\r\x1b !"#$%&\'()*+,-./0:;<=>?@A[\\]^_`a{|}~\x7f\x80\xc0\xc3\xe2\xed\xf0\xff'];

type Edit = (random: Random, text: string, words: readonly string[], other: string) => string;

/** A place, and a length that is mostly short. */
function range(random: Random, text: string): [from: number, to: number] {
  const from = random.below(text.length + 1);
  const most = random.below(4) === 0 ? text.length : 8;
  return [from, Math.min(text.length, from + random.below(most + 1))];
}

function replaced(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

/** The line around a place, its end with it. */
function line(random: Random, text: string): [from: number, to: number] {
  const at = random.below(text.length);
  const end = text.indexOf('\n', at);
  return [text.lastIndexOf('\n', at - 1) + 1, end < 0 ? text.length : end + 1];
}

const EDITS: readonly Edit[] = [
  (random, text) => replaced(text, ...range(random, text), ''),
  (random, text, words) => {
    const at = random.below(text.length + 1);
    return replaced(text, at, at, random.of(words));
  },
  (random, text, words) => replaced(text, ...range(random, text), random.of(words)),
  (random, text) => {
    if (text === '') return text;
    const at = random.below(text.length);
    return replaced(text, at, at + 1, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))));
  },
  (random, text) => replaced(text, ...range(random, text), random.of(BYTES)),
  (random, text) => {
    const [from, to] = range(random, text);
    return replaced(text, to, to, text.slice(from, to).repeat(1 + random.below(random.below(8) === 0 ? 200 : 3)));
  },
  (random, text) => replaced(text, ...line(random, text), ''),
  (random, text) => {
    const [from, to] = line(random, text);
    const [, other] = line(random, text);
    return replaced(text, other, other, text.slice(from, to));
  },
  (random, text) => {
    const number = /\d+/g;
    number.lastIndex = random.below(text.length);
    const found = number.exec(text);
    return found ? replaced(text, found.index, number.lastIndex, random.of(NUMBERS)) : text;
  },
  (random, text, _, other) =>
    text.slice(0, random.below(text.length + 1)) + other.slice(random.below(other.length + 1)),
  (random, text, _, other) => {
    const at = random.below(text.length + 1);
    return replaced(text, at, at, other.slice(...line(random, other)));
  },
  (random, text) => text.slice(0, random.below(text.length + 1)),
];

/** One to six edits. `other` is a second input, of which parts come in. */
export function mutate(random: Random, text: string, words: readonly string[], other: string): string {
  let mutated = text;
  const edits = random.below(4) === 0 ? 1 + random.below(6) : 1 + random.below(2);
  for (let times = 0; times < edits; times++) mutated = random.of(EDITS)(random, mutated, words, other);
  return mutated;
}
