/** Stage: bytes → selection. A thread that evaluates recordings, one at a time, started again when a recording was too large for it. */
import { Worker } from 'node:worker_threads';
import { threadFile } from '../../linux/thread-file.js';
import type { Looked } from '../../recording/index.js';

export interface Evaluate {
  readonly bytes: Uint8Array;
  readonly policy: string;
  readonly against: string | null;
  readonly all: boolean;
}

export class Evaluator {
  #worker: Worker | null = null;
  #told: (looked: Looked) => void = () => {};

  /** Never rejects; one at a time. Throws BadnessError `ENOTHREAD` when the thread's program is not there. */
  look(ask: Evaluate): Promise<Looked> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve) => {
      this.#told = resolve;
      worker.postMessage(ask);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(threadFile('evaluator-worker.js'), { execArgv: [] });
    worker.on('message', (looked: Looked) => this.#told(looked));
    worker.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      this.#worker = null;
      this.#told({ kind: 'bad', code: code ?? null, words: `its thread has ended: ${message}` });
    });
    return worker;
  }
}
