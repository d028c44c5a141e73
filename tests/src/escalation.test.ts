// TERM → KILL → stuck, by time, and sooner in a hurry.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ESCALATION_START, stepEscalation } from '../../src/guard/escalation.js';
import { killTask } from '../../src/linux/kill.js';
import { FakeKillSystem } from './fake-kill-system.js';

test('escalation: one phase a call, so a late caller still gives stuckMs after SIGKILL', () => {
  const plan = { signal: 'SIGTERM' as const, rawio: false, hurry: false, termMs: 3000, rawioMs: 200, stuckMs: 10_000 };
  const term = stepEscalation(ESCALATION_START, 0, plan);
  assert.equal(stepEscalation(term, 2999, plan), term);
  const killed = stepEscalation(term, 60_000, plan);
  assert.deepEqual(killed, { phase: 'kill', sinceMs: 60_000, nextMs: 70_000 });
  assert.equal(stepEscalation(killed, 69_999, plan).phase, 'kill');
  const stuck = stepEscalation(killed, 70_000, plan);
  assert.equal(stuck.phase, 'stuck');
  assert.equal(stepEscalation(stuck, 1e12, plan), stuck);
});

for (const [rawio, atMs] of [
  [false, 50],
  [true, 200],
] as const) {
  test(`escalation: in a hurry SIGKILL follows SIGTERM after ${atMs} ms${rawio ? ' for a holder of RAWIO' : ''}`, async () => {
    const system = new FakeKillSystem({ 100: { rawio, dies: { SIGKILL: 5 } } });
    const hurry = new AbortController();
    system.onWait = () => {
      if (hurry.signal.aborted) return;
      system.nowMs += 50;
      hurry.abort();
    };
    const { signals, outcome } = await killTask({ pid: 100 }, { system, hurry: hurry.signal });
    assert.equal(outcome, 'released');
    const sent = signals.map((one) => [one.signal, one.atMs]);
    assert.deepEqual(sent, [
      ['SIGTERM', 0],
      ['SIGKILL', atMs],
    ]);
  });
}
