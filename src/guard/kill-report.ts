// Stage: report. In: what one kill did. Out: a plain object, and its JSON spelling.
import { type Plain, snakeKeys } from '../json-keys.js';

/** What a kill begins with. */
export type KillSignal = 'SIGTERM' | 'SIGKILL';

/** `released`: the memory is back. `stuck`: signalled, release not proved in time. `refused`: nobody was signalled. `gone`: it was gone before. */
export type KillOutcome = 'released' | 'stuck' | 'refused' | 'gone';

/** `kcmp`: compared by the kernel. `vmsize`: guessed, nothing verified. `none`: the victim holds no memory any more. */
export type SharerMethod = 'kcmp' | 'vmsize' | 'none';

/** A registered task is asked, not signalled: SIGTERM stands for that, SIGKILL for being asked hard or ended. */
export interface SentSignal {
  /** Or the id of a registered task, as everywhere in the report. */
  readonly tgid: number;
  readonly signal: KillSignal;
  /** Milliseconds after the call, like every time in the report. */
  readonly atMs: number;
}

/** A system call of a kill that failed, and did not end it. */
export interface KillError {
  readonly call: string;
  /** The errno name: EPERM, ESRCH, … */
  readonly code: string;
  readonly tgid: number;
}

/** What came of one kill: who, how it ended, the signals that were sent, and times in milliseconds. */
export interface KillReport {
  readonly tgid: number;
  /** Latin-1, as the kernel has it; null when it was gone before it could be read. The whole name of a registered task. */
  readonly comm: string | null;
  readonly outcome: KillOutcome;
  /**
   * Null when released. refused: `init`, `self`, `ancestor`, `kernel_thread`, `not_a_leader`, `foreign_proc`, `sharer_protected`, `aborted`,
   * or an errno name. gone: `exited`, `zombie`, `empty`. stuck: `timeout`, `unverified_sharers`, `aborted`, `deadline`, `threw`, or an
   * errno name.
   */
  readonly reason: string | null;
  /**
   * `pidfd`: no other process can be hit. `kill`: the identity was read immediately before kill(2), microseconds remain. `shed`: a
   * registered task, asked.
   */
  readonly path: 'pidfd' | 'kill' | 'shed';
  readonly askedSignal: KillSignal;
  /** The victim or a sharer holds CAP_SYS_RAWIO. */
  readonly rawio: boolean;
  readonly signals: readonly SentSignal[];
  readonly escalations: readonly { readonly step: string; readonly atMs: number }[];
  readonly sharers: {
    readonly method: SharerMethod | null;
    /** Verified sharers, signalled like the victim. */
    readonly killed: readonly number[];
    /** Perhaps sharers; waited for, never signalled. */
    readonly unverified: readonly number[];
  };
  /** Only where the victim was not to go alone: who went along, who did not, and why. */
  readonly group?: GroupFacts | undefined;
  /**
   * What proved the release: the pidfds, the states of all threads, or process_mrelease(2). Of a registered task its memory, measured
   * again, or that it is registered no more.
   */
  readonly releasedBy: 'pidfd' | 'threads' | 'mrelease' | 'memory' | 'unregistered' | null;
  /** Every signalled task had exited; false for a frozen victim whose memory process_mrelease took. */
  readonly exited: boolean;
  readonly mrelease: { readonly tries: number; readonly lastError: string | null };
  readonly threadsRaised: number;
  readonly errors: readonly KillError[];
  readonly timings: {
    readonly firstSignalMs: number | null;
    readonly sigkillMs: number | null;
    readonly releasedMs: number | null;
    readonly totalMs: number;
  };
  /** Of a registered task only. */
  readonly shed?: ShedFacts;
}

/** The rest of a group that dies whole. */
export interface GroupFacts {
  /** What binds them. */
  readonly by: 'memory.oom.group' | 'process group';
  /** A cgroup as a path below the mount, or the number of a process group. */
  readonly name: string;
  /** Signalled like the victim. */
  readonly killed: readonly number[];
  /** Left alone: never to be chosen, by a reason of Ineligible or of KillReport, or not to be signalled (an errno name). */
  readonly spared: readonly { readonly tgid: number; readonly reason: string }[];
}

/** What a registered task held and said; bytes. */
export interface ShedFacts {
  readonly heldBytes: number;
  /** Null when it could not be measured. */
  readonly leftBytes: number | null;
  /** What it says it gave back, all answers together; null when it did not say. */
  readonly claimedBytes: number | null;
  /** What it threw last. */
  readonly problem: string | null;
}

/** The report with the keys of the JSON output (`released_by`, `at_ms`), in the order of {@link KillReport}. */
export function killReportToJson(report: KillReport): { readonly [key: string]: Plain } {
  return snakeKeys(report as unknown as Plain) as { readonly [key: string]: Plain };
}
