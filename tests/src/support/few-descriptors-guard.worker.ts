/**
 * A guard in a program without descriptors, while memory becomes short: whether it comes round once more after it has said so. To be started
 * with few descriptors to be had (`ulimit -n`). Kills nobody. Prints what came of it as JSON.
 */
import { closeSync, openSync } from 'node:fs';
import { openLinuxGuard } from '../../../src/linux/open-linux-guard.js';
import { definePolicy } from '../../../src/policy/policy.js';

const others: number[] = [];

function takeDescriptors(): void {
  try {
    for (;;) others.push(openSync('/dev/null', 'r'));
  } catch {
    // As was wanted.
  }
}

let told = 0;
let heard = () => {};
const guard = await openLinuxGuard({
  policy: definePolicy({ domain: 'system' }),
  for: 'library',
  tell: (event) => {
    if (event.kind === 'level') ++told;
  },
  onTurn: () => heard(),
});
const run = guard.run().then(
  () => 'ended',
  (error: Error) => error.message,
);

/** It has come round twice: after one reading it has told what is new, after the other it still watches. */
function turns(): Promise<'turned'> {
  let left = 2;
  return new Promise((resolve) => {
    heard = () => {
      if (--left === 0) resolve('turned');
    };
  });
}

const ends: string[] = [];
// Each time it gives back some of those that it keeps of tasks, until there are none of them either.
for (let time = 0; time < 4; ++time) {
  takeDescriptors();
  for (const level of ['warn', 'none'] as const) {
    guard.report(level);
    ends.push(await Promise.race([turns(), run]));
  }
}
for (const fd of others) closeSync(fd);
await guard.close();
console.log(JSON.stringify({ told, ends: [...new Set(ends)] }));
