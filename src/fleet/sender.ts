/** Stage: report. Sends what the spool holds, oldest first, as often as it takes; nothing is removed before a server has it. */
import type { Clock } from '../guard/index.js';
import type { FleetLink } from './link.js';
import type { Spool, SpoolRecord } from './spool.js';

const BATCH = 64;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;
/** What a message says beside its text, at most: its id, and which stream is meant. */
const HEADER_BYTES = 512;

export interface SenderOptions {
  readonly link: FleetLink;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Hears of a report that no server will ever take. */
  readonly unsendable: (record: SpoolRecord) => void;
  /** Hears once in a row why a report was not taken; it is sent again. */
  readonly failed: (why: Error) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  #sending: Promise<void> | null = null;
  #retryMs = RETRY_FIRST_MS;
  #cancelRetry: (() => void) | null = null;
  #wokenMeanwhile = false;
  #saidWhy = false;
  #closed = false;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** There is something to be sent, or a server again. */
  wake(): void {
    if (this.#closed || !this.#options.link.isUp) return;
    if (this.#sending !== null) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#wokenMeanwhile = false;
    this.#sending = this.#sendAll().then((isDone) => {
      this.#sending = null;
      // What was put after the last look at the spool, and before this.
      if (isDone && this.#wokenMeanwhile) this.wake();
    });
  }

  /** Resolves when nothing waits any more, or sending has failed. */
  async settled(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
  }

  /** False when something was not taken, or files could not be read, and it is tried again later. */
  async #sendAll(): Promise<boolean> {
    try {
      await this.#send();
      return true;
    } catch (error) {
      this.#retryLater(error as Error);
      return false;
    }
  }

  async #send(): Promise<void> {
    const { link, spool } = this.#options;
    while (!this.#closed && link.isUp && spool.waiting > 0) {
      const batch = spool.next(BATCH);
      const sent = await Promise.allSettled(batch.records.map((record) => this.#sendOne(record)));
      const failed = sent.findIndex(({ status }) => status === 'rejected');
      const end = failed < 0 ? batch.end : batch.end - batch.records.length + failed;
      // Those behind one that failed are sent again; the server and the reader know their ids.
      spool.settle({ ...batch, end });
      if (failed >= 0) throw (sent[failed] as PromiseRejectedResult).reason;
      this.#retryMs = RETRY_FIRST_MS;
      this.#saidWhy = false;
    }
  }

  async #sendOne(record: SpoolRecord): Promise<void> {
    const { link, unsendable } = this.#options;
    if (new TextEncoder().encode(record.text).length > link.messageBytes - HEADER_BYTES) return unsendable(record);
    await link.store(record.subject, record.text, record.id);
  }

  #retryLater(why: Error): void {
    if (this.#closed) return;
    if (!this.#saidWhy && this.#options.link.isUp) {
      this.#options.failed(why);
      this.#saidWhy = true;
    }
    this.#cancelRetry = this.#options.clock.after(this.#retryMs, () => this.wake());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
  }
}
