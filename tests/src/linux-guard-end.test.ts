// A guard that could not be opened, and one whose loop broke: nothing of it stays in the process.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { isDomainOpen } from '../../src/domains.js';
import { openEngine } from '../../src/engine.js';
import { KeptFile } from '../../src/linux/kept-file.js';
import { openLinuxGuard } from '../../src/linux/open-linux-guard.js';
import { definePolicy, type Policy, type PolicyInput } from '../../src/policy/policy.js';
import { roundOf } from './support/patient-round.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const OWN: PolicyInput = { domain: { descendantsOf: process.pid, budget: 2 ** 40 } };
const descriptors = () => readdirSync('/proc/self/fd').length;

/** Opens and closes one, so that whatever is opened once for all is open; the options of another, with an engine of its own. */
async function accustomed() {
  const engine = () => openEngine({ maxTasks: 1024 });
  const options = { policy: definePolicy(OWN), for: 'library' as const, tell: () => {} };
  await (await openLinuxGuard({ ...options, engine: await engine() })).close();
  return { ...options, engine: await engine() };
}

test('openLinuxGuard: a guard that is refused leaves nothing open, and may be tried again', { skip }, async () => {
  const options = await accustomed();
  const before = descriptors();
  const quiet = {
    name: 'broken',
    wakeUps: () => [],
    describe: () => '',
    nextDelayMs: () => 1000,
    forget() {},
    close() {},
  };
  const broken = { ...quiet, read: () => ({ level: 'none' as const, error: 'EIO' }) };
  const module = {
    module: 'file:///no/such/module.js',
    export: 'points',
    fallback: 'badness',
    deadlineMs: 20,
  } as const;
  const byModule = definePolicy({ ...OWN, scheme: module });
  await assert.rejects(openLinuxGuard({ ...options, policy: byModule }), { code: 'EPLUGIN' });
  // Nearly all is open when the sources are.
  await assert.rejects(openLinuxGuard({ ...options, mostMs: -1 }), { code: 'EPRESSURE' });
  assert.equal(isDomainOpen(options.engine.view, 1), false);
  await assert.rejects(openLinuxGuard({ ...options, sources: [broken] }), { code: 'EPRESSURE' });
  await assert.rejects(openLinuxGuard({ ...options, decisions: { most: 65 } }), RangeError);
  assert.equal(descriptors(), before);
  assert.equal(isDomainOpen(options.engine.view, 1), false);
});

test('openLinuxGuard: an engine has one guard at a time, and another when that is closed', { skip }, async () => {
  const options = { ...(await accustomed()), policy: definePolicy({ domain: 'system' }) };
  const guard = await openLinuxGuard(options);
  for (const domain of ['system', OWN.domain!] as const) {
    const refused = openLinuxGuard({ ...options, policy: definePolicy({ domain }) });
    await assert.rejects(refused, { code: 'EBUSY', message: /of no other guard, .* got one whose guard is open/ });
  }
  await guard.close();
  for (const domain of ['system', OWN.domain!, 'system'] as const) {
    await (await openLinuxGuard({ ...options, policy: definePolicy({ domain }) })).close();
  }
});

test('openLinuxGuard: a guard whose loop broke is closed as any other', { skip }, async () => {
  const options = await accustomed();
  const before = descriptors();
  const onTurn = () => {
    throw new RangeError('broken');
  };
  const guard = await openLinuxGuard({ ...options, onTurn });
  await assert.rejects(guard.run(), /broken/);
  await guard.close();
  assert.equal(descriptors(), before);
  assert.equal(isDomainOpen(options.engine.view, 1), false);
});

test('openLinuxGuard: closed in the middle of a reaction it ends in time, and the round comes to nothing', {
  skip,
  timeout: 20_000,
}, async () => {
  const options = await accustomed();
  const before = descriptors();
  const told: string[] = [];
  const guard = await openLinuxGuard({
    ...options,
    policy: definePolicy({ ...OWN, enforce: true }),
    tell: ({ kind }) => told.push(kind),
  });
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    const react = () => {
      resolve();
      return new Promise<undefined>((end) => {
        answer = () => end(undefined);
      });
    };
    guard.register({ name: 'slow', react });
  });
  void guard.run();
  const round = guard.round();
  await asked;
  await guard.close();
  assert.equal(isDomainOpen(options.engine.view, 1), false);
  answer();
  await assert.rejects(round);
  assert.deepEqual([told, descriptors()], [[], before]);
});

test('openLinuxGuard: a panic is told step by step, and called off when the guard is closed before its end', {
  skip,
  timeout: 20_000,
}, async () => {
  const options = await accustomed();
  const panic = { delayS: 86_400 };
  const states: string[] = [];
  const guard = await openLinuxGuard({
    ...options,
    policy: definePolicy({ ...OWN, enforce: true, reaction: 'panic', noVictim: 'panic', panic }),
    tell: (event) => event.kind === 'panic' && states.push(event.state),
  });
  await roundOf(guard);
  assert.deepEqual(states, ['handing-off', 'waiting']);
  await guard.close();
  assert.deepEqual(states, ['handing-off', 'waiting', 'calm']);
});

test('openLinuxGuard: closed while another policy is read it does not take it, and keeps nothing of it open', {
  skip,
  timeout: 20_000,
}, async () => {
  const options = await accustomed();
  const before = descriptors();
  const guard = await openLinuxGuard(options);
  let read = (_: Policy) => {};
  const reloaded = guard.reload(
    () =>
      new Promise((resolve) => {
        read = resolve;
      }),
  );
  // Twice does no harm.
  await Promise.all([guard.close(), guard.close()]);
  read(definePolicy({ ...OWN, scheme: 'resident' }));
  assert.equal(await reloaded, false);
  assert.match(guard.reloads.lastError!, /stopped/);
  assert.deepEqual([guard.policy.scheme, descriptors()], ['badness', before]);
});

test('kept file: a closed one never answers', { skip }, () => {
  const file = new KeptFile('/proc/self/stat');
  assert.ok(file.read() > 1);
  file.close();
  assert.throws(() => file.read(), /\/proc\/self\/stat is closed/);
});
