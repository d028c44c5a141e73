// What was asked against what was measured, and how figures are written.
export const isKnown = (value) => value !== null && value !== undefined;
export const round = (value, digits = 2) => (isKnown(value) ? value.toFixed(digits) : '–');
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/**
 * One asked figure: `limit` is the most it may be, or with `atLeast` the least. Null was not measured. What has no unit is a count of what must
 * not be: one that is missed is a fault, whatever the machine.
 */
export function asked(what, value, limit, { atLeast = false, unit = '×' } = {}) {
  const known = isKnown(value) && !Number.isNaN(value);
  const met = known && (atLeast ? value >= limit : value <= limit);
  const wanted = `${atLeast ? '≥' : '≤'} ${limit} ${unit}`;
  const verdict = known ? (met ? 'met' : '**missed**') : 'not measured';
  return {
    cells: [what, wanted, known ? `${round(value)} ${unit}` : '–', verdict],
    isFault: unit === '' && known && !met,
  };
}

/** One of which nothing was asked. */
export const stated = (what, measured) => ({ cells: [what, 'state', measured, '–'], isFault: false });
