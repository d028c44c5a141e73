/**
 * Stage: candidate queue. Host side of assembly/queue.ts: the text of a write to the queue file comes in, live candidates
 * go out in the order written. Every entry keeps a descriptor of its task, opened through an interface that linux/
 * implements, so that a pid that was reused is never taken for the task that was meant.
 *
 * One thread calls `replace`; any thread may call `take`. Handles are numbers that all threads share (descriptors of the
 * process). Whoever takes an entry owns its handle; those that nobody took are closed by the next `replace`.
 */
import * as L from '../assembly/layout.js';
import { BadnessError } from './errors.js';
import { parseLegacyQueue } from './queue-legacy.js';

export interface QueueAbi {
  /** Reads pids between blanks from the text in the window. Answers how many; `E_FORMAT`, `E_FULL`. */
  queue_parse(w: number, length: number): number;
  /** Puts the list that was written into force, in one swap. */
  queue_publish(): number;
  /** Takes the first candidate of the list in force into the window. `E_NO_ENTRY` when there is none. */
  queue_take(w: number): number;
}

export interface QueueEngine {
  readonly abi: QueueAbi;
  readonly memory: WebAssembly.Memory;
  /** Address of the calling thread's window. */
  readonly window: number;
}

/** Descriptors of tasks. A handle is an integer of 1 … 2^32 − 1. */
export interface TaskHandles {
  /** Opens the task of a process or thread id: the id of its group and a handle, or undefined when there is none. */
  open(pid: number): { tgid: number; handle: number } | undefined;
  /** Whether it is still the task that was opened, and alive. */
  isAlive(handle: number): boolean;
  /** Closes a handle that was opened for a candidate. */
  close(handle: number): void;
}

/** A candidate that was taken from the queue: the next to be asked whether it may be killed. */
export interface Candidate {
  tgid: number;
  /** The kept descriptor, which the caller closes; 0 without TaskHandles. */
  handle: number;
}

/** How a written list is read, and how long it counts. */
export interface ReplaceOptions {
  /** Read the text as the code of 2005 did, oddities included: /proc/oom compatibility. Default false. */
  legacy?: boolean;
  /** What to do about an id that no task has: leave it out, or throw ESRCH and keep the old list. Default `drop`. */
  missing?: 'drop' | 'refuse';
  /** Until when the list counts, milliseconds of the monotonic clock that every thread reads, > 0. Default Infinity. */
  untilMs?: number;
}

/** What became of a written list. */
export interface ReplaceResult {
  /** Entries now in the queue. */
  count: number;
  /** Ids that no task has. */
  gone: number[];
}

const UTF8 = new TextEncoder();

/** Who is to go first, as a list in the shared memory of an engine. One thread writes it, any may take from it. */
export class CandidateQueue {
  readonly #abi: QueueAbi;
  readonly #window: number;
  readonly #tasks: TaskHandles | undefined;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #word: BigUint64Array<ArrayBufferLike>;

  constructor(engine: QueueEngine, tasks?: TaskHandles) {
    const { buffer } = engine.memory;
    this.#abi = engine.abi;
    this.#window = engine.window;
    this.#tasks = tasks;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#word = new BigUint64Array(buffer, L.H_QUEUE, 1);
  }

  /** Entries that wait, 0 … 4,096. */
  get count(): number {
    const { head, count } = this.#state();
    return count - head;
  }

