/** Stage: report. What a guard says of itself when it begins. */
import type { Thresholds } from '../policy/levels.js';

/** What a guard says of itself when it has started: what it guards, why, how, and with what means. */
export interface GuardFacts {
  /** `system`, `memcg /a/b`, … */
  readonly domain: string;
  /** Why that one. */
  readonly reason: string;
  /** Its memory at the start, in words. */
  readonly memory: string;
  readonly thresholds: Thresholds;
  readonly scheme: string;
  /** Whose points come before those of the scheme, which then is its fallback; null for nobody's. */
  readonly plugin: string | null;
  readonly enforce: boolean;
  /** `pidfd`: a signal cannot reach another process. `kill`: the identity is read immediately before kill(2). */
  readonly signals: 'pidfd' | 'kill';
  /** Why not pidfd. */
  readonly signalsReason: string | null;
  /** poll(2), or timers and fs.watch. */
  readonly waits: 'poll' | 'timers';
  /** The program's own code stays in memory. */
  readonly locked: boolean;
  /** What is not as the policy asks for, in words. */
  readonly notes: readonly string[];
}
