/**
 * Stage: none (files). The JSON schema of a policy file, for editors, made from the checks themselves; its words come from
 * the reference in docs/policy.md. It may accept what the parser refuses (what keys mean together), never the other way
 * round.
 */
import type { Form } from './checks.js';
import { control } from './control.js';
import { policyShape } from './policy.js';
import { POLICY_VERSION } from './policy-file.js';
import { DOMAIN_KEYS, FILE_KEYS } from './policy-tables.js';
import { snake } from './spelling.js';

interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: { readonly [key: string]: Schema };
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** A form with the keys of files. */
function respelled(form: Form): Schema {
  const { properties, required, items, anyOf, ...others } = form as Schema & { required?: readonly string[] };
  return {
    ...others,
    ...(anyOf && { anyOf: anyOf.map(respelled) }),
    ...(items && { items: respelled(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, inner]) => [snake(key), respelled(inner)])),
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

/**
 * The key of the reference: a domain's table has the keys of the file, and in `of` those of `domain`; how a share, a size
 * or a module is written in parts is said once for all.
 */
function documentedAs(path: string): string {
  return path
    .replace(/\.(percent|bytes|module|export)$/, '')
    .replace(/^domain\.of\./, 'domain.')
    .replace(/^domain\.(?!(of|memcg|numa_node|descendants_of|registered|budget)$)/, '');
}

function described(schema: Schema, path: string, rows: ReadonlyMap<string, string>): Schema {
  const { properties, items, anyOf, ...others } = schema;
  const description = rows.get(documentedAs(path));
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  return {
    ...(description === undefined ? {} : { description }),
    ...others,
    ...(anyOf && { anyOf: anyOf.map((one) => withoutWords(described(one, path, rows))) }),
    ...(items && { items: withoutWords(described(items, path, rows)) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, inner]) => [key, described(inner, below(key), rows)]),
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
function checkReference(schema: Schema, rows: ReadonlyMap<string, string>): void {
  const keys = new Set(schemaKeys(schema).map(documentedAs));
  const missing = [...keys].filter((key) => !rows.has(key));
  const unknown = [...rows.keys()].filter((key) => !keys.has(key));
  if (missing.length + unknown.length === 0) return;
  throw new RangeError(`the reference must have each key once: missing ${missing}; not there ${unknown}`);
}

function fileSchema(): Schema {
  const keys = Object.entries(policyShape).map(([key, [{ form }]]) => {
    return [key === 'rules' ? 'rule' : snake(key), respelled(form)] as const;
  });
  const known: { [key: string]: Schema } = Object.fromEntries(keys);
  const { anyOf = [] } = known.domain!;
  known.version = { const: POLICY_VERSION };
  known.control = respelled(control.form);
  known.of = { anyOf };
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, known[name]!]));
  const closed = { type: 'object', additionalProperties: false };
  const table = { ...closed, properties: pick(DOMAIN_KEYS), required: ['of'] };
  known.domain = { anyOf: [...anyOf, { type: 'array', items: table, minItems: 1 }] };
  return { ...closed, properties: pick(FILE_KEYS), required: ['version'] };
}

/**
 * The JSON schema (draft 7). `page` is the text of docs/policy.md, whose reference must have every key; without it the
 * schema has no words.
 */
export function policySchema(page?: string): object {
  const schema = fileSchema();
  const head = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'badness policy file' };
  if (page === undefined) return { ...head, ...schema };
  const rows = referenceRows(page);
  checkReference(schema, rows);
  return { ...head, ...described(schema, '', rows) };
}
