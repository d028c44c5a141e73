/** The policy: its defaults, what it refuses and in which words, thresholds, and the shipped never list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commGlob, matchGlob } from '../../src/policy/glob.js';
import { definePolicy, NEVER_DEFAULT, type Policy, type PolicyInput } from '../../src/policy/policy.js';
import fc from './support/fast-check.js';

/** What comes from a file or a careless program, past the compiler. */
const anyhow = (input: unknown): Policy => definePolicy(input as PolicyInput);

function leaves(value: unknown, path = 'policy'): { path: string; value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const below = Object.entries(value).flatMap(([key, one]) => leaves(one, `${path}.${key}`));
  return [{ path, value }, ...below];
}

test('policy: without input it has the stated defaults', () => {
  const percent = (available: number, swapFree: number) => ({
    available: { percent: available },
    swapFree: { percent: swapFree },
  });
  const { never, limits, ...rest } = definePolicy();
  assert.deepEqual(rest, {
    enforce: false,
    domain: 'auto',
    scheme: 'badness',
    parameters: { maxDiscount: 4, age: 'spare-old', adj: 'never-only' },
    thresholds: { warn: percent(15, 100), term: percent(10, 10), kill: percent(5, 5) },
    pressure: { mode: 'any', forMs: 0, psi: null },
    gate: { kind: 'level' },
    reaction: null,
    noVictim: 'none',
    panic: { handOffMs: 5000, delayS: 10, end: { exit: 75 }, allowReboot: false },
    escalation: { rawioMs: 200, termMs: 3000, stuckMs: 10_000 },
    rules: [],
    notify: [],
  });
  assert.deepEqual(never, NEVER_DEFAULT);
  assert.deepEqual(Object.keys(limits), ['warn', 'relieve', 'beforeKill', 'react', 'afterKill']);
});

test('policy: the gate named rate has the four numbers of Linux 2.6.10', () => {
  const numbers = { kind: 'rate', calls: 10, warmUpMs: 1000, windowMs: 5000, cooldownMs: 5000 };
  assert.deepEqual(definePolicy({ gate: 'rate' }).gate, numbers);
  assert.deepEqual(definePolicy({ gate: { kind: 'rate', calls: 3 } }).gate, { ...numbers, calls: 3 });
  assert.deepEqual(definePolicy({ gate: { kind: 'level' } }).gate, { kind: 'level' });
});

test('policy: it is frozen to the last leaf, and shares nothing with its input', () => {
  const never = ['postgres'];
  const command = ['/bin/true'];
  const policy = definePolicy({ never, gate: 'rate', panic: { end: { command } }, domain: { memcg: '/a' } });
  for (const { path, value } of leaves(policy)) assert.ok(Object.isFrozen(value), path);
  never.push('nginx');
  command.push('x');
  assert.deepEqual(policy.never, ['postgres']);
  assert.deepEqual(policy.panic.end, { command: ['/bin/true'] });
});

const INPUTS: PolicyInput[] = [
  {},
  { domain: 'system', enforce: true, reaction: 'none', noVictim: 'panic' },
  { domain: { memcg: '/' } },
  { domain: { memcg: '/user.slice/..a/b c' } },
  { domain: { numaNode: 1 } },
  { domain: { descendantsOf: 1, budget: '4GiB' } },
  { domain: { registered: 'tenants', budget: 1000 } },
  { scheme: { module: 'file:///own.js', export: 'points' }, reaction: { module: 'file:///own.js', export: 'react' } },
  { thresholds: { term: { available: '512MiB' } }, limits: { warn: { eachMs: 1 } }, never: [] },
  { panic: { end: 'reboot', allowReboot: true, delayS: -1 } },
  { panic: { end: { command: ['/usr/bin/logger', '-p', 'crit', ''] } } },
];

test('policy: one that has been defined can be defined again, posted, and read back from JSON, and is the same', () => {
  for (const input of INPUTS) {
    const policy = definePolicy(input);
    assert.deepEqual(definePolicy(policy), policy);
    assert.deepEqual(structuredClone(policy), policy);
    assert.deepEqual(anyhow(JSON.parse(JSON.stringify(policy))), policy);
  }
});

test('policy: a policy for another domain is the same one with that domain', () => {
  const base = definePolicy({ thresholds: { term: { available: '20%' } } });
  const other = definePolicy({ ...base, domain: { memcg: '/build' } });
  assert.deepEqual(other, { ...base, domain: { memcg: '/build' } });
});

test('policy: a budget may be written as a size', () => {
  assert.deepEqual(definePolicy({ domain: { descendantsOf: 7, budget: '1.5KiB' } }).domain, {
    descendantsOf: 7,
    budget: 1536,
  });
});

