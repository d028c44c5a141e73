// Stage: kill → wait for release. In: a system, a victim, settings. Out: one kill carried through, as a loop over the escalation.

import { dueMs, ESCALATION_START, type Escalation, type EscalationPlan, stepEscalation } from '../guard/escalation.js';
import type { KillOutcome, KillReport, KillSignal } from '../guard/kill-report.js';
import type { KillSettings } from './kill.js';
import { GroupKill } from './kill-group.js';
import { KillLedger } from './kill-ledger.js';
import type { KillSystem, TaskFacts, TaskHandle, Victim } from './kill-system.js';
import { Reaper } from './reaper.js';

interface Ending {
  readonly outcome: KillOutcome;
  readonly reason: string | null;
}

// After process_mrelease took the memory a task that can exit does so at once; its shared memory comes back only then.
const LINGER_MS = 100;

/** One kill. Use once. */
export class KillRun {
  readonly #system: KillSystem;
  readonly #victim: Victim;
  readonly #settings: KillSettings;
  readonly #ledger: KillLedger;
  readonly #reaper: Reaper;
  readonly #group: GroupKill;
  /** To be signalled; the victim first. */
  readonly #handles: TaskHandle[] = [];
  /** Perhaps sharers: waited for, never signalled. */
  readonly #unverified: TaskHandle[] = [];
  #escalation: Escalation = ESCALATION_START;
  #rawio = false;
  #sentAny = false;
  #exitedAtMs: number | null = null;
  #stopWait = new AbortController();

