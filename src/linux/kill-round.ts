/**
 * Stage: selection → token → kill → report. One round of the system domain by hand, as sysrq-f asks the kernel for one:
 * token, measure, choose (candidate queue first, else the scheme), hold the identity, name the victim to the token,
 * kill, wait until the memory is back, measure again, report. The gate is not asked and no threshold is looked at but
 * the caller's own: somebody asked.
 */
import * as L from '../../assembly/layout.js';
import { isDomainOpen, openDomain } from '../domains.js';
import type { Engine } from '../engine.js';
import { explainTask } from '../explain.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic } from '../guard/panic.js';
import { Reactions } from '../guard/reactions.js';
import type { KillResult } from '../guard/round-events.js';
import type { Policy } from '../policy/policy.js';
import type { CandidateQueue } from '../queue.js';
import { rankedAt } from '../rank.js';
import { schemeNumber } from '../schemes.js';
import { KillToken } from '../token.js';
import { type Choice, Chooser } from './chooser.js';
import type { Identity } from './identity.js';
import { killTask } from './kill.js';
import type { KillReport } from './kill-report.js';
import { readMachine, readMemory, readPerCpuPages } from './machine.js';
import { linuxPanicActions } from './panic.js';
import { candidateIdentity } from './queue-tasks.js';
import type { MemoryReading, RoundOutcome, RoundReport } from './round-report.js';

export interface KillRoundOptions {
  policy: Policy;
  /** Candidates that come before the scheme's own choice (openQueue). Those that may not be chosen are passed over. */
  queue?: CandidateQueue;
  /** `none` does without koffi. */
  native?: 'auto' | 'none';
  /** Begin with SIGKILL instead of SIGTERM. */
  signal?: 'SIGTERM' | 'SIGKILL';
  /**
   * Call the kill off when so much is available: asked once the token is held, as the kernel tries the allocation once
   * more, and again right before the first signal. Bytes; without it nothing calls it off.
   */
  enoughBytes?: number;
}

const SYSTEM = 0;
/** Beyond the escalation a kill has this long to report. */
const GRACE_MS = 5000;

function measure(pageSize: number): MemoryReading {
  const { availablePages, totalPages } = readMemory('/proc', pageSize);
  return {
    availableBytes: availablePages * pageSize,
    perCpuBytes: readPerCpuPages('/proc') * pageSize,
    totalBytes: totalPages * pageSize,
  };
}

/** What came back from one reading to the next; what processors keep at hand is free, though not yet `available`. */
function freedBetween(before: MemoryReading, after: MemoryReading): number {
  return after.availableBytes + after.perCpuBytes - before.availableBytes - before.perCpuBytes;
}

/** Milliseconds of the one clock that every thread reads. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** A policy asks for what only a guard has: then nothing is done, rather than something else. */
function checkPolicy({ domain, reaction, noVictim }: Policy): void {
  if (domain !== 'system' && domain !== 'auto') throw new RangeError("policy.domain must be 'system' or 'auto' here");
  for (const [name, choice] of Object.entries({ reaction, noVictim })) {
    if (choice === null || typeof choice === 'string') continue;
    throw new TypeError(`policy.${name}: a reaction from a module needs a guard, which has workers`);
  }
}

/**
 * Carries out one round. Nobody is signalled unless `policy.enforce` is true. Never rejects for what the world does;
 * rejects with TypeError or RangeError for a policy that cannot be used here, BadnessError `ENOTLINUX` without /proc.
 */
export async function killRound(engine: Engine, options: KillRoundOptions): Promise<RoundReport> {
  checkPolicy(options.policy);
  const round = new KillRound(engine, options);
  try {
    return await round.run();
  } finally {
    round.close();
  }
}

class KillRound {
  private readonly engine: Engine;
  private readonly options: KillRoundOptions;
  private readonly token: KillToken;
  private readonly chooser: Chooser;
  private readonly pageSize: number;
  private identity: Identity | null = null;
  private killing: Promise<KillReport> | null = null;
  private operation = 0;
  private calledOff = false;

  constructor(engine: Engine, options: KillRoundOptions) {
    this.engine = engine;
    this.options = options;
    this.pageSize = readMachine().pageSize;
    if (!isDomainOpen(engine.view, SYSTEM)) openDomain(engine, { kind: 'system' });
    this.token = new KillToken(engine, SYSTEM);
    this.chooser = new Chooser(engine, options.policy);
  }

  close(): void {
    this.identity?.close();
    this.chooser.close();
  }

  async run(): Promise<RoundReport> {
    const began = monotonicMs();
    const { termMs, stuckMs } = this.options.policy.escalation;
    const deadline = began + termMs + stuckMs + GRACE_MS;
    const report = this.blank();
    const operation = this.acquire(began, deadline);
    if (operation !== undefined) {
      this.operation = operation;
      try {
        await this.act(report, deadline);
        // A round that stopped waiting for its reactions has called the kill off, and still sees to its end.
        report.kill = await this.killing;
      } finally {
        // Whichever of the two states it is in, this operation is over.
        if (!this.token.finish(operation)) this.token.cancel(operation);
      }
    }
    report.after = measure(this.pageSize);
    if (report.kill?.signals.length) report.freedBytes = freedBetween(report.before, report.after);
    report.totalMs = monotonicMs() - began;
    return report;
  }

  private blank(): RoundReport {
    const now = measure(this.pageSize);
    return {
      outcome: 'busy',
      reason: null,
      domain: 'system',
      enforce: this.options.policy.enforce,
      chosenBy: 'scheme',
      passedOver: [],
      victim: null,
      terms: null,
      expectedBytes: 0,
      kill: null,
      reaction: null,
      before: now,
      after: now,
      freedBytes: null,
      totalMs: 0,
    };
  }

