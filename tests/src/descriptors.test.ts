// What is asked once, and again, in a program that goes on: it keeps no descriptor open.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openEngine } from '../../src/engine.js';
import { viewByPolicy } from '../../src/linux/policy-view.js';
import { rankedPids } from '../../src/linux/ranked-pids.js';
import { definePolicy } from '../../src/policy/policy.js';

const skip = process.platform !== 'linux' && 'needs Linux';
const policy = definePolicy({ domain: 'system' });
const ruled = definePolicy({ domain: 'system', rules: [{ comm: 'x', never: true }] });

test('descriptors: a ranking and a look by a policy leave none open, nor does one that is refused', {
  skip,
}, async () => {
  const engine = await openEngine({ maxTasks: 4096 });
  const ask = async () => {
    rankedPids(engine, { policy });
    assert.throws(() => rankedPids(engine, { policy: ruled }), TypeError);
    await viewByPolicy(engine, policy);
  };
  await ask();
  const before = readdirSync('/proc/self/fd');
  await ask();
  assert.deepEqual(readdirSync('/proc/self/fd'), before);
});
