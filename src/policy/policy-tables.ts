/**
 * Stage: none (files). The tables of a policy file: which keys each may have, their spelling, and what a domain says over
 * what the file says. What the keys may hold is not looked at here.
 */
import { isPlain, nearest } from './checks.js';
import { policyShape } from './policy.js';
import type { Problems } from './policy-problems.js';
import { camel, filePath, snake } from './spelling.js';

export type Table = { readonly [key: string]: unknown };

/** The keys of a file, in the spelling of files. */
export const FILE_KEYS: readonly string[] = [
  'version',
  ...Object.keys(policyShape).map((key) => filePath(`policy.${key}`)),
  'control',
  'fleet',
];

/** Those of a `[[domain]]`, which says in `of` what it is. */
export const DOMAIN_KEYS: readonly string[] = [
  'of',
  ...FILE_KEYS.filter((key) => !['version', 'control', 'fleet', 'domain'].includes(key)),
];

const SHOWN_MAX = 120;
const WELL_SPELLED = /^[a-z0-9]+(_[a-z0-9]+)*$/;

function below(path: string, key: string): string {
  return (path === '' ? key : `${path}.${key}`).slice(0, SHOWN_MAX);
}

/** Keys in the spelling of definePolicy, all the way down. One that is spelled so already is not one of a file. */
export function respelled(value: unknown, path: string, problems: Problems): unknown {
  if (Array.isArray(value)) return value.map((item, index) => respelled(item, `${path}[${index}]`, problems));
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (WELL_SPELLED.test(key)) return [[camel(key), respelled(inner, below(path, key), problems)]];
    problems.add(below(path, key), `is not known; keys have small letters and _, such as ${snake('maxDiscount')}`);
    return [];
  });
  return Object.fromEntries(entries);
}

/** The key that was meant: one of these, or one of a table that stands among them. */
function meant(key: string, keys: readonly string[]): string {
  const tables = Object.entries(policyShape).map(
    ([table, [{ form }]]) => [snake(table), form.properties ?? {}] as const,
  );
  const found = tables.find(([table, inner]) => keys.includes(table) && Object.hasOwn(inner, camel(key)));
  return found ? `${found[0]}.${key}` : nearest(key, keys);
}

/** The keys of a table that it may have, in the spelling of definePolicy; the others are noted. */
export function knownKeys(value: Table, path: string, keys: readonly string[], problems: Problems): Table {
  const known: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (keys.includes(key)) known[key === 'rule' ? 'rules' : camel(key)] = respelled(inner, below(path, key), problems);
    else problems.add(below(path, key), `is not known; the nearest key is ${meant(key, keys)}`);
  }
  return known;
}

/** Tables of which a domain may say a part, and how deep they are. Anything else it says stands for the whole. */
const DEPTHS = { parameters: 1, thresholds: 2, pressure: 2, panic: 1, escalation: 1, limits: 2 } as const;

function mergedValue(base: unknown, own: unknown, depth: number): unknown {
  return depth > 0 && isPlain(base) && isPlain(own) ? mergedTable(base, own, () => depth - 1) : own;
}

function mergedTable(base: Table, own: Table, depthOf: (key: string) => number): Table {
  const over = Object.entries(own).map(([key, value]) => [key, mergedValue(base[key], value, depthOf(key))]);
  return { ...base, ...Object.fromEntries(over) };
}

/** What a domain says over what the file says for all of them. */
export function merged(base: Table, own: Table): Table {
  return mergedTable(base, own, (key) => (Object.hasOwn(DEPTHS, key) ? DEPTHS[key as keyof typeof DEPTHS] : 0));
}
