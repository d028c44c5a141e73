/** Stage: none (input of a simulation). Spans of time as a person writes them (`250ms`, `10s`, `2min`, `3d`), in milliseconds. */
import { type Check, check, refuse } from '../policy/checks.js';

const UNITS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const WRITTEN = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|min|h|d)$/;

/** Milliseconds, `low` … `high`, both included: an integer, or text such as `250ms`. */
export function span(low: number, high: number): Check<number> {
  const expected = `a span such as '250ms', '10s' (ms, s, min, h, d), or milliseconds ${low}..${high}`;
  const anyOf = [
    { type: 'string', pattern: WRITTEN.source },
    { type: 'integer', minimum: low, maximum: high },
  ];
  return check({ anyOf }, (value, path) => {
    const [, digits, unit] = (typeof value === 'string' && WRITTEN.exec(value)) || [];
    const ms = unit ? Number(digits) * UNITS[unit as keyof typeof UNITS] : value;
    if (Number.isInteger(ms) && (ms as number) >= low && (ms as number) <= high) return ms as number;
    return refuse(path, expected, value, typeof value === 'string' || typeof value === 'number');
  });
}
