// What options and a policy file come to together: the options go over the file, and rules add up.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { guardRequest } from '../../src/cli/guard-options.js';
import { FileTree } from './support/pressure-fixtures.js';

function file(t: TestContext, text: string): string {
  const tree = new FileTree(t, { 'badness.toml': `version = 1\n${text}` });
  return tree.at('badness.toml');
}

const POLICY = `
enforce = true
scheme = "resident"
[thresholds.warn]
available = "30%"
[thresholds.term]
available = "20%"
[[rule]]
comm = "keep"
never = true
`;

test('guard options: a policy file alone is what is in force', async (t) => {
  const { policy } = await guardRequest({ policy: file(t, POLICY) });
  assert.deepEqual([policy.enforce, policy.scheme, policy.domain], [true, 'resident', 'auto']);
  assert.deepEqual(policy.thresholds.warn.available, { percent: 30 });
  assert.equal(policy.rules.length, 1);
});

test('guard options: options go over the file; a warning set for other thresholds goes with them', async (t) => {
  const path = file(t, POLICY);
  const { policy } = await guardRequest({
    policy: path,
    memory: '8,4',
    scheme: 'badness',
    domain: 'system',
    ignore: '^x',
  });
  assert.deepEqual([policy.scheme, policy.domain, policy.enforce], ['badness', 'system', true]);
  const { warn, term, kill } = policy.thresholds;
  assert.deepEqual([warn.available, term.available, kill.available], [{ percent: 12 }, { percent: 8 }, { percent: 4 }]);
  assert.deepEqual(
    policy.rules.map(({ comm, never }) => [comm, never]),
    [
      ['keep', true],
      ['/^x/', true],
    ],
  );
});

test('guard options: of a file with several domains one must be named', async (t) => {
  const path = file(t, '[[domain]]\nof = "system"\n[[domain]]\nof = { memcg = "/a" }\nscheme = "family"\n');
  const several = /--domain must name one of the domains .* \(system, memcg:\/a\), got nothing; a guard watches one/;
  await assert.rejects(guardRequest({ policy: path }), several);
  assert.equal((await guardRequest({ policy: path, domain: 'memcg:/a' })).policy.scheme, 'family');
  await assert.rejects(guardRequest({ policy: path, domain: 'memcg:/b' }), /--domain must name/);
});

test('guard options: the domains of a file are named as the option has them', async (t) => {
  const domains = ['"auto"', '{ numa_node = 1 }', '{ descendants_of = 4711, budget = "4GiB" }'];
  const path = file(t, domains.map((of) => `[[domain]]\nof = ${of}\n`).join(''));
  const message = await guardRequest({ policy: path }).then(String, (error: Error) => error.message);
  const [, names] = /\((.*)\), got nothing/.exec(message)!;
  assert.equal(names, 'auto, node:1, descendants:4711,4GiB');
  for (const domain of names!.split(', ')) assert.ok((await guardRequest({ policy: path, domain })).policy);
});

test('guard options: what is wrong in a file or an expression is a wrong command line', async () => {
  await assert.rejects(guardRequest({ ignore: '(' }), { exit: 2 });
  await assert.rejects(guardRequest({ policy: '/no/such/file' }), { code: 'EPOLICYFILE' });
});

test('guard options: where it listens is what the options say, else the file', async (t) => {
  const text = '[control]\nsocket = "/run/x.sock"\ngroup = "adm"\nself_protect = true\nmode = "0666"\n';
  const path = file(t, text);
  const fromFile = { control: '/run/x.sock', 'control-group': 'adm', 'control-self': true, mode: 0o666 };
  assert.deepEqual((await guardRequest({ policy: path })).control, fromFile);
  assert.equal((await guardRequest({ policy: path, control: 'none' })).control.control, 'none');
  assert.equal((await guardRequest({ policy: file(t, '[control]\nsocket = "off"\n') })).control.control, 'none');
  assert.equal((await guardRequest({ policy: file(t, POLICY) })).control.control, undefined);
});
