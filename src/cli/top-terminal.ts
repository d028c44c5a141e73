/**
 * Stage: none (a terminal). Takes the whole terminal and gives it back as it was: at the end, before a stop, on a signal, and when
 * something was thrown.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { type Key, KeyReader } from './top-keys.js';
import { ENTER, LEAVE, MODES } from './top-screen.js';

/** Signals that end a program, after the terminal was given back. */
const ENDS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
export type EndSignal = (typeof ENDS)[number];

export type TerminalEvent =
  | { readonly kind: 'key'; readonly key: Key }
  /** Another size, or somebody else has written on it: everything is to be drawn anew. */
  | { readonly kind: 'redraw' }
  | { readonly kind: 'end'; readonly signal: EndSignal }
  /** It is not there any more. */
  | { readonly kind: 'closed' };

const COLUMNS_USUAL = 80;
const ROWS_USUAL = 24;

export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #tell: (event: TerminalEvent) => void;
  readonly #keys = new KeyReader();
  #open = false;

  constructor(input: ReadStream, output: WriteStream, tell: (event: TerminalEvent) => void) {
    this.#input = input;
    this.#output = output;
    this.#tell = tell;
  }

  /** Columns and rows; what a terminal without a size is taken for is 80×24. */
  get size(): readonly [columns: number, rows: number] {
    const { columns, rows } = this.#output;
    return [columns || COLUMNS_USUAL, rows || ROWS_USUAL];
  }

  write(bytes: string): void {
    if (this.#open && bytes !== '') this.#output.write(bytes);
  }

  open(): void {
    this.#listen();
    this.#take();
    this.#input.resume();
  }

  /** Can be called at any time, also twice. */
  close(): void {
    this.#give();
    this.#input.pause();
    this.#deafen();
  }

  /** Gives the terminal back and stops, with those who were started together with this process where they are to stop too. */
  suspend(whole: boolean): void {
    this.#give();
    process.removeListener('SIGTSTP', this.#onStop);
    // Returns when somebody has continued us; at once where nobody could, and the kernel does not stop us.
    process.kill(whole ? 0 : process.pid, 'SIGTSTP');
    process.on('SIGTSTP', this.#onStop);
    this.#onContinue();
  }

  #take(): void {
    this.#input.setRawMode(true);
    this.#open = true;
    this.#output.write(ENTER);
  }

  readonly #give = (): void => {
    if (!this.#open) return;
    this.#open = false;
    this.#output.write(LEAVE);
    this.#input.setRawMode(false);
  };

  readonly #onData = (bytes: Buffer): void => {
    for (const key of this.#keys.read(bytes.toString('latin1'))) this.#tell({ kind: 'key', key });
  };

  readonly #onResize = (): void => this.#tell({ kind: 'redraw' });
  readonly #onClosed = (): void => this.#tell({ kind: 'closed' });
  readonly #onEnd = (signal: NodeJS.Signals): void => this.#tell({ kind: 'end', signal: signal as EndSignal });
  readonly #onStop = (): void => this.suspend(false);

  /** Whoever had the terminal meanwhile has set it their own way, and its size may be another. */
  readonly #onContinue = (): void => {
    if (this.#open) {
      // Node believes that it is raw still, and would do nothing.
      this.#input.setRawMode(false);
      this.#input.setRawMode(true);
      this.#output.write(MODES);
    } else this.#take();
    process.kill(process.pid, 'SIGWINCH');
    this.#tell({ kind: 'redraw' });
  };

  #listen(): void {
    this.#input.on('data', this.#onData);
    for (const event of ['end', 'close', 'error']) this.#input.on(event, this.#onClosed);
    this.#output.on('resize', this.#onResize);
    for (const signal of ENDS) process.on(signal, this.#onEnd);
    process.on('SIGTSTP', this.#onStop);
    process.on('SIGCONT', this.#onContinue);
    process.once('exit', this.#give);
  }

  #deafen(): void {
    this.#input.removeListener('data', this.#onData);
    // A terminal that is gone says so once more while it is closed; that is no news then.
    this.#output.removeListener('resize', this.#onResize);
    for (const signal of ENDS) process.removeListener(signal, this.#onEnd);
    process.removeListener('SIGTSTP', this.#onStop);
    process.removeListener('SIGCONT', this.#onContinue);
    process.removeListener('exit', this.#give);
  }
}
