// Stage: kill → wait for release. In: one victim. Out: the report of what was done to it, after its memory is back or the time is up.

import type { KillReport } from '../guard/kill-report.js';
import type { KillGroup } from './kill-group.js';
import { KillRun } from './kill-run.js';
import type { KillSystem, Victim } from './kill-system.js';
import { createKillSystem } from './live-system.js';
import { loadNative } from './native.js';

/** How one task is killed: signals, times in milliseconds, means. */
export interface KillOptions {
  /** What to begin with. SIGTERM (default) is followed by SIGKILL after `termMs`. */
  readonly signal?: 'SIGTERM' | 'SIGKILL';
  /** SIGTERM → SIGKILL, 0 … 3,600,000 ms, default 3000. */
  readonly termMs?: number;
  /** SIGTERM → SIGKILL for a holder of CAP_SYS_RAWIO when SIGKILL is asked, default 200 ms. */
  readonly rawioMs?: number;
  /** SIGKILL → declared stuck, default 10000 ms. */
  readonly stuckMs?: number;
  /** How long tasks that perhaps share the memory are waited for when all others have exited, default 1000 ms. */
  readonly unverifiedMs?: number;
  /** The whole kill, from the call, default without bound (the escalation ends by itself). */
  readonly deadlineMs?: number;
  /** Ends the wait: `refused` before the first signal, `stuck` after it. Signals sent stay sent. */
  readonly abort?: AbortSignal;
  /** Fires when SIGKILL must follow SIGTERM at once instead of after `termMs` (a RAWIO holder keeps its `rawioMs`). */
  readonly hurry?: AbortSignal | null;
  /** `none`: do without koffi. Default: the environment `BADNESS_NATIVE`, else `auto`. */
  readonly native?: 'auto' | 'none';
  /**
   * VmSize in pages of every process that was there a moment ago, the victim among them, by tgid; 0 or less for one whose leader was not
   * seen with memory. The search for sharers need not list and read again, nor compare those of another size. Default none.
   */
  readonly seenPages?: ReadonlyMap<number, number>;
  /** Who is to end with the victim, signalled right after it at each step and waited for like it. Default nobody. */
  readonly group?: KillGroup | null;
  /** Another machine: tests. It is not closed. */
  readonly system?: KillSystem;
}

/** {@link KillOptions} with every default filled in. */
export interface KillSettings {
  readonly signal: 'SIGTERM' | 'SIGKILL';
  readonly termMs: number;
  readonly rawioMs: number;
  readonly stuckMs: number;
  readonly unverifiedMs: number;
  readonly deadlineMs: number;
  readonly abort: AbortSignal | null;
  readonly hurry: AbortSignal | null;
  readonly group: KillGroup | null;
}

const LONGEST_MS = 3_600_000;

/**
 * Kills one task and every task sharing its memory, and returns when that memory is back: SIGTERM → SIGKILL → priority −20 →
 * process_mrelease(2) → stuck, each by time. Never rejects for what the world does: EPERM, ESRCH and the like are in the report,
 * and nobody else is killed instead.
 * @throws TypeError, RangeError for options of the wrong kind or value.
 */
export async function killTask(victim: Victim, options: KillOptions = {}): Promise<KillReport> {
  if (!Number.isInteger(victim?.pid)) throw new TypeError(`victim.pid must be an integer, got ${victim?.pid}`);
  const settings = checkOptions(options);
  const own = options.system
    ? null
    : createKillSystem(await loadNative(options.native ? { native: options.native } : {}), options.seenPages);
  try {
    return await new KillRun(options.system ?? own!, victim, settings).run();
  } finally {
    own?.close();
  }
}

function checkOptions(options: KillOptions): KillSettings {
  const signal = options.signal ?? 'SIGTERM';
  if (signal !== 'SIGTERM' && signal !== 'SIGKILL')
    throw new RangeError(`signal must be SIGTERM or SIGKILL, got ${signal}`);
  return {
    signal,
    termMs: milliseconds('termMs', options.termMs ?? 3000),
    rawioMs: milliseconds('rawioMs', options.rawioMs ?? 200),
    stuckMs: milliseconds('stuckMs', options.stuckMs ?? 10_000),
    unverifiedMs: milliseconds('unverifiedMs', options.unverifiedMs ?? 1000),
    deadlineMs:
      options.deadlineMs === undefined ? Number.POSITIVE_INFINITY : milliseconds('deadlineMs', options.deadlineMs),
    abort: options.abort ?? null,
    hurry: options.hurry ?? null,
    group: options.group ?? null,
  };
}

function milliseconds(name: string, value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (!(value >= 0 && value <= LONGEST_MS)) throw new RangeError(`${name} must be 0..${LONGEST_MS}, got ${value}`);
  return value;
}
