/**
 * A program without descriptors kills one child that it started, by way of a world; before, it asks whether a process is dead whose leader
 * is a zombie: itself, by an identity that says so. To be started with few descriptors to be had (`ulimit -n`). Prints what came of it as JSON.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { openEngine } from '../../../src/engine.js';
import { errorCode } from '../../../src/linux/identity.js';
import { systemDomain } from '../../../src/linux/linux-domain.js';
import { LinuxWorld } from '../../../src/linux/linux-world.js';
import { groupIsDead } from '../../../src/linux/thread-group.js';
import { definePolicy } from '../../../src/policy/policy.js';

const ZOMBIE = `${process.pid} (x) Z 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 2 0 100 1 1 ${'0 '.repeat(26)}0\n`;

function deadByThreads(): boolean | string {
  const leader = { pid: process.pid, text: () => ZOMBIE, alive: () => true, read: () => '', close() {} };
  try {
    return groupIsDead(leader);
  } catch (error) {
    return errorCode(error);
  }
}

const child = spawn('sleep', ['60'], { stdio: 'ignore' });
await once(child, 'spawn');
const engine = await openEngine({ maxTasks: 4096 });
const world = new LinuxWorld(engine, definePolicy({ domain: 'system' }), systemDomain());
/** Until there are none left. */
function takeDescriptors(): number[] {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    return taken;
  }
}

let others: number[] = [];
try {
  world.choose();
  others = takeDescriptors();
  // But for one, which a choice can do with.
  closeSync(others.pop()!);
  const choice = world.choose();
  // Whoever has ended meanwhile has given one back.
  const last = takeDescriptors();
  const dead = deadByThreads();
  for (const fd of last) closeSync(fd);
  const held = world.hold(world.rowOf(child.pid!, choice));
  const ask = { signal: 'SIGKILL', termMs: 0, rawioMs: 0, stuckMs: 5000 } as const;
  const report = held && (await world.kill(held, { ...ask, abort: new AbortController().signal, hurry: null }));
  held?.close();
  console.log(JSON.stringify({ dead, report }));
} finally {
  for (const fd of others) closeSync(fd);
  child.kill('SIGKILL');
  world.close();
}
