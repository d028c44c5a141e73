/**
 * Stage: gate. Thresholds: what a person writes (`10%`, `512MiB`, the pair `10,5` of earlyoom's options) comes in, a
 * percentage or a number of bytes goes out, and the question whether a reading has fallen to it.
 */
import { QUANTITY_MAX } from '../../assembly/layout.js';
import { type Check, check, keyed, objectForm, refuse } from './checks.js';

/** A share of a total, 0 … 100 percent, or bytes, 0 … 2^53; with both, the lower counts (as -m beside -M of earlyoom). */
export type Threshold =
  | { readonly percent: number; readonly bytes?: number }
  | { readonly bytes: number; readonly percent?: number };

/** As `10%`, `2.5%`, `512MiB` (B, KiB, MiB, GiB, TiB), or in its final form. */
export type ThresholdInput = Threshold | string;

const WRITTEN = /^(\d{1,16}(?:\.\d{1,9})?)(%|B|[KMGT]iB)$/;
const SIZES = 'BKMGT';
const EXPECTED = `a size such as '512MiB'`;
const bytesForm = (minimum: number) => ({ type: 'integer', minimum, maximum: QUANTITY_MAX });
const writtenForm = { type: 'string', pattern: WRITTEN.source };

function isQuantity(value: unknown, high: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= high;
}

function bytesOf(digits: string, unit: string): number {
  return Math.floor(Number(digits) * 1024 ** SIZES.indexOf(unit[0]!));
}

/** A size: an integer of bytes, 1 … 2^53, or text such as `4GiB`. Fractions of a byte are dropped. */
export const size: Check<number> = check({ anyOf: [writtenForm, bytesForm(1)] }, (value, path) => {
  const found = typeof value === 'string' ? WRITTEN.exec(value) : null;
  const bytes = found && found[2] !== '%' ? bytesOf(found[1]!, found[2]!) : value;
  if (Number.isInteger(bytes) && (bytes as number) > 0 && (bytes as number) <= QUANTITY_MAX) return bytes as number;
  return refuse(path, `${EXPECTED} or bytes 1..2^53`, value, typeof value === 'string' || typeof value === 'number');
});

const shareForm = { type: 'number', minimum: 0, maximum: 100 };
const thresholdForm = { anyOf: [writtenForm, objectForm({ percent: shareForm, bytes: bytesForm(0) })] };

/** Throws TypeError for a bare number (percent or bytes?), RangeError for what is out of range. */
export const threshold: Check<Threshold> = check(thresholdForm, (value, path) => {
  const expected = `a share such as '10%' (0..100) or ${EXPECTED} (0..2^53 bytes)`;
  let given = value;
  if (typeof value === 'string') {
    const [, digits, unit] = WRITTEN.exec(value) ?? refuse(path, expected, value);
    given = unit === '%' ? { percent: Number(digits) } : { bytes: bytesOf(digits!, unit!) };
  }
  if (typeof given !== 'object' || given === null) return refuse(path, expected, value, false);
  const { percent, bytes } = keyed(given, path, ['percent', 'bytes']);
  const goodPercent = percent === undefined || isQuantity(percent, 100);
  const goodBytes = bytes === undefined || (Number.isInteger(bytes) && isQuantity(bytes, QUANTITY_MAX));
  if (!goodPercent || !goodBytes || (percent === undefined && bytes === undefined)) {
    return refuse(path, expected, typeof value === 'string' ? value : goodPercent ? bytes : percent);
  }
  return frozen(percent as number | undefined, bytes as number | undefined);
});

/** Keys that are absent are not there, so that a policy can be compared and printed. */
function frozen(percent: number | undefined, bytes: number | undefined): Threshold {
  const at = { ...(percent === undefined ? {} : { percent }), ...(bytes === undefined ? {} : { bytes }) };
  return Object.freeze(at as Threshold);
}

/** A size in the largest unit that it is a multiple of, which `size` and `threshold` read back. */
export function showSize(bytes: number): string {
  const unit = [...SIZES].findLastIndex((_, power) => bytes > 0 && bytes % 1024 ** power === 0);
  return unit <= 0 ? `${bytes}B` : `${bytes / 1024 ** unit}${SIZES[unit]}iB`;
}

/** Text that `threshold` reads back, where there is one number only. */
export function showThreshold({ percent, bytes }: Threshold): string {
  const share = percent === undefined ? [] : [`${percent}%`];
  return [...share, ...(bytes === undefined ? [] : [`${bytes}B`])].join(' or, if lower, ');
}

/** The same kind of threshold, `factor` times as high; a share stays at most 100 %. */
export function scaled({ percent, bytes }: Threshold, factor: number): Threshold {
  return frozen(
    percent === undefined ? undefined : Math.min(percent * factor, 100),
    bytes === undefined ? undefined : Math.min(Math.floor(bytes * factor), QUANTITY_MAX),
  );
}

/** The threshold in the unit of `total`, of which `unitBytes` bytes are one. */
export function boundOf({ percent = 100, bytes = Number.POSITIVE_INFINITY }: Threshold, total: number, unitBytes = 1) {
  return Math.min((percent * total) / 100, bytes / unitBytes);
}

/**
 * True when `left` of `total` bytes has fallen to the threshold or below it. Of a total of 0 everything is used up: a
 * machine without swap has no swap left, however the threshold is written.
 */
export function fallenTo(at: Threshold, left: number, total: number): boolean {
  return left <= boundOf(at, total);
}

/** When to ask (SIGTERM) and when to force (SIGKILL). */
export interface ThresholdPair {
  readonly term: Threshold;
  readonly kill: Threshold;
}

const NUMBER = '(\\d{1,10}(?:\\.\\d{1,9})?)';
const PAIR = new RegExp(`^${NUMBER}(?:,${NUMBER})?$`);
const INT32_MAX = 2 ** 31 - 1;

/**
 * Reads `TERM[,KILL]` as earlyoom's -m, -s (percent, 0 … 100) and -M, -S (KiB, 0 … 2^31 − 1) take it: KILL is half of
 * TERM when left out, TERM is raised to KILL when lower, and they cannot both be 0. Throws RangeError.
 */
export function parseThresholdPair(written: string, unit: 'percent' | 'kib', name = 'threshold'): ThresholdPair {
  const high = unit === 'percent' ? 100 : INT32_MAX;
  const found = PAIR.exec(written);
  const term = Number(found?.[1]);
  const kill = found?.[2] === undefined ? term / 2 : Number(found[2]);
  if (!(Math.max(term, kill) > 0 && Math.max(term, kill) <= high)) {
    return refuse(name, `TERM[,KILL], each 0..${high} and not both 0`, written);
  }
  const final = (value: number): Threshold =>
    Object.freeze(unit === 'percent' ? { percent: value } : { bytes: Math.floor(value * 1024) });
  return Object.freeze({ term: final(Math.max(term, kill)), kill: final(kill) });
}
