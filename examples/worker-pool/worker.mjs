// A worker that keeps whatever it has made: 4 MiB of each task of a large customer, 16 KiB of others.
import { parentPort } from 'node:worker_threads';
import { reportMemory } from 'badness/workers';

const KEPT_BYTES = { large: 4 * 2 ** 20, small: 2 ** 14 };
const TASK_MS = 20;

const kept = [];
// Node 20 cannot be asked what a worker holds: the worker tells it.
reportMemory({ everyMs: 50 });
parentPort.on('message', (customer) => {
  kept.push(new Uint8Array(KEPT_BYTES[customer]).fill(1));
  setTimeout(() => parentPort.postMessage('done'), TASK_MS);
});