  constructor(system: KillSystem, victim: Victim, settings: KillSettings) {
    this.#system = system;
    this.#victim = victim;
    this.#settings = settings;
    this.#ledger = new KillLedger(system, victim.pid, settings.signal);
    this.#group = new GroupKill(system, this.#ledger, settings.group);
    this.#reaper = new Reaper(
      system,
      () => this.#ledger.nowMs(),
      () => this.#stopWait.abort(),
    );
  }

  async run(): Promise<KillReport> {
    const onAbort = () => this.#stopWait.abort();
    const { abort, hurry } = this.#settings;
    for (const signal of [abort, hurry]) signal?.addEventListener('abort', onAbort);
    try {
      const ending = await this.#course();
      return this.#ledger.report(ending, {
        rawio: this.#rawio,
        exited: this.#sentAny && this.#allExited(),
        mrelease: { tries: this.#reaper.tries, lastError: this.#reaper.lastError },
        group: this.#group.facts,
      });
    } finally {
      for (const signal of [abort, hurry]) signal?.removeEventListener('abort', onAbort);
    }
  }

  async #course(): Promise<Ending> {
    try {
      return this.#admit() ?? (await this.#escalate());
    } catch (error) {
      // A release that cannot be read is a release not proved.
      const code = this.#ledger.error('release', this.#victim.pid, error);
      return { outcome: this.#sentAny ? 'stuck' : 'refused', reason: code };
    }
  }

  #allExited(): boolean {
    try {
      return this.#handles.every((handle) => handle.exited()) && this.#group.pending.length === 0;
    } catch {
      return false;
    }
  }

  /** Everything that must hold before the first signal; an ending when it does not. */
  #admit(): Ending | null {
    const { pid } = this.#victim;
    try {
      const reason = this.#system.protection(pid);
      if (reason) return { outcome: 'refused', reason };
      const victim = this.#system.open(this.#victim);
      this.#handles.push(victim);
      const facts = this.#system.facts(victim);
      this.#ledger.comm = facts.comm;
      this.#rawio = facts.rawio;
      if (facts.tgid !== pid) return { outcome: 'refused', reason: 'not_a_leader' };
      if (facts.kernelThread) return { outcome: 'refused', reason: 'kernel_thread' };
      if (victim.exited()) return { outcome: 'gone', reason: 'zombie' };
    } catch (error) {
      const code = this.#ledger.error('open', pid, error);
      if (code === 'ESRCH') return { outcome: 'gone', reason: 'exited' };
      return { outcome: 'refused', reason: code === 'EINVAL' ? 'not_a_leader' : code };
    }
    return this.#addSharers() ?? this.#askPermission();
  }

  /** Opens the sharers not yet in hand. One that may not be killed keeps the memory, so then nobody is. */
  #addSharers(): Ending | null {
    const victim = this.#handles[0]!;
    let scan: ReturnType<KillSystem['sharers']>;
    try {
      scan = this.#system.sharers(victim);
    } catch (error) {
      this.#ledger.error('sharers', victim.pid, error);
      return null;
    }
    this.#ledger.scanned(scan);
    for (const pid of scan.verified) {
      if (this.#handles.some((handle) => handle.pid === pid)) continue;
      try {
        if (this.#system.protection(pid)) {
          this.#ledger.errors.push({ call: 'sharer_protected', code: 'EPERM', tgid: pid });
          return { outcome: 'refused', reason: 'sharer_protected' };
        }
        const sharer = this.#system.open({ pid });
        const facts: TaskFacts = this.#system.facts(sharer);
        if (facts.kernelThread || facts.tgid !== pid || !this.#system.stillShares(victim, sharer)) continue;
        this.#rawio ||= facts.rawio;
        this.#handles.push(sharer);
        this.#ledger.killed.push(pid);
      } catch (error) {
        this.#ledger.error('open', pid, error);
      }
    }
    this.#watchUnverified(scan.unverified);
    return null;
  }

  #watchUnverified(pids: readonly number[]): void {
    for (const pid of pids) {
      if (this.#ledger.unverified.includes(pid)) continue;
      try {
        this.#unverified.push(this.#system.open({ pid }));
        this.#ledger.unverified.push(pid);
      } catch (error) {
        this.#ledger.error('open', pid, error);
      }
    }
  }

  /** Asks for every signal before sending one: if one sharer may not be signalled, the others would die for nothing. */
  #askPermission(): Ending | null {
    for (const handle of this.#handles) {
      try {
        handle.signal('probe');
      } catch (error) {
        const code = this.#ledger.error('kill', handle.pid, error);
        if (code === 'ESRCH' && handle !== this.#handles[0]) continue;
        return code === 'ESRCH' ? { outcome: 'gone', reason: 'exited' } : { outcome: 'refused', reason: code };
      }
    }
    return null;
  }

  async #escalate(): Promise<Ending> {
    for (;;) {
      const now = this.#ledger.nowMs();
      const ending = this.#endedAt(now);
      if (ending) return ending;
      const next = stepEscalation(this.#escalation, now, this.#plan());
      if (next === this.#escalation) {
        await this.#wait(now);
        continue;
      }
      this.#escalation = next;
      const failed = this.#enter(next);
      if (failed) return failed;
    }
  }

  #enter(next: Escalation): Ending | null {
    this.#ledger.escalated(next.phase);
    if (next.phase === 'stuck') return { outcome: 'stuck', reason: this.#ledger.lastSignalError ?? 'timeout' };
    if (next.phase === 'term') return this.#signalAll('SIGTERM');
    // Since SIGTERM it may have started tasks on the same memory. What cannot be signalled is on record; it is too late to refuse.
    if (this.#sentAny) this.#addSharers();
    const failed = this.#signalAll('SIGKILL');
    if (failed) return failed;
    this.#raisePriority();
    this.#reaper.begin();
    this.#reaper.run(this.#handles);
    return null;
  }

  #signalAll(signal: KillSignal, from = 0): Ending | null {
    const victim = this.#handles[0]!;
    for (const handle of this.#handles.slice(from)) {
      try {
        if (handle.exited()) continue; // a zombie would take the signal, and the report would boast of it
        if (handle !== victim && !this.#system.stillShares(victim, handle)) {
          // One without any memory is ending, and may be the one that gives this back right now: it is waited for.
          if (this.#system.holdsMemory(handle)) this.#dropSharer(handle);
          continue;
        }
        handle.signal(signal);
        this.#sentAny = true;
        this.#ledger.sent(handle.pid, signal);
      } catch (error) {
        const code = this.#ledger.signalError(handle.pid, error);
        if (this.#sentAny || handle !== victim) continue;
        return code === 'ESRCH' ? { outcome: 'gone', reason: 'exited' } : { outcome: 'refused', reason: code };
      }
    }
    if (!this.#sentAny) return { outcome: 'gone', reason: 'exited' };
    // The victim first, as its memory is what is missing; no member can refuse for it.
    this.#group.signal(signal, this.#handles);
    return null;
  }

  /** It runs a program of its own by now: neither to be killed nor to be waited for. */
  #dropSharer(handle: TaskHandle): void {
    this.#handles.splice(this.#handles.indexOf(handle), 1);
    this.#ledger.dropped(handle.pid);
  }

  #raisePriority(): void {
    for (const handle of this.#handles) {
      this.#ledger.raised(handle.pid, this.#system.raisePriority(handle));
    }
    this.#ledger.escalated('priority');
  }

  #endedAt(now: number): Ending | null {
    if (this.#settings.abort?.aborted) return { outcome: this.#sentAny ? 'stuck' : 'refused', reason: 'aborted' };
    if (this.#sentAny) {
      const released = this.#releasedAt(now);
      if (released) return released;
    }
    if (now >= this.#settings.deadlineMs) return { outcome: this.#sentAny ? 'stuck' : 'refused', reason: 'deadline' };
    return null;
  }

  /** Released: every signalled task has exited and nobody else may hold the memory, or the kernel took it. */
  #releasedAt(now: number): Ending | null {
    const allExited = this.#handles.every((handle) => handle.exited()) && this.#group.pending.length === 0;
    const reapedAt = this.#reaper.reapedAtMs;
    if (reapedAt !== null && (allExited || now >= reapedAt + LINGER_MS)) {
      this.#ledger.released(allExited ? this.#exitProof() : 'mrelease');
      return { outcome: 'released', reason: null };
    }
    if (!allExited) return null;
    this.#exitedAtMs ??= now;
    if (this.#unverified.every((handle) => handle.exited())) {
      this.#ledger.released(this.#exitProof());
      return { outcome: 'released', reason: null };
    }
    const overdue = now >= this.#exitedAtMs + this.#settings.unverifiedMs;
    return overdue ? { outcome: 'stuck', reason: 'unverified_sharers' } : null;
  }

  #exitProof(): 'pidfd' | 'threads' {
    return this.#system.path === 'pidfd' ? 'pidfd' : 'threads';
  }

  async #wait(now: number): Promise<void> {
    if (this.#escalation.phase === 'kill') {
      if (this.#reaper.sharerMissing) this.#killLateSharers();
      this.#reaper.run(this.#handles);
    }
    const signalled = [...this.#handles.filter((handle) => !handle.exited()), ...this.#group.pending];
    // The last one exited since it was looked at: from now on it is the sharers that are waited for, by a time of their own.
    if (signalled.length === 0 && this.#exitedAtMs === null) return;
    const pending = signalled.length > 0 ? signalled : this.#unverified.filter((handle) => !handle.exited());
    const until = Math.min(
      dueMs(this.#escalation, this.#plan()),
      this.#settings.deadlineMs,
      this.#reaper.nextTryMs,
      (this.#reaper.reapedAtMs ?? Number.POSITIVE_INFINITY) + LINGER_MS,
      (this.#exitedAtMs ?? Number.POSITIVE_INFINITY) + this.#settings.unverifiedMs,
    );
    await this.#system.wait(pending, Math.max(1, until - now), this.#stopWait.signal);
    if (!this.#settings.abort?.aborted) this.#stopWait = new AbortController();
  }

  #plan(): EscalationPlan {
    return { ...this.#settings, rawio: this.#rawio, hurry: this.#settings.hurry?.aborted ?? false };
  }

  /** process_mrelease said that somebody on this memory is not dying: a task started between search and SIGKILL. */
  #killLateSharers(): void {
    const known = this.#handles.length;
    this.#reaper.sharerMissing = false;
    this.#addSharers();
    if (this.#handles.length === known) return;
    this.#signalAll('SIGKILL', known);
    this.#reaper.begin();
  }
}