  /** The token; an operation whose deadline has passed is ended first, so that a victim that is stuck wedges nobody. */
  private acquire(nowMs: number, deadlineMs: number): number | undefined {
    const operation = this.token.takeOver(nowMs, deadlineMs);
    if (operation === undefined || !this.token.holder?.victim) return operation;
    this.token.finish(operation);
    return this.token.acquire(deadlineMs);
  }

  /** From the choice to the end of the kill. */
  private async act(report: RoundReport, deadline: number): Promise<void> {
    // Reading memory costs system calls while it is short: only for those who want to know.
    if (this.options.enoughBytes !== undefined && this.isEnough(measure(this.pageSize))) {
      report.outcome = 'called-off';
      return;
    }
    const choice = this.chooser.choose();
    // The record of a round says whom the scheme chose, also where the queue goes before it.
    this.engine.abi.decide(this.engine.window, schemeNumber(choice.options.scheme));
    const queued = this.fromQueue(report, choice);
    const slot = queued ?? choice.slot;
    if (slot < 0 && choice.outcome === 'in-flight') {
      report.outcome = 'in-flight';
      return;
    }
    if (slot >= 0) {
      this.describe(report, slot, choice);
      this.identity ??= this.chooser.identify(slot);
    }
    if (slot >= 0 && this.identity === null) {
      report.outcome = 'gone';
      report.reason = 'exited';
      return;
    }
    await this.react(report, slot, deadline);
    report.outcome = await this.outcome(report, slot);
  }

  private isEnough({ availableBytes }: MemoryReading): boolean {
    return availableBytes >= (this.options.enoughBytes ?? Number.POSITIVE_INFINITY);
  }

  private async outcome(report: RoundReport, slot: number): Promise<RoundOutcome> {
    if (slot < 0) return 'no-victim';
    if (!report.enforce) return 'dry';
    if (this.calledOff) return 'called-off';
    const ended = (await this.killing) ?? report.reaction?.kill;
    report.reason = ended?.reason ?? null;
    return ended?.outcome ?? 'left-alone';
  }

  /** The first queued task that is alive and may be chosen, as a row; null when the queue has none. */
  private fromQueue(report: RoundReport, choice: Choice): number | null {
    const { queue } = this.options;
    for (let candidate = queue?.take(); candidate; candidate = queue?.take()) {
      const { tgid, handle } = candidate;
      const identity = handle === 0 ? null : candidateIdentity(candidate);
      const slot = this.chooser.rowOf(tgid, choice);
      if (slot >= 0 && !Number.isNaN(this.engine.f64(L.C_POINTS, slot))) {
        this.identity = identity;
        report.chosenBy = 'queue';
        return slot;
      }
      identity?.close();
      const reason = slot < 0 ? null : rankedAt(this.engine, slot, choice.options.scheme).reason;
      report.passedOver.push({ tgid, reason: reason ?? 'not there' });
    }
    return null;
  }

  private describe(report: RoundReport, slot: number, { options }: Choice): void {
    const { engine } = this;
    report.terms = explainTask(engine, slot, options);
    report.victim = rankedAt(engine, slot, options.scheme);
    if (report.chosenBy === 'scheme') report.victim.rank = 1;
    report.expectedBytes = engine.f64(L.C_CHARGE, slot) * this.pageSize;
  }

  private async react(report: RoundReport, slot: number, deadline: number): Promise<void> {
    const { policy } = this.options;
    const reactions = new Reactions({
      chain: new NotifierChain({ limits: policy.limits }),
      kill: (_facts, signal) => this.killVictim(report, slot, deadline, signal),
      panic: new Panic({ plan: policy.panic, actions: linuxPanicActions() }),
      enforce: policy.enforce,
      noVictim: typeof policy.noVictim === 'string' ? policy.noVictim : 'none',
    });
    if (typeof policy.reaction === 'string') reactions.choose(policy.reaction);
    const { victim, expectedBytes } = report;
    report.reaction = await reactions.react({
      domain: 'system',
      round: 1,
      ...report.before,
      victim: victim && { tgid: victim.tgid, comm: victim.comm, points: victim.points ?? 0, expectedBytes },
    });
  }

  /** Names the victim to the token, then kills. A stale operation or a task that is gone is never signalled. */
  private async killVictim(
    report: RoundReport,
    slot: number,
    deadline: number,
    abort: AbortSignal,
  ): Promise<KillResult> {
    const { engine, identity, options } = this;
    if (!identity) return { outcome: 'gone', freedBytes: 0, reason: 'exited' };
    // Choosing took its time: what is freed counts from here.
    report.before = measure(this.pageSize);
    this.calledOff = this.isEnough(report.before);
    if (this.calledOff) return { outcome: 'refused', freedBytes: 0, reason: 'enough' };
    const startTicks = engine.f64(L.C_START_TICKS, slot);
    if (!this.token.nameVictim(this.operation, { id: identity.pid, startTicks }, deadline)) {
      return { outcome: 'refused', freedBytes: 0, reason: 'stale_operation' };
    }
    const { signal = 'SIGTERM', native } = options;
    const settings = { signal, ...options.policy.escalation, abort, ...(native ? { native } : {}) };
    this.killing = killTask({ pid: identity.pid, identity }, settings);
    const { outcome, reason } = await this.killing;
    const freedBytes = Math.max(freedBetween(report.before, measure(this.pageSize)), 0);
    return { outcome, freedBytes, reason };
  }
}
