/**
 * A reader in a process of its own, for what cannot be tried in the test's: another user, or few descriptors.
 * Arguments: `tasks` or `scan`, build, root, and the uid to become (0 to stay). Prints what it found as JSON.
 */
import { closeSync, openSync, readdirSync } from 'node:fs';
import * as L from '../../../assembly/layout.js';
import { type Engine, type EngineBuild, openEngine } from '../../../src/engine.js';
import { readTasks } from '../../../src/linux/read-all.js';
import { ProcScanner } from '../../../src/linux/scan.js';
import { taskAt } from '../../../src/task.js';

/** Scans while the descriptors of this process run out, first by the scanner's own and then by somebody else's. */
function scan(engine: Engine, root: string) {
  using scanner = new ProcScanner(engine, { root, maxDescriptors: 4096 });
  const rounds = [1, 2, 3].map(() => scanner.decide());
  const kept = scanner.kernelCost.descriptors;
  const others: number[] = [];
  try {
    for (;;) others.push(openSync(`${root}/uptime`, 'r'));
  } catch {
    // Out of descriptors, as wanted.
  }
  rounds.push(...[4, 5, 6].map(() => scanner.decide()));
  const left = scanner.kernelCost.descriptors;
  for (const fd of others) closeSync(fd);
  const victims = rounds.map(({ slot, tasks, gone }) => [engine.u32(L.C_ID, slot), tasks, gone]);
  return { victims, kept, others: others.length, left, open: readdirSync('/proc/self/fd').length };
}

const [what, build, root, uid] = process.argv.slice(2) as [string, EngineBuild, string, string];
const engine = await openEngine({ build, maxTasks: 512 });
// Only now: what was loaded so far may lie where that user must not look.
if (uid !== '0') process.setuid?.(Number(uid));
if (what === 'scan') {
  console.log(JSON.stringify(scan(engine, root)));
} else {
  const { tasks, gone, unreadable } = readTasks(engine, { root });
  const found = Array.from({ length: engine.count }, (_, slot) => taskAt(engine, slot));
  console.log(JSON.stringify({ tasks, gone, unreadable, found }));
}
