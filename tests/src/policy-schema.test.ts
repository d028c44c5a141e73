/** The JSON schema accepts what the parser accepts, and refuses what is no key; docs/policy.md has every key. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'smol-toml';
import { definePolicy, type PolicyInput, parsePolicy, policySchema, policyToToml } from '../../src/policy/index.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { policyInputs } from './support/policies.js';

const page = readFileSync('docs/policy.md', 'utf8');
const schema = policySchema(page);
const accepts = new Ajv({ allErrors: true }).compile(schema);

const textOf = (input: PolicyInput, effective: boolean) =>
  policyToToml(
    {
      policies: [definePolicy(input)],
      control: { socket: 'off', mode: '0600', group: 'adm', selfProtect: false },
      given: { policies: [input], control: { socket: 'off', group: 'adm' } },
    },
    { effective },
  );

test('policy schema: it accepts what the parser accepts', () => {
  fc.assert(
    fc.property(policyInputs, fc.boolean(), (input, effective) => {
      assert.ok(accepts(parse(textOf(input, effective))), JSON.stringify(accepts.errors));
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

const GOOD = [
  'version = 1',
  'version = 1\n[[domain]]\nof = "system"\n[[domain]]\nof = { memcg = "/a" }\nthresholds.term.available = "1GiB"\nrule = []',
  'version = 1\ngate = "rate"\nscheme = { module = "file:///x.js", export = "go" }\n',
  'version = 1\n[[rule]]\ncomm = "x"\nlocal = "never"\n[fleet]\nservers = ["tls://a:1"]\nallow = ["programs"]\nspool_mib = 1',
  'version = 1\n[[rule]]\nuser = 5\ntimes = 3\n[[rule]]\ncomm = "/x/"\nage.older = "10min"\nplus = "1KiB"\nleast = "5%"',
];

test('policy schema: samples of everything that a file can have', async () => {
  const samples = [...page.matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  assert.equal(samples.length, 2);
  for (const text of [...GOOD, ...samples]) {
    await parsePolicy(text);
    assert.ok(accepts(parse(text)), `${text}: ${JSON.stringify(accepts.errors)}`);
  }
});

const BAD = [
  'enforce = true',
  'version = 2',
  'version = 1\nenforc = true',
  'version = 1\nparameters.maxDiscount = 4',
  'version = 1\nparameters.age = "young"',
  'version = 1\n[[rule]]\ncom = "x"',
  'version = 1\n[[domain]]\nenforce = true',
  'version = 1\n[[domain]]\nof = "system"\ncontrol.mode = "0600"',
  'version = 1\n[[notify]]\ndesktop = true',
];

test('policy schema: unknown keys, missing ones and values of another kind are refused', async () => {
  for (const text of BAD) {
    await assert.rejects(parsePolicy(text), text);
    assert.equal(accepts(parse(text)), false, text);
  }
});

test('policy schema: what is published is what the code and the page say', () => {
  assert.deepEqual(JSON.parse(readFileSync('dist/badness.schema.json', 'utf8')), JSON.parse(JSON.stringify(schema)));
});

test('docs: policy.md has every key that a policy file can have, and no other', () => {
  policySchema(page);
  assert.throws(
    () => policySchema(page.replace('| `rule.exe` |', '| `rule.ex` |')),
    /missing rule\.exe; not there rule\.ex$/,
  );
});

test('docs: the defaults in policy.md are those of the code', async () => {
  const rows = [...page.matchAll(/^\| `([a-z][a-z_.]*)` \| `(.*?)` \|/gm)];
  const shown = policyToToml(await parsePolicy('version = 1\n[fleet]'), { effective: true });
  let table = '';
  const defaults = new Map<string, string>();
  for (const line of shown.split('\n')) {
    table = /^\[(\w+)\]$/.exec(line)?.[1] ?? table;
    const [, key, value] = /^([\w.]+) = (.*) {2}# default$/.exec(line) ?? [];
    if (key) defaults.set(table === '' ? key : `${table}.${key}`, value!);
  }
  for (const [, key, value] of rows) assert.equal(value, defaults.get(key!), key);
  const undocumented = [...defaults.keys()].filter((key) => !rows.some(([, row]) => row === key));
  assert.deepEqual(undocumented, []);
});
