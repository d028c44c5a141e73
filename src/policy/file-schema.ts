/**
 * Stage: none (files). JSON schemas of our files, for editors, made from the checks themselves; their words come from the reference of
 * a page under docs/. They may accept what the parser refuses (what keys mean together), never the other way round.
 */
import type { Form } from './checks.js';
import { snake } from './spelling.js';

export interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: { readonly [key: string]: Schema };
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** A form with the keys of files. */
export function respelledForm(form: Form): Schema {
  const { properties, required, items, anyOf, ...others } = form as Schema & { required?: readonly string[] };
  return {
    ...others,
    ...(anyOf && { anyOf: anyOf.map(respelledForm) }),
    ...(items && { items: respelledForm(items) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, inner]) => [snake(key), respelledForm(inner)]),
      ),
    }),
    ...(required && required.length > 0 && { required: required.map(snake) }),
  };
}

/** Words of the reference by key: `| \`thresholds.term.available\` | \`"10%"\` | what it does |`; — is no default. */
function referenceRows(page: string): Map<string, string> {
  const rows = page.matchAll(/^\| `([a-z][a-z_.]*)` \| (.*?) \| (.*) \|$/gm);
  const words = (text: string, fallback: string) => (fallback === '—' ? text : `${text} Default: ${fallback}.`);
  return new Map([...rows].map(([, key, fallback, text]) => [key!, words(text!, fallback!).replaceAll('`', '')]));
}

/** By which key the reference has a key; the same unless it says some of them once for all. */
export type DocumentedAs = (path: string) => string;

function described(schema: Schema, path: string, rows: ReadonlyMap<string, string>, as: DocumentedAs): Schema {
  const { properties, items, anyOf, ...others } = schema;
  const description = rows.get(as(path));
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  return {
    ...(description === undefined ? {} : { description }),
    ...others,
    ...(anyOf && { anyOf: anyOf.map((one) => withoutWords(described(one, path, rows, as))) }),
    ...(items && { items: withoutWords(described(items, path, rows, as)) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, inner]) => [key, described(inner, below(key), rows, as)]),
      ),
    }),
  };
}

/** Said once, around the alternatives. */
function withoutWords({ description: _, ...schema }: Schema): Schema {
  return schema;
}

/** Every key that holds a value or a list, by its path (`rule.age.older`). */
function schemaKeys(schema: Schema, path = ''): string[] {
  const { properties = {}, items, anyOf = [] } = schema;
  const own = Object.entries(properties).flatMap(([key, inner]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [...(inner.properties ? [] : [at]), ...schemaKeys(inner, at)];
  });
  return [...own, ...[...anyOf, ...(items ? [items] : [])].flatMap((one) => schemaKeys(one, path))];
}

/** Throws RangeError when the reference lacks a key, or has one that there is not. */
function checkReference(schema: Schema, rows: ReadonlyMap<string, string>, as: DocumentedAs): void {
  const keys = new Set(schemaKeys(schema).map(as));
  const missing = [...keys].filter((key) => !rows.has(key));
  const unknown = [...rows.keys()].filter((key) => !keys.has(key));
  if (missing.length + unknown.length === 0) return;
  throw new RangeError(`the reference must have each key once: missing ${missing}; not there ${unknown}`);
}

/**
 * A schema (draft 7) with its head, and with the words of `page`, whose reference must have every key; without a page it has no
 * words. Throws RangeError when the reference lacks a key, or has one that there is not.
 */
export function fileSchema(title: string, schema: Schema, page: string | undefined, as: DocumentedAs): object {
  const head = { $schema: 'http://json-schema.org/draft-07/schema#', title };
  if (page === undefined) return { ...head, ...schema };
  const rows = referenceRows(page);
  checkReference(schema, rows, as);
  return { ...head, ...described(schema, '', rows, as) };
}