test('policy: kill follows term at half of it, warn at one and a half times, unless they are given', () => {
  const of = (thresholds: PolicyInput['thresholds']) => definePolicy({ thresholds }).thresholds;
  const available = (level: { available: unknown }) => level.available;
  const twenty = of({ term: { available: '20%' } });
  assert.deepEqual([twenty.warn, twenty.term, twenty.kill].map(available), [
    { percent: 30 },
    { percent: 20 },
    { percent: 10 },
  ]);
  const ninety = of({ term: { available: '90%' } });
  assert.deepEqual(ninety.warn.available, { percent: 100 });
  const bytes = of({ term: { available: '1GiB' }, kill: { available: '100MiB' } });
  assert.deepEqual(bytes.warn.available, { bytes: 1.5 * 2 ** 30 });
  assert.deepEqual(bytes.kill.available, { bytes: 100 * 2 ** 20 });
  // In different units nobody can say which is higher before the total is known.
  assert.ok(of({ term: { available: '1GiB' }, kill: { available: '50%' } }));
});

interface Refused {
  readonly input: unknown;
  readonly error: typeof TypeError;
  readonly says: RegExp;
}

const kind = (input: unknown, says: RegExp): Refused => ({ input, error: TypeError, says });
const value = (input: unknown, says: RegExp): Refused => ({ input, error: RangeError as typeof TypeError, says });

