/**
 * A program without descriptors kills one child that it started, by way of a world: started with few descriptors to be had (`ulimit -n`).
 * Prints the report as JSON.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { openEngine } from '../../../src/engine.js';
import { systemDomain } from '../../../src/linux/linux-domain.js';
import { LinuxWorld } from '../../../src/linux/linux-world.js';
import { definePolicy } from '../../../src/policy/policy.js';

const child = spawn('sleep', ['60'], { stdio: 'ignore' });
await once(child, 'spawn');
const engine = await openEngine({ maxTasks: 4096 });
const world = new LinuxWorld(engine, definePolicy({ domain: 'system' }), systemDomain());
const others: number[] = [];
try {
  world.choose();
  try {
    for (;;) others.push(openSync('/dev/null', 'r'));
  } catch {
    // Out of descriptors, as wanted; but for one, which a choice can do with.
    closeSync(others.pop()!);
  }
  const choice = world.choose();
  const held = world.hold(world.rowOf(child.pid!, choice));
  const ask = { signal: 'SIGKILL', termMs: 0, rawioMs: 0, stuckMs: 5000 } as const;
  const report = held && (await world.kill(held, { ...ask, abort: new AbortController().signal, hurry: null }));
  held?.close();
  console.log(JSON.stringify({ report }));
} finally {
  for (const fd of others) closeSync(fd);
  child.kill('SIGKILL');
  world.close();
}
