/** Stage: selection. Spans of time as a person writes them (`90s`, `10min`, `2h`, `7d`), in seconds. */
import { type Check, check, refuse } from './checks.js';

const UNITS = { s: 1, min: 60, h: 3600, d: 86_400 } as const;
const WRITTEN = /^(\d{1,10})(s|min|h|d)$/;
const SECONDS_MAX = 2 ** 31 - 1;

/** Seconds, 0 … 2^31 − 1: an integer, or text such as `10min`. */
export const duration: Check<number> = check(
  {
    anyOf: [
      { type: 'string', pattern: WRITTEN.source },
      { type: 'integer', minimum: 0, maximum: SECONDS_MAX },
    ],
  },
  (value, path) => {
    const [, digits, unit] = (typeof value === 'string' && WRITTEN.exec(value)) || [];
    const seconds = unit ? Number(digits) * UNITS[unit as keyof typeof UNITS] : value;
    if (Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= SECONDS_MAX) {
      return seconds as number;
    }
    const isKind = typeof value === 'string' || typeof value === 'number';
    return refuse(path, `a span such as '10min' (s, min, h, d), or seconds 0..${SECONDS_MAX}`, value, isKind);
  },
);

/** Text that `duration` reads back, in the largest unit that it is a multiple of. */
export function showDuration(seconds: number): string {
  const units = Object.entries(UNITS).filter(([, of]) => seconds > 0 && seconds % of === 0);
  const [unit, of] = units.at(-1) ?? ['s', 1];
  return `${seconds / of}${unit}`;
}
