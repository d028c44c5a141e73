/**
 * Stage: kill → wait for release, of a registered task: asked to shed, then asked hard or ended, then stuck, each as long as the
 * policy gives a process for SIGTERM and SIGKILL. What it answers is noted; what counts is its memory, measured again.
 */
import { reasonOf } from '../guard/bounded-call.js';
import type { Clock } from '../guard/clock.js';
import { ClockWaiter } from '../guard/clock-waiter.js';
import { dueMs, ESCALATION_START, type Escalation, type EscalationPlan, stepEscalation } from '../guard/escalation.js';
import type { KillError, KillReport, SentSignal } from '../guard/kill-report.js';
import type { KillAsk } from '../guard/world.js';
import type { RegisteredTask } from './registered-task.js';
import { isQuantity } from './task-spec.js';

export interface ShedRunOptions {
  readonly task: RegisteredTask;
  readonly ask: KillAsk;
  /** What is missing until memory is not short any more, bytes, > 0. */
  readonly neededBytes: number;
  readonly clock: Clock;
}

type Ending = Pick<KillReport, 'outcome' | 'reason'> & { readonly releasedBy?: 'memory' | 'unregistered' };

/** Between two looks at its memory while it is waited for: garbage is collected when it is. */
const LOOK_FIRST_MS = 5;
const LOOK_MOST_MS = 100;

/** One task asked, to the end. Use once. */
export class ShedRun {
  readonly #options: ShedRunOptions;
  readonly #waiter: ClockWaiter;
  readonly #beganMs: number;
  readonly #heldBytes: number;
  readonly #signals: SentSignal[] = [];
  readonly #escalations: { step: string; atMs: number }[] = [];
  readonly #errors: KillError[] = [];
  #state: Escalation = ESCALATION_START;
  /** Of the question that has not been answered yet. */
  #unanswered: AbortController | null = null;
  #threw = false;
  #claimedBytes: number | null = null;
  #problem: string | null = null;
  #lookMs = LOOK_FIRST_MS;

  constructor(options: ShedRunOptions) {
    this.#options = options;
    this.#waiter = new ClockWaiter(options.clock);
    this.#beganMs = options.clock.now();
    this.#heldBytes = options.task.measure();
  }

  /** Never rejects. */
  async run(): Promise<KillReport> {
    const { abort, hurry } = this.#options.ask;
    const wake = () => this.#waiter.wake();
    for (const signal of [abort, hurry]) signal?.addEventListener('abort', wake);
    try {
      return this.#report(this.#refusal() ?? (await this.#escalate()));
    } finally {
      for (const signal of [abort, hurry]) signal?.removeEventListener('abort', wake);
      this.#waitNoLonger();
    }
  }

  /** Why it is not even asked. */
  #refusal(): Ending | null {
    const { task, ask } = this.#options;
    if (!task.registered) return { outcome: 'gone', reason: 'exited' };
    if (this.#heldBytes === 0) return { outcome: 'gone', reason: 'empty' };
    return ask.abort.aborted ? { outcome: 'refused', reason: 'aborted' } : null;
  }

