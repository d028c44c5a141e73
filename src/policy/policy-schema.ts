/** Stage: none (files). The JSON schema of a policy file, for editors; its words come from the reference in docs/policy.md. */
import { control } from './control.js';
import { fileSchema, respelledForm, type Schema } from './file-schema.js';
import { fleet } from './fleet-settings.js';
import { policyShape } from './policy.js';
import { POLICY_VERSION } from './policy-file.js';
import { DOMAIN_KEYS, FILE_KEYS } from './policy-tables.js';
import { snake } from './spelling.js';

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

function tables(): Schema {
  const keys = Object.entries(policyShape).map(([key, [{ form }]]) => {
    return [key === 'rules' ? 'rule' : snake(key), respelledForm(form)] as const;
  });
  const known: { [key: string]: Schema } = Object.fromEntries(keys);
  const { anyOf = [] } = known.domain!;
  known.version = { const: POLICY_VERSION };
  known.control = respelledForm(control.form);
  known.fleet = respelledForm(fleet.form);
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
  return fileSchema('badness policy file', tables(), page, documentedAs);
}
