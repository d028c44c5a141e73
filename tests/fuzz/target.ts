/** What is fuzzed: a parser with its oracle. Inputs are byte strings, one character a byte (U+0000 … U+00FF), whatever the parser takes. */
import type fc from 'fast-check';
import { BadnessError } from '../../src/errors.js';

export interface Target {
  readonly name: string;
  /** Inputs that are right; what is mutated. */
  readonly seeds: readonly string[];
  /** What the format is made of: mutations put these into inputs. */
  readonly words: readonly string[];
  /** Inputs that have the structure of the format, right or wrong. */
  readonly shaped?: fc.Arbitrary<string>;
  /** Longest input of a campaign, characters. Default 4,096. */
  readonly most?: number;
  /** Sizes for the check of time: what is longer is refused unread by the parser, or takes too much time for a file of its kind. Default 1 MiB. */
  readonly longest?: number;
  /**
   * Throws where the parser is wrong. Returns what kind of answer it gave: an input with an answer that was not seen before is
   * mutated further.
   */
  check(input: string): string | number | Promise<string | number>;
}

/** The shape of a refusal, without what it quotes. Whatever is none of the documented refusals is thrown again. */
export function refusal(error: unknown, ...codes: readonly string[]): string {
  if (!(error instanceof BadnessError) || !codes.includes(error.code)) throw error;
  const [first = ''] = error.message.split('\n', 1);
  return `${error.code} ${shapeOf(first)}`;
}

/** As `refusal`, for a RangeError. A TypeError is what a slip in the code throws, and is never one. */
export function rangeRefusal(error: unknown): string {
  if (!(error instanceof RangeError) || error.message === 'Maximum call stack size exceeded') throw error;
  return `RangeError ${shapeOf(error.message)}`;
}

/** A message without numbers and quotations. */
export function shapeOf(message: string): string {
  return message
    .slice(0, 200)
    .replace(/"(?:[^"\\]|\\.)*"?/g, '""')
    .replace(/[0-9]+/g, '0')
    .slice(0, 60);
}

/** The bytes of an input. */
export const bytesOf = (input: string): Buffer<ArrayBuffer> => Buffer.from(input, 'latin1');

/** The input as a text in UTF-8; what is none becomes U+FFFD. */
export const textOf = (input: string): string => bytesOf(input).toString('utf8');

/** A text as an input. */
export const inputOf = (text: string): string => Buffer.from(text).toString('latin1');