  /** Until when the list in force counts, monotonic milliseconds; Infinity for ever. `take` gives what is older all the same. */
  get untilMs(): number {
    for (;;) {
      const { epoch } = this.#state();
      const until = this.#view.getFloat64(bufferAt(epoch) + L.Q_UNTIL_MS, true);
      if (this.#state().epoch === epoch) return until || Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Replaces the whole list by that of `text`: ids of 2 … 4194304 between blanks, tabs and newlines, at most 64 KiB and
   * 4,096 of them, of the same task twice the first; nothing clears. In one swap: a drainer sees the old list or the new.
   * Throws BadnessError `EINVAL`, `E2BIG`, `ESRCH`, RangeError for `untilMs`; the old list stays then. Only from the one
   * writing thread.
   */
  replace(text: string | Uint8Array, options: ReplaceOptions = {}): ReplaceResult {
    const { legacy = false, missing = 'drop', untilMs = Number.POSITIVE_INFINITY } = options;
    if (!(untilMs > 0)) throw new RangeError(`untilMs must be milliseconds above 0, got ${untilMs}`);
    const bytes = typeof text === 'string' ? UTF8.encode(text) : text;
    if (bytes.length > L.TEXT_BYTES) throw new BadnessError('EINVAL', `text must be at most ${L.TEXT_BYTES} bytes`);
    this.#bytes.set(bytes, this.#window + L.W_TEXT);
    const parsed = legacy ? this.#stageLegacy(bytes) : this.#abi.queue_parse(this.#window, bytes.length);
    if (parsed === L.E_FULL) throw new BadnessError('E2BIG', `candidates must be at most ${L.QUEUE_MAX}`);
    if (parsed < 0) throw new BadnessError('EINVAL', 'text must be pids of 2..4194304 between blanks');

    const { epoch, count: oldCount } = this.#state();
    const made = bufferAt(epoch + 1);
    const result = this.#attach(made, parsed, legacy, missing === 'refuse');
    this.#view.setUint32(made + L.Q_COUNT, result.count, true);
    this.#view.setFloat64(made + L.Q_UNTIL_MS, untilMs, true);
    const taken = this.#abi.queue_publish();
    this.#closeEntries(bufferAt(epoch), taken, oldCount);
    return result;
  }

  /** Takes the next candidate whose task is alive, dropping the dead on the way; undefined when the queue is empty. */
  take(): Candidate | undefined {
    while (this.#abi.queue_take(this.#window) >= 0) {
      const taken = this.#window + L.W_TAKEN;
      const tgid = this.#view.getInt32(taken + L.ENTRY_PID, true);
      const handle = this.#view.getUint32(taken + L.ENTRY_HANDLE, true);
      if (!this.#tasks || (handle !== 0 && this.#tasks.isAlive(handle))) return { tgid, handle };
      if (handle !== 0) this.#tasks.close(handle);
    }
    return undefined;
  }

  /** The waiting entries as a read of the queue file gives them: `11 22 33\n`; as in 2005 with `legacy`: `11 22 33 \n`. */
  text(legacy = false): string {
    for (;;) {
      const { epoch, head, count } = this.#state();
      const pids: number[] = [];
      for (let index = head; index < count; index++) {
        pids.push(this.#view.getInt32(entryAt(bufferAt(epoch), index) + L.ENTRY_PID, true));
      }
      // Another list meanwhile: the buffer may hold the one after it already. Happens at the pace of the writer.
      if (this.#state().epoch !== epoch) continue;
      return legacy ? `${pids.map((pid) => `${pid} `).join('')}\n` : `${pids.join(' ')}\n`;
    }
  }

  #state(): { epoch: number; head: number; count: number } {
    const word = Atomics.load(this.#word, 0);
    return {
      epoch: Number(word >> 32n),
      count: Number((word >> 16n) & 0xffffn),
      head: Number(word & 0xffffn),
    };
  }

  /** Writes the entries of the old grammar to the list that is being made. Answers as queue_parse does. */
  #stageLegacy(bytes: Uint8Array): number {
    const entries = parseLegacyQueue(bytes);
    if (entries.length > L.QUEUE_MAX) return L.E_FULL;
    const made = bufferAt(this.#state().epoch + 1);
    for (const [index, entry] of entries.entries()) {
      this.#view.setInt32(entryAt(made, index) + L.ENTRY_PID, entry, true);
      this.#view.setUint32(entryAt(made, index) + L.ENTRY_HANDLE, 0, true);
    }
    return entries.length;
  }

  /** Opens the tasks of a list that is being made, and closes the gaps of those that there are not. */
  #attach(made: number, parsed: number, legacy: boolean, refuse: boolean): ReplaceResult {
    const tasks = this.#tasks;
    const gone: number[] = [];
    if (!tasks) return { count: parsed, gone };
    const seen = new Set<number>();
    let count = 0;
    try {
      for (let index = 0; index < parsed; index++) {
        const pid = this.#view.getInt32(entryAt(made, index) + L.ENTRY_PID, true);
        const task = pid > L.PID_INIT ? tasks.open(pid) : undefined;
        if (!task) {
          if (refuse) throw new BadnessError('ESRCH', `no task has the id ${pid}`);
          gone.push(pid);
        }
        const twice = task !== undefined && seen.has(task.tgid);
        if (!legacy && twice) tasks.close(task.handle);
        // The list of 2005 keeps everything; what is not alive is passed by when it is taken.
        if (!legacy && (!task || twice)) continue;
        if (task) seen.add(task.tgid);
        const entry = entryAt(made, count++);
        this.#view.setInt32(entry + L.ENTRY_PID, task && !legacy ? task.tgid : pid, true);
        this.#view.setUint32(entry + L.ENTRY_HANDLE, task?.handle ?? 0, true);
      }
    } catch (error) {
      this.#closeEntries(made, 0, count);
      throw error;
    }
    return { count, gone };
  }

  #closeEntries(buffer: number, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const handle = this.#view.getUint32(entryAt(buffer, index) + L.ENTRY_HANDLE, true);
      if (handle !== 0) this.#tasks?.close(handle);
    }
  }
}

function bufferAt(epoch: number): number {
  return L.QUEUE + (epoch & 1) * L.QUEUE_BUFFER_BYTES;
}

function entryAt(buffer: number, index: number): number {
  return buffer + L.Q_ENTRIES + index * L.QUEUE_ENTRY_BYTES;
}
