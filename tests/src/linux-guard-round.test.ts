// A round of a guard of this machine while its level changes. Nobody is signalled: the reaction does nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../assembly/layout.js';
import { openEngine } from '../../src/engine.js';
import { openLinuxGuard } from '../../src/linux/open-linux-guard.js';
import { definePolicy } from '../../src/policy/policy.js';

const skip = process.platform !== 'linux' && 'needs Linux';

test('linux guard: while a round is under way nobody else chooses in its table', {
  skip,
  timeout: 20_000,
}, async (t) => {
  const engine = await openEngine({ maxTasks: 1024 });
  const domain = { descendantsOf: process.pid, budget: 2 ** 40 };
  let warned = () => {};
  const guard = await openLinuxGuard({
    ...{ policy: definePolicy({ domain, enforce: true }), for: 'library', engine },
    tell: (event) => event.kind === 'level' && event.level === 'warn' && warned(),
  });
  t.after(() => guard.close());
  const snapshots: number[] = [];
  const note = () => snapshots.push(engine.view.getUint32(L.H_SEQUENCE, true));
  const react = async () => {
    note();
    const heard = new Promise<void>((resolve) => {
      warned = resolve;
    });
    guard.report('warn');
    await heard;
    note();
  };
  guard.register({ name: 'idle', react });
  void guard.run();
  await guard.round();
  assert.equal(snapshots.length, 2);
  assert.equal(snapshots[0], snapshots[1]);
});
