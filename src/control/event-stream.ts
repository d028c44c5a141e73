/**
 * Stage: report. Events as server-sent events: every reader gets every event from when it began to read. Each is one text that all
 * readers share; one who does not take them is told how far it came, and dropped.
 */
import type { ServerResponse } from 'node:http';
import { BadnessError } from '../errors.js';
import { LAST } from './answer.js';
import type { ControlLimits } from './limits.js';

/** What a dropped reader still has to take is waited for this long. */
const LAST_WORDS_MS = 1000;

export class EventStream {
  /** Readers dropped since the beginning. */
  dropped = 0;
  readonly #limits: Pick<ControlLimits, 'readers' | 'backlogBytes'>;
  readonly #readers = new Set<ServerResponse>();
  #number = 0;

  constructor(limits: Pick<ControlLimits, 'readers' | 'backlogBytes'>) {
    this.#limits = limits;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Throws BadnessError `EUSERS` when there are too many. */
  add(response: ServerResponse): void {
    if (this.#readers.size >= this.#limits.readers) {
      throw new BadnessError('EUSERS', `at most ${this.#limits.readers} may read events at a time`);
    }
    response.writeHead(200, { ...LAST, 'Content-Type': 'text/event-stream' });
    // Bytes at once, so that whoever asked knows that from now on nothing is missed.
    response.write(': listening\n\n');
    this.#readers.add(response);
    response.once('close', () => this.#readers.delete(response));
  }

  send(kind: string, data: string): void {
    const bytes = Buffer.from(this.#block(kind, data));
    for (const reader of this.#readers) {
      if (reader.writableLength > this.#limits.backlogBytes) this.#drop(reader);
      else reader.write(bytes);
    }
  }

  /** Tells everybody that no more will come. */
  close(): void {
    const block = this.#block('closed', '{}');
    for (const reader of this.#readers) reader.end(block);
    this.#readers.clear();
  }

  #block(kind: string, data: string): string {
    this.#number += 1;
    return `id: ${this.#number}\nevent: ${kind}\ndata: ${data}\n\n`;
  }

  #drop(reader: ServerResponse): void {
    this.#readers.delete(reader);
    this.dropped += 1;
    const backlogBytes = reader.writableLength;
    const data = JSON.stringify({ kind: 'dropped', backlog_bytes: backlogBytes, missed_from: this.#number });
    reader.end(`event: dropped\ndata: ${data}\n\n`);
    setTimeout(() => reader.destroy(), LAST_WORDS_MS).unref();
  }
}
