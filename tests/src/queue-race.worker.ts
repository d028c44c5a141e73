// A drainer of queue-race.test.ts: takes until the writer is done and the queue is empty, and marks what it took.

import { workerData } from 'node:worker_threads';
import { CandidateQueue, type QueueAbi, type TaskHandles } from '../../src/queue.js';
import { windowAt } from './support/builds.js';
import { DISORDER, DONE, FOREIGN, pause, type QueueRaceData, TAKEN } from './support/queue-race.js';
import { abiOver } from './support/thread-engine.js';

const { memory, thread, cells, marks } = workerData as QueueRaceData;
const counters = new Int32Array(cells);
const seen = new Uint8Array(marks);
const alive: TaskHandles = { open: () => undefined, isAlive: () => true, close: () => undefined };
const engine = { abi: abiOver(memory) as unknown as QueueAbi, memory, window: windowAt(thread) };
const queue = new CandidateQueue(engine, alive);

let last = 0;
for (;;) {
  // Asked before taking: what is published after this look is taken in the next turn.
  const done = Atomics.load(counters, DONE) === 1;
  const candidate = queue.take();
  if (candidate) {
    Atomics.add(seen, candidate.tgid, 1);
    Atomics.add(counters, TAKEN, 1);
    // Pids rise from entry to entry and from list to list.
    if (candidate.tgid <= last) Atomics.add(counters, DISORDER, 1);
    if (candidate.handle !== candidate.tgid + 1) Atomics.add(counters, FOREIGN, 1);
    last = candidate.tgid;
  } else if (done) {
    break;
  }
  if (Math.random() < 0.02) pause(Math.random() / 10);
}
