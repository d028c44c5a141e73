/** Which of the fleet's policies counts on a machine, and what does not count at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PolicyStatement, sealStatement, type Verify } from '../../../src/fleet/envelope.js';
import { newSigningKey, openSigner, verifier } from '../../../src/fleet/live/signing.js';
import { PolicyKeeper } from '../../../src/fleet/policy-keeper.js';

const { pem, trust } = newSigningKey();
const signer = openSigner(pem);

function sealed(key: string, statement: Partial<PolicyStatement> = {}, sign = signer.sign): string {
  const whole = { version: 1 as const, key, sequence: 1, signedMs: 5, policy: `# ${key}`, next: null, shadow: null };
  return sealStatement({ ...whole, ...statement }, sign);
}

interface Keeping {
  readonly labels?: readonly string[];
  readonly verify?: Verify;
  readonly sequences?: Record<string, number>;
}

function keeper({ labels = ['ci', 'canary'], verify = verifier([trust]), sequences = {} }: Keeping = {}): PolicyKeeper {
  return new PolicyKeeper({ host: 'web-1', labels, verify, sequences });
}

const offer = (to: PolicyKeeper, key: string, revision: number, text = sealed(key)) =>
  to.offer(key, { revision, text });
const codes = ({ refused }: PolicyKeeper) => refused.map(({ key, code }) => `${key} ${code}`);

test('fleet keeper: the most specific key counts: host, then labels in their order, then default', () => {
  const one = keeper();
  assert.deepEqual(one.keys, ['host.web-1', 'label.ci', 'label.canary', 'default']);
  assert.equal(one.policy(), null);
  for (const [revision, key] of ['default', 'label.canary', 'label.ci', 'host.web-1'].entries()) {
    offer(one, key, revision + 1);
    assert.deepEqual(one.policy(), { key, revision: revision + 1, sequence: 1, step: 'policy', text: `# ${key}` });
  }
});

test('fleet keeper: the policy of another host or label is not looked at', () => {
  const one = keeper();
  for (const key of ['host.web-2', 'label.db', 'label.ci.x']) one.offer(key, { revision: 1, text: 'anything' });
  assert.equal(one.policy(), null);
  assert.deepEqual(one.refused, []);
});

test('fleet keeper: a withdrawn policy leaves its place to the less specific one; a deleted one stays', () => {
  const one = keeper();
  offer(one, 'default', 1);
  offer(one, 'host.web-1', 2);
  one.offer('host.web-1', null);
  assert.equal(one.policy()?.key, 'host.web-1');
  offer(one, 'host.web-1', 3, sealed('host.web-1', { sequence: 2, policy: null }));
  assert.equal(one.policy()?.key, 'default');
});

test('fleet keeper: what is forged, cut off or signed by another key is refused by name, and what counted still does', () => {
  const one = keeper();
  offer(one, 'default', 1);
  const stranger = openSigner(newSigningKey().pem);
  offer(one, 'default', 2, sealed('default', { sequence: 9 }, stranger.sign));
  assert.deepEqual(codes(one), ['default ESIGNATURE']);
  offer(one, 'default', 3, sealed('default', { sequence: 9 }).slice(0, -5));
  assert.deepEqual(codes(one), ['default EENVELOPE']);
  const whole = JSON.parse(sealed('default', { sequence: 9 })) as { statement: string; signature: string };
  const changed = { ...whole, statement: whole.statement.replace('# default', '# defaulT') };
  offer(one, 'default', 4, JSON.stringify(changed));
  assert.deepEqual(codes(one), ['default ESIGNATURE']);
  assert.equal(one.policy()?.revision, 1);
  assert.deepEqual(one.sequences, { default: 1 });
  offer(one, 'default', 5, sealed('default', { sequence: 2 }));
  assert.deepEqual(codes(one), []);
});

test('fleet keeper: what was forged and is not there any more is not told any more', () => {
  const one = keeper();
  offer(one, 'default', 1);
  offer(one, 'default', 2, 'forged');
  one.offer('default', null);
  assert.deepEqual(codes(one), []);
  assert.equal(one.policy()?.revision, 1);
});

test('fleet keeper: a signed policy counts at the key that it was signed for, and nowhere else', () => {
  const one = keeper();
  offer(one, 'host.web-1', 1, sealed('default'));
  assert.deepEqual(codes(one), ['host.web-1 EKEY']);
  assert.equal(one.policy(), null);
});

test('fleet keeper: an older signed policy does not come back, in this process or the next', () => {
  const one = keeper();
  offer(one, 'default', 1, sealed('default', { sequence: 7 }));
  offer(one, 'default', 2, sealed('default', { sequence: 6, policy: '# old' }));
  assert.deepEqual(codes(one), ['default EOLDER']);
  assert.equal(one.policy()?.text, '# default');
  const later = keeper({ sequences: one.sequences });
  offer(later, 'default', 2, sealed('default', { sequence: 6, policy: '# old' }));
  assert.equal(later.policy(), null);
  offer(later, 'default', 3, sealed('default', { sequence: 7 }));
  assert.equal(later.policy()?.sequence, 7);
});

test('fleet keeper: a rollout reaches the machines with its label, those of its percent, and nobody else', () => {
  const step = (labels: string[], percent: number) =>
    sealed('default', { next: { policy: '# next', labels, percent } });
  const reached = (labels: string[], percent: number) => {
    const one = keeper();
    offer(one, 'default', 1, step(labels, percent));
    return one.policy()!.step;
  };
  assert.equal(reached([], 0), 'policy');
  assert.equal(reached(['db'], 0), 'policy');
  assert.equal(reached(['db', 'canary'], 0), 'next');
  assert.equal(reached([], 100), 'next');
});

test('fleet keeper: a first rollout leaves the others with what is less specific', () => {
  const one = keeper({ labels: ['ci'] });
  offer(one, 'default', 1);
  offer(
    one,
    'label.ci',
    2,
    sealed('label.ci', { policy: null, next: { policy: '# next', labels: ['canary'], percent: 0 } }),
  );
  assert.equal(one.policy()?.key, 'default');
});

test('fleet keeper: the shadow is that of the most specific key that has one', () => {
  const one = keeper();
  offer(one, 'host.web-1', 1);
  assert.equal(one.shadow(), null);
  offer(one, 'default', 2, sealed('default', { shadow: '# shadow' }));
  assert.deepEqual(one.shadow(), { key: 'default', revision: 2, sequence: 1, text: '# shadow' });
});

test('fleet envelope: what has the wrong form is none, although it is signed', () => {
  const bad: Partial<Record<keyof PolicyStatement, unknown>>[] = [
    { version: 2 },
    { key: 'x' },
    { sequence: 0 },
    { sequence: 1.5 },
    { signedMs: '1' },
    { policy: 3 },
    { shadow: {} },
    { next: { policy: 'x', labels: [], percent: 101 } },
    { next: { policy: 'x', labels: [1], percent: 1 } },
    { next: 'all' },
  ];
  for (const change of bad) {
    const one = keeper();
    offer(one, 'default', 1, sealed('default', change as Partial<PolicyStatement>));
    assert.deepEqual(codes(one), ['default EENVELOPE'], JSON.stringify(change));
  }
});

test('fleet signing: a key that is none is refused', () => {
  for (const text of ['', 'ed25519:', 'ed25519:AAAA', trust.slice(8), `rsa:${trust.slice(8)}`]) {
    assert.throws(() => verifier([text]), RangeError, text);
  }
  assert.throws(() => openSigner('-----BEGIN NOTHING-----'), { code: 'EKEYFILE' });
  assert.equal(signer.trust, trust);
});
