/**
 * Stage: selection → report. A thread of badness whatif: takes one recording after the other from the queue that all of them share, until
 * none is left, and says what came of each.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Looked, type LookOptions, RecordingLooker } from '../recording/index.js';
import { type FromWhatIf, IDLE, IN_HAND, NEXT, type WhatIfWorkerData } from './whatif-queue.js';

function readBytes(path: string): Uint8Array | Looked {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = null } = error as { code?: string | null };
    return { kind: 'bad', code, words: `expected a recording, got ${code}` };
  }
}

class Thread {
  readonly #data: WhatIfWorkerData;
  readonly #options: LookOptions;
  readonly #looker: RecordingLooker;

  constructor(data: WhatIfWorkerData, options: LookOptions) {
    this.#data = data;
    this.#options = options;
    this.#looker = new RecordingLooker(data.module);
  }

  async run(say: (message: FromWhatIf) => void): Promise<void> {
    const { cells, order, thread, paths } = this.#data;
    for (;;) {
      const index = order[Atomics.add(cells, NEXT, 1)];
      if (index === undefined) break;
      Atomics.store(cells, IN_HAND + thread, index);
      say({ index, looked: await this.#look(paths[index]!) });
    }
    Atomics.store(cells, IN_HAND + thread, IDLE);
  }

  async #look(path: string): Promise<Looked> {
    const bytes = readBytes(path);
    return bytes instanceof Uint8Array ? this.#looker.look(bytes, this.#options) : bytes;
  }
}

const port = parentPort!;
const [options] = (await once(port, 'message')) as [LookOptions];
await new Thread(workerData as WhatIfWorkerData, options).run((message) => port.postMessage(message));
