// The scanner lists only when something was forked: nobody may be missed for that.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { C_ID } from '../../assembly/layout.js';
import { type Engine, openEngine } from '../../src/engine.js';
import { ProcScanner } from '../../src/linux/scan.js';

const skip = existsSync('/proc/self/statm') ? false : 'there is no /proc here';

function holds(engine: Engine, pid: number): boolean {
  for (let slot = 0; slot < engine.count; ++slot) if (engine.u32(C_ID, slot) === pid) return true;
  return false;
}

async function sleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

describe('scan: listing', { skip }, () => {
  it('a task forked between two rounds is in the next, one that ended is not', async () => {
    const engine = await openEngine();
    using scanner = new ProcScanner(engine);
    for (let round = 0; round < 20; ++round) {
      scanner.decide();
      const child = await sleeper();
      assert.equal(scanner.decide().listed, true);
      assert.ok(holds(engine, child.pid!));
      child.kill('SIGKILL');
      await once(child, 'exit');
      scanner.decide();
      assert.ok(!holds(engine, child.pid!));
    }
  });

  it('rounds without a fork in between do not list, unless told to', async () => {
    const engine = await openEngine();
    using scanner = new ProcScanner(engine);
    using always = new ProcScanner(engine, { listing: 'always' });
    let skipped = 0;
    // Others may fork at any time: some pair of rounds is free of that.
    for (let round = 0; round < 500 && skipped === 0; ++round) if (!scanner.decide().listed) skipped += 1;
    assert.equal(skipped, 1);
    assert.equal(always.decide().listed, true);
    assert.equal(always.decide().listed, true);
  });

  it('a closed scanner keeps no descriptor and starts afresh', async () => {
    const engine = await openEngine();
    const scanner = new ProcScanner(engine);
    const { tasks } = scanner.decide();
    assert.ok(tasks > 0 && scanner.kernelCost.descriptors > 0);
    scanner.close();
    assert.equal(scanner.kernelCost.descriptors, 0);
    const again = scanner.decide();
    assert.equal(again.listed, true);
    assert.ok(scanner.kernelCost.descriptors > 0);
    scanner.close();
  });
});
