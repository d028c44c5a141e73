// Stage: kill → wait for release. In: tasks after SIGKILL. Out: their memory taken by process_mrelease(2), or the reason why not.
import { errorCode } from './identity.js';
import type { KillSystem, TaskHandle } from './kill-system.js';

const RETRY_MS = 100; // as the kernel's own reaper: HZ/10
const MOST_TRIES = 20;
const WORTH_RETRYING = new Set(['EINVAL', 'EAGAIN', 'EINTR', 'ESRCH']);

/** Calls process_mrelease until it answers 0, cannot help, or has been tried often enough. Never before {@link Reaper.begin}. */
export class Reaper {
  readonly #system: KillSystem;
  readonly #nowMs: () => number;
  readonly #onSettled: () => void;
  #running = false;
  #left = 0;
  /** When the memory was taken, in the clock of the caller; null until then. */
  reapedAtMs: number | null = null;
  /** When to call `run` again; Infinity when there is nothing to try. */
  nextTryMs = Number.POSITIVE_INFINITY;
  tries = 0;
  lastError: string | null = null;
  /** The last answer was EINVAL: a task shares the memory and is not dying. */
  sharerMissing = false;

  constructor(system: KillSystem, nowMs: () => number, onSettled: () => void) {
    this.#system = system;
    this.#nowMs = nowMs;
    this.#onSettled = onSettled;
  }

  /** SIGKILL was sent: from now on it is allowed. After SIGTERM alone the call would answer EINVAL each time. */
  begin(): void {
    if (!this.#system.canReap || this.reapedAtMs !== null) return;
    this.#left = MOST_TRIES;
    this.nextTryMs = this.#nowMs();
    this.sharerMissing = false;
  }

  /** Starts a try when one is due. */
  run(handles: readonly TaskHandle[]): void {
    if (this.#running || this.#nowMs() < this.nextTryMs || this.#left === 0) return;
    const holders = handles.filter((one) => !one.exited());
    // In turn: a leader of the pair may have let go of the memory that its sharer still holds.
    const handle = holders[this.tries % holders.length];
    this.nextTryMs = Number.POSITIVE_INFINITY;
    if (!handle) return;
    this.#running = true;
    this.#left--;
    this.tries++;
    this.#system.reap(handle).then(
      () => this.#settle(() => this.#succeeded(handles)),
      (error) => this.#settle(() => this.#failed(errorCode(error))),
    );
  }

  /**
   * 0 is proof only while a task still has the mm. Once the last one is inside exit_mmap() itself, it may have unmapped pages that it
   * has not given back yet (40 MiB in its mmu_gather): then its exit is the proof, and near.
   */
  #succeeded(handles: readonly TaskHandle[]): void {
    this.lastError = null;
    this.#left = 0;
    if (handles.some((one) => this.#system.holdsMemory(one))) this.reapedAtMs = this.#nowMs();
  }

  #failed(code: string): void {
    this.lastError = code;
    this.sharerMissing = code === 'EINVAL';
    // ESRCH: no thread of it holds the mm, but exit_mmap() may still be under way, so it proves nothing. ENOSYS, EPERM: never.
    if (!WORTH_RETRYING.has(code)) this.#left = 0;
    if (this.#left > 0) this.nextTryMs = this.#nowMs() + RETRY_MS;
  }

  #settle(change: () => void): void {
    this.#running = false;
    try {
      change();
    } catch (error) {
      this.lastError = errorCode(error); // not read, not proved
    }
    this.#onSettled();
  }
}
