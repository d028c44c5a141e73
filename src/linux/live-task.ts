// Stage: kill. In: a victim, the native calls or none. Out: the task in hand: its descriptors, and the signals to it.
import { constants } from 'node:os';
import type { KillSignal } from '../guard/kill-report.js';
import { goneError, type Identity, openIdentity } from './identity.js';
import type { TaskHandle, Victim } from './kill-system.js';
import { type Native, POLLIN } from './native.js';
import { groupIsDead } from './thread-group.js';

/** A task of this machine: `stat` kept, a pidfd where there are native calls, and the identity the caller kept. */
export class LiveTask implements TaskHandle {
  readonly pid: number;
  readonly stat: Identity;
  readonly pidfd: number;
  /** Of the program it ran when it was last seen on the victim's memory ({@link imageMark}). */
  sharedMark: string | null = null;
  readonly #native: Native | null;
  readonly #chosen: Identity | null;

  constructor(victim: Victim, native: Native | null) {
    this.pid = victim.pid;
    this.#native = native;
    this.#chosen = victim.identity ?? null;
    this.stat = openIdentity(victim.pid);
    let pidfd = -1;
    try {
      if (native) pidfd = native.pidfdOpen(victim.pid);
      // Both were alive after both were opened, so all three descriptors mean one task.
      if (!this.alive()) throw goneError(victim.pid);
    } catch (error) {
      if (native && pidfd >= 0) native.close(pidfd);
      const gone = !this.alive(); // some kernels answer EINVAL for a task that dies during pidfd_open
      this.stat.close();
      throw gone ? goneError(victim.pid) : error;
    }
    this.pidfd = pidfd;
  }

  alive(): boolean {
    return (this.#chosen === null || this.#chosen.alive()) && this.stat.alive();
  }

  exited(): boolean {
    if (this.#native === null) return groupIsDead(this.stat);
    return this.#native.poll([{ fd: this.pidfd, events: POLLIN }], 0)[0] !== 0;
  }

  signal(signal: KillSignal | 'probe'): void {
    const number = signal === 'probe' ? 0 : constants.signals[signal];
    // Nothing may come between this read and the signal: without a pidfd it is all that guards a reused pid.
    if (!this.alive()) throw goneError(this.pid);
    if (this.#native) this.#native.pidfdSendSignal(this.pidfd, number);
    else process.kill(this.pid, number);
  }

  close(): void {
    this.stat.close();
    if (this.#native && this.pidfd >= 0) this.#native.close(this.pidfd);
  }
}
