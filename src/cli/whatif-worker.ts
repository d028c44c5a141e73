/**
 * Stage: selection → report. A thread of badness whatif: takes one recording after the other from the queue that all of them share, until
 * none is left, and says what came of each.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, openEngine } from '../index.js';
import { parseRecording, type Recording, tasksMost, whatIf } from '../recording/index.js';
import { type FromWhatIf, IDLE, IN_HAND, type Looked, NEXT, type WhatIfWorkerData } from './whatif-queue.js';

function readRecording(path: string): Recording {
  const bytes = readFileSync(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError('expected UTF-8; write other bytes as \\xNN');
  }
  return parseRecording(text);
}

function badOne(error: unknown): Looked {
  const { code = null, message, syscall } = error as NodeJS.ErrnoException & { code?: string | null };
  const words = syscall === undefined ? message : `expected a recording, got ${code}`;
  return { kind: 'bad', code, words: words.split('\n')[0]! };
}

class Thread {
  readonly #data: WhatIfWorkerData;
  #engine: Engine | null = null;

  constructor(data: WhatIfWorkerData) {
    this.#data = data;
  }

  async run(say: (message: FromWhatIf) => void): Promise<void> {
    const { cells, order, thread, paths } = this.#data;
    for (;;) {
      const index = order[Atomics.add(cells, NEXT, 1)];
      if (index === undefined) break;
      Atomics.store(cells, IN_HAND + thread, index);
      say({ index, looked: await this.#look(paths[index]!).catch(badOne) });
    }
    Atomics.store(cells, IN_HAND + thread, IDLE);
  }

  async #look(path: string): Promise<Looked> {
    const { policy, against, all } = this.#data;
    const recording = readRecording(path);
    const engine = await this.#engineFor(tasksMost(recording));
    const result = await whatIf(recording, { policy, engine, all, ...(against ? { against } : {}) });
    return { kind: 'done', result, isComplete: recording.isComplete };
  }

  /** One for as many recordings as it has room for. */
  async #engineFor(maxTasks: number): Promise<Engine> {
    const { module } = this.#data;
    if (this.#engine && this.#engine.capacity >= maxTasks) return this.#engine;
    this.#engine = await openEngine({ maxTasks, ...(module ? { module, build: 'shared' } : {}) });
    return this.#engine;
  }
}

const port = parentPort!;
await new Thread(workerData as WhatIfWorkerData).run((message) => port.postMessage(message));
