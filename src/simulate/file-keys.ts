/** Stage: none (files). The tables of scenario and case files: every key is looked at by itself, so that one error does not hide the others. */
import { type Check, isPlain, keyed } from '../policy/checks.js';
import type { Problems } from '../policy/policy-problems.js';
import type { Table } from '../policy/policy-tables.js';

/** Checks by key; a table, or a list of tables, has a shape of its own. */
export interface KeyShape {
  readonly [key: string]: readonly [check: Check<unknown>, fallback?: unknown];
}

/** Notes what is wrong with each key of a table, found at `path`. `within`: the shapes of those that are tables or lists of them. */
export async function checkKeys(
  table: Table,
  path: string,
  shape: KeyShape,
  within: { readonly [key: string]: KeyShape },
  problems: Problems,
): Promise<void> {
  for (const [key, value] of Object.entries(table)) {
    const at = `${path}.${key}`;
    const inner = Object.hasOwn(within, key) ? within[key] : undefined;
    if (!Object.hasOwn(shape, key)) await problems.attempt(() => keyed({ [key]: value }, path, Object.keys(shape)));
    else if (inner && isPlain(value)) await checkKeys(value, at, inner, {}, problems);
    else if (inner && Array.isArray(value) && value.every(isPlain)) {
      for (const [index, one] of value.entries()) await checkKeys(one, `${at}[${index}]`, inner, within, problems);
    } else await problems.attempt(() => shape[key]![0](value, at));
  }
}
