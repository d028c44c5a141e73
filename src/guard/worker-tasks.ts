/**
 * Stage: registered tasks, before the table. Worker threads of the application as registered tasks: what their heaps hold is sampled,
 * and whoever gives nothing back is ended. Where the runtime can be asked about the heap of a worker (Node 22.16, 24) it is; elsewhere
 * the worker tells it, by `reportMemory`.
 *
 * @module badness/workers
 */
import { getHeapStatistics, type HeapInfo } from 'node:v8';
import { BroadcastChannel, threadId, type Worker } from 'node:worker_threads';
import type { RegisteredTask } from '../registered/registered-task.js';
import type { TaskRegistry } from '../registered/registry.js';
import type { TaskSpec } from '../registered/task-spec.js';

/** How a worker thread is registered: name, who is asked first, and how often it is sampled. */
export interface WorkerTaskOptions extends Pick<TaskSpec, 'name' | 'uid' | 'protected'> {
  /** Asks the worker to give memory back, by a message say. Default: ends it, as a hard question always does. */
  readonly shed?: TaskSpec['shed'];
  /** From one sample to the next where the runtime is asked, ms, 20 … 60,000. Default 250. */
  readonly everyMs?: number;
}

/** What a worker says on the channel. */
interface Report {
  readonly threadId: number;
  readonly bytes: number;
}

/** Of a runtime that can be asked. */
type AskableWorker = Worker & { getHeapStatistics(): Promise<HeapInfo> };

const CHANNEL = 'badness:memory';
const EVERY_MS = 250;
const EVERY_LEAST_MS = 20;
const EVERY_MOST_MS = 60_000;

function checkEveryMs(everyMs: number): void {
  if (everyMs >= EVERY_LEAST_MS && everyMs <= EVERY_MOST_MS) return;
  throw new RangeError(`everyMs must be ${EVERY_LEAST_MS}..${EVERY_MOST_MS}, got ${everyMs}`);
}

/** What the end of the thread gives back: the pages of its heap, and what hangs on it outside, as of the last collection. */
function heapBytes({ total_heap_size, malloced_memory, external_memory }: HeapInfo): number {
  return total_heap_size + malloced_memory + external_memory;
}

function isAskable(worker: Worker): worker is AskableWorker {
  return 'getHeapStatistics' in worker;
}

/** Those who hear the reports of workers, by thread. One channel for all of them. */
const listeners = new Map<number, Set<(bytes: number) => void>>();
let channel: BroadcastChannel | null = null;

function openChannel(): BroadcastChannel {
  const opened = new BroadcastChannel(CHANNEL);
  opened.onmessage = (message) => {
    const { threadId: from, bytes } = (message as { data: Report }).data;
    for (const listener of listeners.get(from) ?? []) listener(bytes);
  };
  opened.unref();
  return opened;
}

/** Calls `listener` with each report of a thread. Returns what ends it. */
function hear(thread: number, listener: (bytes: number) => void): () => void {
  channel ??= openChannel();
  const own = listeners.get(thread) ?? new Set();
  listeners.set(thread, own.add(listener));
  return () => {
    own.delete(listener);
    if (own.size === 0) listeners.delete(thread);
    if (listeners.size > 0) return;
    channel?.close();
    channel = null;
  };
}

/** Asks the runtime about the heap of a worker, again and again. Returns what ends it. */
function sample(worker: AskableWorker, everyMs: number, listener: (bytes: number) => void): () => void {
  let asked = false;
  const ask = () => {
    if (asked) return;
    asked = true;
    worker.getHeapStatistics().then(
      (heap) => {
        asked = false;
        listener(heapBytes(heap));
      },
      // It does not run yet, or is about to exit, which ends this too.
      () => {
        asked = false;
      },
    );
  };
  ask();
  const timer = setInterval(ask, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** How long its event loop has been busy, where the runtime tells: Bun has the call, which only complains. */
function busyMsOf(worker: Worker): number | undefined {
  if (process.versions.bun !== undefined) return undefined;
  return worker.performance?.eventLoopUtilization().active;
}

/**
 * Registers a worker. It holds nothing until the first sample: then the heap and external memory of its isolate, and the time its event
 * loop was busy as processor time. Unregistered when it exits. Errors as TaskRegistry.register; RangeError for `everyMs`, and for a
 * worker that has exited.
 */
export function registerWorker(registry: TaskRegistry, worker: Worker, options: WorkerTaskOptions): RegisteredTask {
  const { everyMs = EVERY_MS, shed, ...rest } = options;
  const thread = worker.threadId;
  checkEveryMs(everyMs);
  if (thread < 0) throw new RangeError(`worker ${options.name} must be running, got one that has exited`);
  const end = () => void worker.terminate();
  const task = registry.register({ ...rest, shed: shed ?? end, kill: end });
  const heard = (bytes: number) => {
    if (!task.registered) return stop();
    const busyMs = busyMsOf(worker);
    task.update({ memoryBytes: bytes, ...(busyMs === undefined ? {} : { cpuMs: busyMs }) });
  };
  const stop = isAskable(worker) ? sample(worker, everyMs, heard) : hear(thread, heard);
  worker.once('exit', () => {
    stop();
    task.unregister();
  });
  return task;
}

/**
 * For the worker: tells what its heap holds, now and every so many ms (20 … 60,000, default 250), to whoever registered it. While its event
 * loop is blocked it tells nothing. Does not keep the thread alive. Returns what ends it. Throws RangeError.
 */
export function reportMemory({ everyMs = EVERY_MS }: { readonly everyMs?: number } = {}): () => void {
  checkEveryMs(everyMs);
  const own = new BroadcastChannel(CHANNEL);
  own.unref();
  const tell = () => own.postMessage({ threadId, bytes: heapBytes(getHeapStatistics()) } satisfies Report);
  tell();
  const timer = setInterval(tell, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    own.close();
  };
}
