// Stage: report. In: an object with the library's camelCase keys. Out: the same with the snake_case keys of JSON output.

/** A value that JSON can say. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** `{ releasedBy: [{ atMs: 1 }] }` → `{ released_by: [{ at_ms: 1 }] }`. Values stay. */
export function snakeKeys(value: Plain): Plain {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(snakeKeys);
  const entries = Object.entries(value).map(([key, inner]): [string, Plain] => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    snakeKeys(inner),
  ]);
  return Object.fromEntries(entries);
}

// Array.isArray does not narrow a readonly array.
function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
