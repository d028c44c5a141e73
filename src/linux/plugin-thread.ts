/**
 * Stage: points. The thread of a plug-in from outside: started, asked with a deadline, killed. Asking blocks the caller for as long as
 * the deadline at most, which is why it is short.
 */
import { Worker } from 'node:worker_threads';
import { BadnessError } from '../errors.js';
import {
  ANSWERED,
  ASKED,
  type Exchange,
  makeExchange,
  type PluginCode,
  READY,
  REFUSED,
  STATE,
  TASKS,
  WRONG,
} from './plugin-exchange.js';

/** Apart from `new URL`: bundlers would copy the file without what it imports. A missing one is a plug-in that does not start. */
const HERE = import.meta.url;
/** Of a thread's own heap; a WebAssembly memory has a declared end besides. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };
/** How often it is looked whether it is ready. */
const LOOK_MS = 5;
const decoder = new TextDecoder();

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One line of printable text, whatever it was. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

export class PluginThread {
  readonly exchange: Exchange;
  /** Resolves when the thread has come to its end, of itself or killed. */
  readonly ended: Promise<void>;
  hasEnded = false;
  readonly #worker: Worker;
  #error: string | null = null;
  #asked = 0;

  /** `tasks`: most that it is ever asked about. */
  constructor(code: PluginCode, tasks: number) {
    this.exchange = makeExchange(tasks);
    this.#worker = new Worker(new URL('plugin-worker.js', HERE), {
      workerData: { code, buffer: this.exchange.buffer },
      // Neither flags, environment nor standard streams of the guard are its business. (What it prints is dropped on its side: a stream that
      // somebody reads here would keep the program alive.)
      ...{ execArgv: [], env: {}, stdin: false, stdout: true, stderr: true, resourceLimits: LIMITS },
    });
    this.#worker.on('error', (error) => {
      this.#error = `${error.name}: ${error.message}`;
    });
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.hasEnded = true;
        resolve();
      });
    });
    this.#worker.unref();
  }

  /** `refused`: see `wrong`. */
  get state(): 'starting' | 'ready' | 'refused' | 'ended' {
    if (this.hasEnded) return 'ended';
    const state = Atomics.load(this.exchange.words, STATE);
    return state === READY ? 'ready' : state === REFUSED ? 'refused' : 'starting';
  }

  /** What went wrong, in words of one line. */
  get wrong(): string {
    const { words, text } = this.exchange;
    const said = decoder.decode(text.slice(0, Math.min(Math.max(Atomics.load(words, WRONG), 0), text.length)));
    return oneLine(said || this.#error || 'its thread has ended');
  }

  /** Resolves when it is ready; rejects with BadnessError `EPLUGIN` when it will not be within `ms`. */
  async started(ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    while (this.state === 'starting' && performance.now() < endMs) await pause(LOOK_MS);
    if (this.state === 'ready') return;
    throw new BadnessError('EPLUGIN', this.state === 'starting' ? `was not ready within ${ms} ms` : this.wrong);
  }

  /** Asks about n tasks, which are in the region, and waits. Throws BadnessError `EPLUGIN` for no answer within `deadlineMs`. */
  ask(n: number, deadlineMs: number): void {
    const { words } = this.exchange;
    const number = ++this.#asked;
    const endMs = performance.now() + deadlineMs;
    Atomics.store(words, TASKS, n);
    Atomics.store(words, ASKED, number);
    Atomics.notify(words, ASKED);
    for (;;) {
      const answered = Atomics.load(words, ANSWERED);
      if (answered === number) break;
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new BadnessError('EPLUGIN', `did not answer within ${deadlineMs} ms`);
      Atomics.wait(words, ANSWERED, answered, leftMs);
    }
    if (Atomics.load(words, WRONG) !== 0) throw new BadnessError('EPLUGIN', this.wrong);
  }

  /** Ends it, whatever it is doing; soon. */
  kill(): void {
    void this.#worker.terminate();
  }
}
