// A worker that holds what it is told to hold, and tells what it holds.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { reportMemory } from '../../../src/guard/worker-tasks.js';

const MIB = 2 ** 20;
const held: Buffer[] = [];
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

reportMemory({ everyMs: 20 });
parentPort!.on('message', (mib: number) => {
  held.length = 0;
  // The collector looks twice before it lets go of what hangs on the heap outside.
  collect();
  collect();
  for (let count = 0; count < mib; ++count) held.push(Buffer.alloc(MIB, 1));
  parentPort!.postMessage('done');
});
parentPort!.postMessage('ready');
