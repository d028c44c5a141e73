/** What the machine's own file leaves to the fleet, and what no policy from outside changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitPolicy } from '../../../src/fleet/local-limits.js';
import { definePolicy, type FleetAllowance, parsePolicy } from '../../../src/policy/index.js';

async function limited(remote: string, local = '', allow: readonly FleetAllowance[] = []) {
  const own = await parsePolicy(`version = 1\n${local}`);
  return limitPolicy(await parsePolicy(`version = 1\n${remote}`), { input: own.given.policies[0]!, allow });
}

const LOCAL = '[[rule]]\nexe = "/usr/bin/postgres"\nlocal = "never"\n[[rule]]\ncomm = "cc1"\nnever = true\n';

test('fleet limits: rules that the machine marks local = "never" stand under every policy, and only those', async () => {
  for (const remote of ['', 'rule = []', 'never = []', '[[rule]]\nexe = "/usr/bin/postgres"\nclass = "first"']) {
    const { rules } = definePolicy((await limited(remote, LOCAL)).input);
    assert.deepEqual(rules.at(-1), { exe: '/usr/bin/postgres', never: true, local: 'never' }, remote);
    assert.ok(!rules.some(({ comm }) => comm === 'cc1'));
  }
});

test('fleet limits: a policy that was limited once can be limited again', async () => {
  const { input } = await limited('', LOCAL);
  assert.equal(definePolicy(definePolicy(input)).rules.length, 1);
});

test('fleet limits: enforcement is switched on only where the machine allows it or has it on itself', async () => {
  const held = await limited('enforce = true');
  assert.equal(held.input.enforce, false);
  assert.match(held.notes.join(), /enforce = true is not taken over/);
  for (const [local, allow] of [
    ['', ['enforce']],
    ['enforce = true', []],
  ] as const) {
    const { input, notes } = await limited('enforce = true', local, allow);
    assert.equal(input.enforce, true);
    assert.deepEqual(notes, []);
  }
  assert.notEqual((await limited('', 'enforce = true')).input.enforce, true, 'the fleet may switch it off');
});

const PROGRAMS = [
  'notify = [{ on = "warn", command = ["x"] }]',
  'notify = [{ on = "after_kill", webhook = "http://a/b" }]',
  'scheme = { module = "file:///x.mjs", export = "go" }',
  'scheme = { wasm = "/x.wasm" }',
  'reaction = { module = "file:///x.mjs", export = "go" }',
  'no_victim = { module = "file:///x.mjs", export = "go" }',
  'panic.end = { command = ["reboot"] }',
  'panic.end = "reboot"\npanic.allow_reboot = true',
  'panic.allow_reboot = true',
];

test('fleet limits: no program, address or reboot comes from outside unless the machine allows it', async () => {
  for (const remote of PROGRAMS) {
    await assert.rejects(limited(remote), { code: 'EFORBIDDEN' }, remote);
    await assert.rejects(limited(remote, '', ['enforce']), { code: 'EFORBIDDEN' }, remote);
    await limited(remote, '', ['programs']);
  }
  await limited('notify = [{ on = "warn", desktop = true }]\npanic.end = { exit = 3 }');
});

test("fleet limits: the machine's socket and its fleet are its own", async () => {
  for (const remote of ['control.socket = "off"', '[fleet]\nservers = ["nats://other:4222"]', '[fleet]']) {
    await assert.rejects(limited(remote, '', ['enforce', 'programs']), { code: 'EFORBIDDEN' }, remote);
  }
});

test('fleet limits: the domain is that of the machine, and of several the table that is meant', async () => {
  const { input } = await limited('domain = "auto"', 'domain = { memcg = "/a" }');
  assert.deepEqual(definePolicy(input).domain, { memcg: '/a' });
  const several = '[[domain]]\nof = "system"\nthresholds.term.available = "7%"\n[[domain]]\nof = { memcg = "/a" }\n';
  const found = await limited(several, 'domain = "system"');
  assert.deepEqual(definePolicy(found.input).thresholds.term.available, { percent: 7 });
  await assert.rejects(limited(several, 'domain = { memcg = "/b" }'), { code: 'EDOMAIN' });
});

test('policy rule: local = "never" is an effect by itself, and no other stands beside it', async () => {
  const { policies } = await parsePolicy('version = 1\n[[rule]]\ncomm = "x"\nlocal = "never"');
  assert.deepEqual(policies[0]!.rules, [{ comm: 'x', never: true, local: 'never' }]);
  for (const text of ['local = "never"\nclass = "last"', 'local = "first"', 'local = "never"\ntimes = 2']) {
    await assert.rejects(parsePolicy(`version = 1\n[[rule]]\ncomm = "x"\n${text}`), { code: 'EPOLICY' }, text);
  }
});
