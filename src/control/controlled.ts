/** Stage: all of them. What a control server needs of the guard that it speaks for. */
import type { GuardCounters } from '../guard/guard-events.js';
import type { RoundReport } from '../guard/round-report.js';
import type { GuardFacts } from '../linux/guard-facts.js';
import type { PolicyReloads } from '../linux/guard-standing.js';
import type { PluginState } from '../linux/plugin-scheme.js';
import type { ExplainedNow, RankedNow } from '../linux/rankings.js';
import type { GateRule } from '../policy/policy.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import type { MemoryNews } from '../pressure/subscription.js';
import type { CandidateQueue } from '../queue.js';
import type { SchemeName } from '../schemes.js';
import type { TokenHolder } from '../token.js';

/** A task that is protected, as it is listed. */
export interface ProtectedName {
  readonly tgid: number;
  /** As of comm.ts: whatever its process wanted. */
  readonly comm: string;
}

/** Everything is of this thread, and returns at once but where it says otherwise. */
export interface ControlledGuard {
  readonly facts: GuardFacts;
  readonly gate: GateRule;
  readonly level: PressureLevel;
  readonly counters: Readonly<GuardCounters>;
  /** Other policies that it was given since it began. */
  readonly reloads: PolicyReloads;
  /** Null without a plug-in. */
  readonly plugin: PluginState | null;
  readonly queue: Pick<CandidateQueue, 'replace' | 'text' | 'count' | 'untilMs'>;
  /** Who holds the kill token of its domain. */
  readonly token: TokenHolder | undefined;
  /** Memory as last read, in words, and in numbers; null before the first reading. */
  describe(): string;
  readonly memory: MemoryNews | null;
  readonly protectedCount: number;
  /** Everybody who is protected now, in no order. */
  protectedTasks(): readonly ProtectedName[];
  /** Throws BadnessError `ESRCH`. */
  isProtected(id: number): boolean;
  /** By the id of a process or of a thread of it. Throws BadnessError `ESRCH`, `EPERM` for a kernel thread, `E2BIG`. */
  setProtection(id: number, on: boolean): void;
  /** At most a second old; takes its time, and holds up nobody. */
  rank(): Promise<RankedNow>;
  /** As `rank`. Rejects with BadnessError `ESRCH`. */
  explain(tgid: number, scheme?: SchemeName): Promise<ExplainedNow>;
  /** A decision, by the number in its report, as a recording. Rejects with BadnessError `ENODATA`. */
  decisionRecording(id: number): Promise<string>;
  /** One round now, and what came of it. Rejects with BadnessError `EBUSY`. */
  round(): Promise<RoundReport>;
}
