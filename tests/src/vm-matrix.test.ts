// What the facts of a guest come to (tests/vm/matrix.mjs): a run in which anything is missing must not count as good.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, resultOf } from '../vm/matrix.mjs';

const STAGE = { fact: 'stage', culprits_left: 0, innocents_lost: 0, kernel_oom_kills: 0, relief_ms: 100 };
const GOOD = [{ fact: 'booted', kernel: '6.1' }, STAGE, { fact: 'check', name: 'kept', ok: true }, { fact: 'ended' }];

const said = (facts: readonly object[]) => complaints(resultOf({ facts, late: false }));

/** The facts of a good run, with one of them otherwise. */
const but = (fact: string, more: object) =>
  GOOD.map((one) => ((one as { fact: string }).fact === fact ? { ...one, ...more } : one));

test('vm: a run is good when the culprit has gone, nobody else has, and every check holds', () => {
  assert.deepEqual(said(GOOD), []);
  assert.deepEqual(said(but('stage', { culprits_left: 1 })), ['the culprit lives']);
  assert.deepEqual(said(but('stage', { innocents_lost: 2 })), ['2 innocent killed']);
  assert.deepEqual(said(but('stage', { kernel_oom_kills: 1 })), ['the kernel killed 1']);
  assert.deepEqual(said(but('check', { ok: false, saw: '0' })), ['kept: 0']);
});

test('vm: a guest that fell silent is no good run, wherever it did', () => {
  assert.match(said([]).join(), /did not boot/);
  assert.match(said(GOOD.slice(0, 1)).join(), /before the scene was over/);
  assert.match(said(GOOD.slice(0, 3)).join(), /at its end/);
  assert.match(said([...GOOD, { fact: 'missed', pattern: 'start' }]).join(), /never said: start/);
});

test('vm: a guest that this machine was too slow for says nothing about anybody', () => {
  const result = resultOf({ facts: [], late: true });
  assert.match(result.missing!, /too busy/);
  assert.deepEqual(complaints(result), []);
});