  async #escalate(): Promise<Ending> {
    for (;;) {
      const now = this.#options.clock.now();
      const due = dueMs(this.#state, this.#plan());
      const ending = this.#endedAt(now, due);
      if (ending) return ending;
      const next = stepEscalation(this.#state, now, this.#plan());
      if (next === this.#state) {
        await this.#waiter.wait(Math.max(1, Math.min(due - now, this.#lookMs)));
        this.#lookMs = Math.min(this.#lookMs * 2, LOOK_MOST_MS);
        continue;
      }
      this.#state = next;
      if (next.phase === 'stuck') return { outcome: 'stuck', reason: 'timeout' };
      this.#ask(next.phase === 'kill');
    }
  }

  /** Whoever throws has nothing more to give by being waited for. */
  #plan(): EscalationPlan {
    const { ask } = this.#options;
    return { ...ask, rawio: false, hurry: this.#threw || (ask.hurry?.aborted ?? false) };
  }

  #endedAt(now: number, due: number): Ending | null {
    const { task, ask } = this.#options;
    if (this.#signals.length === 0) return null;
    if (!task.registered) return { outcome: 'released', reason: null, releasedBy: 'unregistered' };
    // Asked again before it has answered it would do both at once; at the end of its time the memory alone decides.
    if (this.#gaveBack() && (this.#unanswered === null || now >= due)) {
      return { outcome: 'released', reason: null, releasedBy: 'memory' };
    }
    if (ask.abort.aborted) return { outcome: 'stuck', reason: 'aborted' };
    return this.#threw && this.#state.phase === 'kill' ? { outcome: 'stuck', reason: 'threw' } : null;
  }

  /** Enough is what was needed, or else half of what it held. Memory that cannot be read is not proved to be back. */
  #gaveBack(): boolean {
    const left = this.#options.task.tryMeasure();
    return left !== null && this.#heldBytes - left >= Math.min(this.#options.neededBytes, this.#heldBytes / 2);
  }

  #ask(hard: boolean): void {
    const { task, neededBytes } = this.#options;
    this.#waitNoLonger();
    const controller = new AbortController();
    this.#unanswered = controller;
    this.#threw = false;
    this.#lookMs = LOOK_FIRST_MS;
    const call = hard ? task.hardCall : 'shed';
    this.#signals.push({ tgid: task.id, signal: hard ? 'SIGKILL' : 'SIGTERM', atMs: this.#atMs() });
    this.#escalations.push({ step: call === 'shed' && hard ? 'shed_hard' : call, atMs: this.#atMs() });
    const answered = (error: { code: string; problem: string } | null, answer?: unknown) => {
      // An answer that nobody waits for any more.
      if (this.#unanswered !== controller) return;
      this.#unanswered = null;
      if (call === 'shed' && isQuantity(answer)) this.#claimedBytes = (this.#claimedBytes ?? 0) + answer;
      if (error) {
        this.#threw = true;
        this.#problem = error.problem;
        this.#errors.push({ call, code: error.code, tgid: task.id });
      }
      this.#waiter.wake();
    };
    // What it throws at once is taken as what it throws later.
    new Promise((resolve) => resolve(task.ask(hard, neededBytes, controller.signal))).then(
      (answer) => answered(null, answer),
      (thrown: unknown) => answered({ code: codeOf(thrown), problem: reasonOf(thrown) }),
    );
  }

  #waitNoLonger(): void {
    this.#unanswered?.abort();
    this.#unanswered = null;
  }

  #atMs(): number {
    return this.#options.clock.now() - this.#beganMs;
  }

  #report({ outcome, reason, releasedBy }: Ending): KillReport {
    const { task, ask } = this.#options;
    const totalMs = this.#atMs();
    const first = this.#signals[0];
    const hard = this.#signals.find(({ signal }) => signal === 'SIGKILL');
    return {
      tgid: task.id,
      comm: task.name,
      outcome,
      reason,
      path: 'shed',
      askedSignal: ask.signal,
      rawio: false,
      signals: this.#signals,
      escalations: this.#escalations,
      sharers: { method: null, killed: [], unverified: [] },
      releasedBy: releasedBy ?? null,
      exited: !task.registered,
      mrelease: { tries: 0, lastError: null },
      threadsRaised: 0,
      errors: this.#errors,
      timings: {
        firstSignalMs: first?.atMs ?? null,
        sigkillMs: hard?.atMs ?? null,
        releasedMs: releasedBy ? totalMs : null,
        totalMs,
      },
      shed: {
        heldBytes: this.#heldBytes,
        leftBytes: task.tryMeasure(),
        claimedBytes: this.#claimedBytes,
        problem: this.#problem,
      },
    };
  }
}

/** The errno name or other code of an error; `UNKNOWN` without one. Even asking may throw. */
function codeOf(thrown: unknown): string {
  try {
    const { code } = thrown as { code?: unknown };
    return typeof code === 'string' ? code : 'UNKNOWN';
  } catch {
    return 'UNKNOWN';
  }
}
