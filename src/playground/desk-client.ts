/** Stage: none (threads). The desk as the page asks it: in a worker where memory may be shared, in this thread where it may not. */
import { DESK_CALLS, type DeskCalls } from './desk-calls.js';
import type { Answer, Ask } from './worker.js';

export interface OpenDesk extends DeskCalls {
  readonly thread: 'worker' | 'page';
}

class Remote {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #id = 0;
  /** Of a worker that has failed, and answers nobody any more. */
  #failure: Error | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      const asked = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('error' in data) asked?.reject(new Error(data.error));
      else asked?.resolve(data.value);
    });
    worker.addEventListener('error', ({ message }) => {
      this.#failure = new Error(`the worker failed: ${message}`);
      for (const { reject } of this.#waiting.values()) reject(this.#failure);
      this.#waiting.clear();
    });
  }

  ask(call: keyof DeskCalls, args: readonly unknown[]): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, args } satisfies Ask);
    });
  }
}

/** One call after the other, as in the worker. */
function inTurn(desk: DeskCalls): (call: keyof DeskCalls, args: readonly unknown[]) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  return (call, args) => {
    const run = () => (desk[call] as (...args: readonly unknown[]) => Promise<unknown>).call(desk, ...args);
    const answer = last.then(run);
    last = answer.catch(() => {});
    return answer;
  };
}

export async function openDesk(): Promise<OpenDesk> {
  const isShared = globalThis.crossOriginIsolated === true && typeof SharedArrayBuffer === 'function';
  let ask: (call: keyof DeskCalls, args: readonly unknown[]) => Promise<unknown>;
  if (isShared) {
    const remote = new Remote(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
    ask = (call, args) => remote.ask(call, args);
  } else {
    const { Desk } = await import('./desk.js');
    ask = inTurn(new Desk());
  }
  const calls = DESK_CALLS.map((call) => [call, (...args: unknown[]) => ask(call, args)]);
  return { ...(Object.fromEntries(calls) as DeskCalls), thread: isShared ? 'worker' : 'page' };
}
