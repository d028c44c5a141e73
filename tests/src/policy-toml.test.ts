/** Policies as text: what is shown is read back as the same, and what the file did not say is marked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definePolicy, type PolicyFile, type PolicyInput, parsePolicy, policyToToml } from '../../src/policy/index.js';
import fc, { RUNS, SEED } from './support/fast-check.js';
import { policyInputs } from './support/policies.js';

const FLEET = {
  ...{
    servers: ['nats://127.0.0.1:4222'],
    host: 'a "b"',
    labels: ['ci', 'canary'],
    trust: [],
    allow: ['enforce'] as const,
  },
  ...{ credentials: '/etc/x.creds', tlsCa: null, tlsCert: null, tlsKey: null, folder: null, spoolMib: 3 },
};
const CONTROL = { socket: '/run/"x"', mode: '0660', group: 'adm', selfProtect: true };

/** A file as the parser would have made it of these. */
function fileOf(inputs: readonly PolicyInput[]): PolicyFile {
  return {
    policies: inputs.map(definePolicy),
    control: CONTROL,
    fleet: FLEET,
    given: { policies: inputs, control: CONTROL, fleet: FLEET },
  };
}

test('policy text: what is shown of a random policy passes the check and gives the same policy, whole or in short', async (t) => {
  const numRuns = RUNS * 2;
  await fc.assert(
    fc.asyncProperty(policyInputs, fc.boolean(), async (input, effective) => {
      const file = fileOf([input]);
      const back = await parsePolicy(policyToToml(file, { effective }));
      assert.deepEqual(back.policies, file.policies);
      assert.deepEqual(back.control, CONTROL);
      assert.deepEqual(back.fleet, FLEET);
    }),
    { seed: SEED, numRuns },
  );
  t.diagnostic(`seed ${SEED}: ${numRuns} policies`);
});

test('policy text: the same for several domains', async () => {
  await fc.assert(
    fc.asyncProperty(policyInputs, policyInputs, fc.boolean(), async (one, other, effective) => {
      const file = fileOf([
        { ...one, domain: { numaNode: 1 } },
        { ...other, domain: 'system' },
      ]);
      const back = await parsePolicy(policyToToml(file, { effective }));
      assert.deepEqual(back.policies, file.policies);
    }),
    { seed: SEED, numRuns: Math.ceil(RUNS / 4) },
  );
});

test('policy text: what the file does not say is marked as a default, what it says is not', async () => {
  const file = await parsePolicy('version = 1\nenforce = true\nthresholds.term.available = "20%"\ngate = "rate"\n');
  const shown = policyToToml(file, { effective: true }).split('\n');
  for (const line of ['enforce = true', 'term.available = "20%"', 'kind = "rate"'])
    assert.ok(shown.includes(line), line);
  for (const line of ['warn.available = "30%"', 'scheme = "badness"', 'calls = 10', 'socket = "auto"', 'rule = []']) {
    assert.ok(shown.includes(`${line}  # default`), line);
  }
  assert.ok(
    shown.some((line) => line.includes('"sshd*"')),
    'the shipped never list is visible',
  );
});

test('policy text: in short it has what the file says, and nothing else', async () => {
  const text =
    'version = 1\nnever = ["a"]\n\n[thresholds]\nterm.available = "20%"\n\n[[rule]]\ncomm = "x"\nplus = "200MiB"\n';
  assert.equal(policyToToml(await parsePolicy(text)), text);
});

test('policy text: a table that is there and empty stays there', async () => {
  const text = 'version = 1\n\n[pressure]\npsi = {}\n';
  const file = await parsePolicy(text);
  assert.notEqual(file.policies[0]!.pressure.psi, null);
  assert.equal(policyToToml(file), text);
});

test('policy text: what TOML wants escaped is escaped', async () => {
  const never = ['"\\', 'a\tb', '\x7f\x01'];
  const text = policyToToml(fileOf([{ never }]));
  assert.match(text, /^never = \["\\"\\\\", "a\\tb", "\\u007f\\u0001"\]$/m);
  assert.deepEqual((await parsePolicy(text)).policies[0]!.never, never);
});

test('policy text: half a character is refused, for no TOML can hold it', () => {
  assert.throws(() => policyToToml(fileOf([{ never: ['\udc80*'] }])), /^RangeError: TOML holds whole characters only/);
});
