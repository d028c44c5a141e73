// Stage: kill. In: nothing. Out: the interface between the course of a kill and the machine, which tests replace.

import type { KillSignal } from '../guard/kill-report.js';
import type { Identity } from './identity.js';
import type { SharerScan } from './sharers.js';

/** Whom to kill. `identity` is the descriptor kept since the task was chosen; without it the identity begins with the kill. */
export interface Victim {
  readonly pid: number;
  readonly identity?: Identity;
}

/** One task in hand. */
export interface TaskHandle {
  readonly pid: number;
  /** True while that very task exists, also as a zombie. */
  alive(): boolean;
  /** True when no thread of it can hold memory any more. */
  exited(): boolean;
  /** Sends a signal, or only asks for permission. Throws by errno name: ESRCH when it is another task now or gone, EPERM. */
  signal(signal: KillSignal | 'probe'): void;
}

export interface TaskFacts {
  readonly comm: string;
  readonly tgid: number;
  readonly kernelThread: boolean;
  /** CAP_SYS_RAWIO is effective. */
  readonly rawio: boolean;
}

/** What a kill needs of the machine. */
export interface KillSystem {
  readonly path: 'pidfd' | 'kill';
  /** Monotonic milliseconds; stands still while the machine sleeps. */
  now(): number;
  /** Why this pid is never killed, or null. */
  protection(pid: number): 'init' | 'self' | 'ancestor' | 'foreign_proc' | null;
  /** Opens a task. Throws ESRCH when it is gone or the pid is another task's, EINVAL when it is no leader. */
  open(victim: Victim): TaskHandle;
  facts(handle: TaskHandle): TaskFacts;
  sharers(handle: TaskHandle): SharerScan;
  /** False once the sharer runs another program: a child of vfork(2) shares the memory only until its execve(2). */
  stillShares(victim: TaskHandle, sharer: TaskHandle): boolean;
  /** Raises every thread to −20. `threads` is how many took it; `error` the name of the first refusal. */
  raisePriority(handle: TaskHandle): { readonly threads: number; readonly error: string | null };
  /** True while a thread of it has an mm. False does not mean that the memory is back: exit_mmap() follows. */
  holdsMemory(handle: TaskHandle): boolean;
  readonly canReap: boolean;
  /** process_mrelease(2). Only after SIGKILL. */
  reap(handle: TaskHandle): Promise<void>;
  /** Returns when one of the tasks has exited, after `timeoutMs`, or when `stop` fires; sometimes early. */
  wait(handles: readonly TaskHandle[], timeoutMs: number, stop: AbortSignal): Promise<void>;
  /** Closes everything opened, once nothing is under way. */
  close(): void;
}
