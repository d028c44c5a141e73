/** Stage: all of them. What a guard of this machine is opened with. */

import type { Engine } from '../engine.js';
import type { DecisionRingOptions } from '../guard/decision-ring.js';
import type { GuardEvent } from '../guard/guard-events.js';
import type { PanicOptions } from '../guard/panic.js';
import type { Policy } from '../policy/policy.js';
import type { PressureSource } from '../pressure/pressure.js';
import type { CandidateQueue } from '../queue.js';
import type { ProtectorOptions } from './protector.js';

/** What a guard in the thread of the caller needs. Times in milliseconds. */
export interface LinuxGuardOptions {
  readonly policy: Policy;
  /** What domain `auto` means. */
  readonly for: 'daemon' | 'library';
  /** Hears every event, in the thread of the guard. What it throws ends the guard. */
  readonly tell: (event: GuardEvent) => void;
  /** One guard at a time for each. Default: one of its own, with room for more tasks than there are. */
  readonly engine?: Engine;
  /** `none` does without koffi. */
  readonly native?: 'auto' | 'none' | undefined;
  /** Kills all of the process group of a victim (its job in a shell, a whole fork bomb), but whom it may not choose. Default false. */
  readonly processGroup?: boolean;
  /** Candidates that come before the scheme's own choice. Default: the queue of the engine, empty until somebody fills it. */
  readonly queue?: CandidateQueue;
  /** Shortest and longest sleep, ms, 1 … 60,000. Default 20 and 1,000. */
  readonly leastMs?: number;
  readonly mostMs?: number;
  /** Keeps the program's own code in memory (memory-lock.ts), where that may be done. Default false. */
  readonly lockMemory?: boolean;
  /** Sources of pressure of the caller's own, besides memory. */
  readonly sources?: readonly PressureSource[];
  /** What children of the application have in their environment (subtree.ts). */
  readonly cookie?: string;
  /** Called after each reading, so whenever the guard has come round: for watchdogs. In its thread; must not throw. */
  readonly onTurn?: (nowMs: number) => void;
  /** How protection is mirrored into the kernel. */
  readonly protection?: ProtectorOptions;
  /** In a worker: asks the main thread to end the process, which a panic may want. */
  readonly askMain?: (code: number) => void;
  /** How many decisions are kept whole, 0 … 64, and in how many bytes. Default 16 in 16 MiB. */
  readonly decisions?: DecisionRingOptions;
  /** The hand-off of a panic, and who hears of it. */
  readonly panic?: Pick<PanicOptions, 'handOff' | 'report'>;
}