const REFUSED: Refused[] = [
  kind(null, /^policy must be an object with keys enforce, .*, got null$/),
  kind([], /^policy must be an object .* got an array$/),
  kind(new Map(), /^policy must be an object .* got an object$/),
  kind(7, /^policy must be an object .* got 7$/),
  kind({ enforced: true }, /^policy\.enforced is not known; the nearest key is enforce$/),
  kind({ treshold: {} }, /the nearest key is thresholds$/),
  kind({ thresholds: { Term: {} } }, /^policy\.thresholds\.Term is not known; the nearest key is term$/),
  kind({ thresholds: { term: { swap: 1 } } }, /^policy\.thresholds\.term\.swap .* swapFree$/),
  kind(JSON.parse('{"__proto__": 1}'), /^policy\.__proto__ is not known/),
  kind({ ['x'.repeat(100_000)]: 1 }, /^policy\.x{60} is not known/),
  kind({ enforce: 'yes' }, /^policy\.enforce must be true or false, got "yes"$/),
  kind({ enforce: null }, /^policy\.enforce must be true or false, got null$/),
  kind({ never: 'Xorg' }, /^policy\.never must be an array, got "Xorg"$/),
  kind({ never: [1] }, /^policy\.never\[0\] must be a name or pattern of a comm, got 1$/),
  value({ never: ['ok', ''] }, /^policy\.never\[1\] must be a name/),
  value({ never: ['gnome-session-binary'] }, /^policy\.never\[0\] must be at most 15 bytes/),
  value({ scheme: 'linux-2.6.9' }, /^policy\.scheme must be one of .* \(the nearest is linux-2\.6\.10\), got "linux-2/),
  kind({ scheme: { export: 'x' } }, /^policy\.scheme\.export is not known; the nearest key is module$/),
  value({ scheme: { module: './own.js', export: 'x' } }, /^policy\.scheme\.module must be an absolute URL/),
  value(
    { parameters: { maxDiscount: 0 } },
    /^policy\.parameters\.maxDiscount must be an integer 1\.\.2147483648, got 0$/,
  ),
  value({ parameters: { maxDiscount: Number.NaN } }, /got NaN$/),
  kind({ parameters: { maxDiscount: 4n } }, /got 4$/),
  kind({ thresholds: { term: { available: 10 } } }, /^policy\.thresholds\.term\.available must be .*'10%'.* got 10$/),
  value({ thresholds: { term: { available: '101%' } } }, /got "101%"$/),
  value({ thresholds: { term: { available: '10' } } }, /got "10"$/),
  value({ thresholds: { term: { available: '10MB' } } }, /got "10MB"$/),
  value({ thresholds: { term: { available: '-1%' } } }, /got "-1%"$/),
  value({ thresholds: { term: { available: '9999999TiB' } } }, /0\.\.2\^53 bytes/),
  value({ thresholds: { term: { available: { percent: 5, bytes: -5 } } } }, /got -5$/),
  value({ thresholds: { term: { available: { bytes: 0.5 } } } }, /got 0\.5$/),
  value({ thresholds: { term: { available: {} } } }, /got nothing$/),
  value({ thresholds: { term: { available: { percent: Number.POSITIVE_INFINITY } } } }, /got Infinity$/),
  value(
    { thresholds: { kill: { available: '12%' } } },
    /^policy\.thresholds\.term\.available must be at least kill\.available \(12%\), got "10%"$/,
  ),
  value({ thresholds: { warn: { available: '3%' } } }, /^policy\.thresholds\.warn\.available must be at least term/),
  value(
    { thresholds: { term: { swapFree: '1MiB' }, kill: { swapFree: '2MiB' } } },
    /at least kill\.swapFree \(2097152B\)/,
  ),
  value({ gate: 'rated' }, /^policy\.gate must be one of level, rate \(the nearest is rate\), got "rated"$/),
  kind({ gate: { calls: 10 } }, /^policy\.gate\.kind must be one of level, rate, got nothing$/),
  kind({ gate: { kind: 'level', calls: 10 } }, /^policy\.gate\.calls is not known; the nearest key is kind$/),
  value({ gate: { kind: 'rate', calls: 0 } }, /^policy\.gate\.calls must be an integer 1\.\./),
  value({ reaction: 'kil' }, /\(the nearest is kill\)/),
  value({ noVictim: 'kill' }, /^policy\.noVictim must be one of panic, none/),
  value({ domain: 'host' }, /^policy\.domain must be one of auto, system/),
  value(
    { domain: {} },
    /^policy\.domain must be an object with a key memcg or numaNode or descendantsOf or registered/,
  ),
  value({ domain: { memcg: 'user.slice' } }, /^policy\.domain\.memcg must be the absolute path of a cgroup/),
  value({ domain: { memcg: '/a/../b' } }, /^policy\.domain\.memcg/),
  value({ domain: { memcg: '/a//b' } }, /^policy\.domain\.memcg/),
  value({ domain: { memcg: '/a/' } }, /^policy\.domain\.memcg/),
  kind({ domain: { descendantsOf: 5 } }, /^policy\.domain\.budget must be a size .* got nothing$/),
  value({ domain: { descendantsOf: 5, budget: 0 } }, /^policy\.domain\.budget/),
  value({ domain: { descendantsOf: 5, budget: '5%' } }, /^policy\.domain\.budget/),
  value({ domain: { descendantsOf: 0, budget: 1 } }, /^policy\.domain\.descendantsOf must be an integer 1\.\.4194304/),
  kind({ domain: { numaNode: 0, budget: 1 } }, /^policy\.domain\.budget is not known/),
  value({ escalation: { termMs: -1 } }, /^policy\.escalation\.termMs must be an integer 0\.\.3600000, got -1$/),
  value({ escalation: { stuckMs: 29_000 } }, /^policy\.limits\.react\.eachMs must be at least .* \(32000\)/),
  value({ panic: { end: 'reboot' } }, /^policy\.panic\.end must be something else while policy\.panic\.allowReboot/),
  value({ panic: { end: { exit: 256 } } }, /^policy\.panic\.end\.exit must be an integer 0\.\.255, got 256$/),
  value({ panic: { end: { command: [] } } }, /^policy\.panic\.end\.command must be an array of at least 1/),
  value({ panic: { end: { command: ['a\0b'] } } }, /^policy\.panic\.end\.command\[0\] must be an argument without NUL/),
  kind({ panic: { end: { command: 'reboot now' } } }, /^policy\.panic\.end\.command must be an array/),
];

test('policy: what is refused is named by key, expectation, and what came; TypeError for kind, RangeError for value', () => {
  for (const { input, error, says } of REFUSED) {
    assert.throws(
      () => anyhow(input),
      (thrown: unknown) => {
        assert.ok(thrown instanceof Error);
        assert.match(thrown.message, says);
        assert.equal(thrown.constructor, error, thrown.message);
        assert.ok(thrown.message.length < 400, `${thrown.message.length} characters`);
        return true;
      },
    );
  }
});

test('policy: whatever comes in, it is a frozen policy or one of the two errors', () => {
  const keys = fc.constantFrom(...Object.keys(definePolicy()), 'kind', 'available', 'percent', 'memcg', 'budget');
  const anything = fc.dictionary(keys, fc.oneof(fc.anything(), fc.dictionary(keys, fc.anything())));
  fc.assert(
    fc.property(anything, (input) => {
      try {
        const policy = anyhow(input);
        assert.deepEqual(definePolicy(policy), policy);
      } catch (thrown) {
        assert.ok(thrown instanceof TypeError || thrown instanceof RangeError);
        assert.match(thrown.message, /^policy/);
      }
    }),
  );
});

test('policy: the shipped never list spares what takes the session along, and nobody else', () => {
  const spared = (comm: string) => NEVER_DEFAULT.some((glob) => matchGlob(glob, comm));
  const session = ['Xorg', 'Xwayland', 'gnome-shell', 'kwin_wayland', 'sway', 'gnome-session-b', 'systemd-logind'];
  const services = ['systemd', '(sd-pam)', 'sshd', 'sshd-session', 'dbus-daemon', 'dbus-broker', 'dbus-broker-lau'];
  for (const comm of [...session, ...services]) assert.ok(spared(comm), comm);
  for (const comm of ['node', 'chrome', 'Xorg2', 'xsshd', 'systemd-run', 'ssh', '']) assert.ok(!spared(comm), comm);
  for (const glob of NEVER_DEFAULT) assert.equal(commGlob(glob, 'never'), glob);
});

test('policy: of percent and bytes the lower counts, and what stands for one stands for both', () => {
  const both = definePolicy({ thresholds: { term: { available: { percent: 10, bytes: 1000 } } } }).thresholds;
  assert.deepEqual(both.term.available, { percent: 10, bytes: 1000 });
  assert.deepEqual(both.kill.available, { percent: 5, bytes: 500 });
  assert.throws(() => definePolicy({ thresholds: { term: { available: both.kill.available }, kill: both.term } }));
});
