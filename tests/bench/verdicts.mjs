// What was asked against what was measured, and how figures are written.
export const isKnown = (value) => value !== null && value !== undefined;
export const round = (value, digits = 2) => (isKnown(value) ? value.toFixed(digits) : '–');
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** One asked figure: `limit` is the most it may be, or with `atLeast` the least. Null was not measured. */
export function asked(what, value, limit, { atLeast = false, unit = '×' } = {}) {
  const known = isKnown(value) && !Number.isNaN(value);
  const met = known && (atLeast ? value >= limit : value <= limit);
  const wanted = `${atLeast ? '≥' : '≤'} ${limit} ${unit}`;
  return [what, wanted, known ? `${round(value)} ${unit}` : '–', known ? (met ? 'met' : '**missed**') : 'not measured'];
}
