// Stage: report. In: every act of one kill as it happens. Out: the report.

import type { KillError, KillOutcome, KillReport, KillSignal, SentSignal } from '../guard/kill-report.js';
import { errorCode } from './identity.js';
import type { KillSystem } from './kill-system.js';
import type { SharerScan } from './sharers.js';

/** Collects what one kill does; all times are milliseconds since it was made. */
export class KillLedger {
  readonly #system: KillSystem;
  readonly #startMs: number;
  readonly #tgid: number;
  readonly #askedSignal: KillSignal;
  readonly #signals: SentSignal[] = [];
  readonly #escalations: { step: string; atMs: number }[] = [];
  #method: SharerScan['method'] | null = null;
  #releasedBy: KillReport['releasedBy'] = null;
  #releasedMs: number | null = null;
  readonly errors: KillError[] = [];
  readonly killed: number[] = [];
  readonly unverified: number[] = [];
  comm: string | null = null;
  threadsRaised = 0;
  /** The errno name of the last signal that was refused after others were sent; null when the last ones were taken. */
  lastSignalError: string | null = null;

  constructor(system: KillSystem, tgid: number, askedSignal: KillSignal) {
    this.#system = system;
    this.#startMs = system.now();
    this.#tgid = tgid;
    this.#askedSignal = askedSignal;
  }

  nowMs(): number {
    return Math.round((this.#system.now() - this.#startMs) * 1000) / 1000;
  }

  escalated(step: string): void {
    this.#escalations.push({ step, atMs: this.nowMs() });
  }

  scanned(scan: SharerScan): void {
    // A later search of a dying victim finds no memory: that does not make the first answer less true.
    if (this.#method === null || scan.method !== 'none') this.#method = scan.method;
  }

  /** Out of the list only when it was never signalled: what was done stays in the report. */
  dropped(tgid: number): void {
    const at = this.killed.indexOf(tgid);
    if (at >= 0 && !this.#signals.some((sent) => sent.tgid === tgid)) this.killed.splice(at, 1);
  }

  sent(tgid: number, signal: KillSignal): void {
    this.#signals.push({ tgid, signal, atMs: this.nowMs() });
    this.lastSignalError = null;
  }

  /** Records a failed act and returns its errno name. */
  error(call: string, tgid: number, error: unknown): string {
    const code = errorCode(error);
    this.errors.push({ call, code, tgid });
    return code;
  }

  raised(tgid: number, { threads, error }: { readonly threads: number; readonly error: string | null }): void {
    this.threadsRaised += threads;
    if (error) this.errors.push({ call: 'setpriority', code: error, tgid });
  }

  signalError(tgid: number, error: unknown): string {
    const code = this.error('kill', tgid, error);
    if (code !== 'ESRCH') this.lastSignalError = code;
    return code;
  }

  released(by: KillReport['releasedBy']): void {
    this.#releasedBy = by;
    this.#releasedMs = this.nowMs();
  }

  report(
    ending: { readonly outcome: KillOutcome; readonly reason: string | null },
    rest: Pick<KillReport, 'rawio' | 'exited' | 'mrelease' | 'group'>,
  ): KillReport {
    const first = this.#signals[0]?.atMs ?? null;
    const sigkill = this.#signals.find((sent) => sent.signal === 'SIGKILL')?.atMs ?? null;
    return {
      tgid: this.#tgid,
      comm: this.comm,
      outcome: ending.outcome,
      reason: ending.reason,
      path: this.#system.path,
      askedSignal: this.#askedSignal,
      rawio: rest.rawio,
      signals: this.#signals,
      escalations: this.#escalations,
      sharers: { method: this.#method, killed: this.killed, unverified: this.unverified },
      ...(rest.group ? { group: rest.group } : {}),
      releasedBy: this.#releasedBy,
      exited: rest.exited,
      mrelease: rest.mrelease,
      threadsRaised: this.threadsRaised,
      errors: this.errors,
      timings: { firstSignalMs: first, sigkillMs: sigkill, releasedMs: this.#releasedMs, totalMs: this.nowMs() },
    };
  }
}
