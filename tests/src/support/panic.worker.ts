/** Panics with an exit code, for real, in a process that panic.test.ts spawned: `main CODE`, `worker CODE [ask|blocked]`. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { linuxPanicActions } from '../../../src/linux/panic.js';

const [thread, status, mode] = isMainThread ? process.argv.slice(2) : (workerData as string[]);

function panic(): void {
  const port = parentPort;
  const ask = port && mode ? { askMain: (code: number) => port.postMessage(code) } : {};
  linuxPanicActions(ask).exit(Number(status));
}

if (!isMainThread || thread === 'main') {
  panic();
} else {
  const worker = new Worker(new URL(import.meta.url), { workerData: process.argv.slice(2) });
  worker.on('message', (code: number) => process.exit(code));
  if (mode === 'blocked') {
    worker.once('online', () => {
      // A main thread that is busy for longer than the test would wait.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000);
    });
  }
}
// What must not happen: the process living on, and ending by itself.
setTimeout(() => process.exit(99), 30_000);
