/**
 * Stage: token → selection → kill → report. One round of one domain, in the order: token, measure, relieve, measure, choose
 * (candidate queue first, else the scheme), hold the identity, beforeKill, measure, name the victim to the token, kill,
 * wait until the memory is back, measure, afterKill. The gate and the pressure are whose who asks for a round.
 */
import * as L from '../../assembly/layout.js';
import { recordDecision } from '../decision.js';
import type { Engine } from '../engine.js';
import { explainTask } from '../explain.js';
import type { OomVictim } from '../oom-state.js';
import type { Policy } from '../policy/policy.js';
import type { CandidateQueue } from '../queue.js';
import { rankedAt } from '../rank.js';
import type { KillToken } from '../token.js';
import type { KillReport, KillSignal } from './kill-report.js';
import type { NotifierChain } from './notifier-chain.js';
import type { Panic } from './panic.js';
import type { Reactions } from './reactions.js';
import type { KillResult, Pressure, VictimFacts } from './round-events.js';
import type { MemoryReading, RoundOutcome, RoundReport } from './round-report.js';
import type { Choice, Held, World } from './world.js';

/** What the rounds of one domain are made with. */
export interface RoundsOptions {
  readonly engine: Engine;
  readonly world: World;
  readonly policy: Policy;
  /** Number of the domain in the engine. */
  readonly domain: number;
  readonly chain: NotifierChain;
  readonly panic: Panic;
  /** Candidates that come before the scheme's own choice. Those that may not be chosen are passed over. */
  readonly queue?: CandidateQueue;
  /** Hears of each choice with the number of its record, while the snapshot is what was chosen from. */
  readonly onChoice?: (choice: Choice, decision: number) => void;
  /** Hears who is killed, before a signal is sent. */
  readonly onVictim?: (victim: OomVictim) => void;
}

/** What one round is asked for. */
export interface RoundAsk {
  readonly signal: KillSignal;
  /** True when memory is not short any more: asked before the choice, after `relieve`, and right before the first signal. */
  readonly isOver?: () => boolean;
  /** What must be given back until it is over, bytes; told to those who are asked to relieve. */
  readonly neededBytes?: () => number;
  /** Fires when memory has become so short that a victim that was asked to go must be killed now. */
  readonly hurry?: AbortSignal;
  /** Fires when nobody waits for the round any more: no signal follows. */
  readonly stop?: AbortSignal;
}

/** Beyond the escalation a kill has this long to report. */
const GRACE_MS = 5000;

/** What came back from one reading to the next; what processors keep at hand is free, though not yet `available`. */
function freedBetween(before: MemoryReading, after: MemoryReading): number {
  return after.availableBytes + after.perCpuBytes - before.availableBytes - before.perCpuBytes;
}

/** Use once. */
export class Round {
  readonly #options: RoundsOptions;
  readonly #token: KillToken;
  readonly #reactions: Reactions;
  readonly #ask: RoundAsk;
  readonly #number: number;
  readonly #report: RoundReport;
  #held: Held | null = null;
  #slot: number = L.E_NO_VICTIM;
  #killing: Promise<KillReport> | null = null;
  #operation = 0;
  #deadlineMs = 0;
  #calledOff = false;

  constructor(options: RoundsOptions, token: KillToken, reactions: Reactions, ask: RoundAsk, number: number) {
    this.#options = options;
    this.#token = token;
    this.#reactions = reactions;
    this.#ask = ask;
    this.#number = number;
    const { world, policy } = options;
    this.#report = blankReport(world.name, policy.enforce, world.measure());
  }

  close(): void {
    this.#held?.close();
  }

  async run(): Promise<RoundReport> {
    const { world, policy } = this.#options;
    const report = this.#report;
    const began = world.nowMs();
    this.#deadlineMs = began + policy.escalation.termMs + policy.escalation.stuckMs + GRACE_MS;
    const operation = this.#acquire(began);
    if (operation !== undefined) {
      this.#operation = operation;
      try {
        await this.#act();
        // A round that stopped waiting for its reactions has called the kill off, and still sees to its end.
        report.kill = await this.#killing;
      } finally {
        // Whichever of the two states it is in, this operation is over.
        if (!this.#token.finish(operation)) this.#token.cancel(operation);
      }
    }
    if (report.kill?.outcome === 'stuck' && this.#held) world.setAside(this.#held);
    report.after = this.#measureAfter();
    if (report.kill?.signals.length) report.freedBytes = freedBetween(report.before, report.after);
    report.totalMs = world.nowMs() - began;
    await this.#tellAfter();
    return report;
  }

  /** As before where it cannot be read any more: a cgroup or a subtree may be gone with its last task, and what was done is to be told. */
  #measureAfter(): MemoryReading {
    try {
      return this.#options.world.measure();
    } catch {
      return this.#report.before;
    }
  }

  /** The token; an operation whose deadline has passed is ended first, so that a victim that is stuck wedges nobody. */
  #acquire(nowMs: number): number | undefined {
    const operation = this.#token.takeOver(nowMs, this.#deadlineMs);
    if (operation === undefined || !this.#token.holder?.victim) return operation;
    this.#token.finish(operation);
    return this.#token.acquire(this.#deadlineMs);
  }

  /** From the measuring to the end of the kill. */
  async #act(): Promise<void> {
    const report = this.#report;
    if (this.#ask.isOver?.() || (await this.#relieved())) {
      report.outcome = 'called-off';
      return;
    }
    const { engine, world } = this.#options;
    const choice = world.choose();
    report.rules = choice.rules?.report ?? null;
    report.plugin = choice.plugin?.report ?? null;
    // The record of a round says who was chosen by points, also where the queue goes before that.
    report.decision = recordDecision(engine, choice.options, choice.slot);
    this.#options.onChoice?.(choice, report.decision);
    this.#slot = this.#fromQueue(choice) ?? choice.slot;
    if (this.#slot < 0 && choice.outcome === 'in-flight') {
      report.outcome = 'in-flight';
      return;
    }
    if (this.#slot >= 0) {
      this.#describe(choice);
      this.#held ??= world.hold(this.#slot);
      if (this.#held === null) {
        report.outcome = 'gone';
        report.reason = 'exited';
        return;
      }
      const along = report.enforce ? null : world.along?.(this.#held);
      if (along) report.along = along;
    }
    await this.#react();
    report.outcome = await this.#outcome();
  }

  /** Asks those who can give memory back. Never in a dry round, which touches nobody. */
  async #relieved(): Promise<boolean> {
    const { chain, world } = this.#options;
    if (!this.#report.enforce || !chain.everHad('relieve')) return false;
    const neededPages = Math.ceil((this.#ask.neededBytes?.() ?? 0) / world.pageSize);
    const walk = await chain.walk('relieve', { ...this.#pressure(), neededPages });
    this.#report.walks.push(walk);
    if (walk.freedPages === 0) return false;
    this.#report.before = world.measure();
    return this.#ask.isOver?.() ?? false;
  }

  #pressure(): Pressure {
    const { availableBytes, totalBytes } = this.#report.before;
    return { domain: this.#report.domain, round: this.#number, availableBytes, totalBytes };
  }

  async #outcome(): Promise<RoundOutcome> {
    const report = this.#report;
    if (this.#slot < 0) return 'no-victim';
    if (!report.enforce) return 'dry';
    if (this.#calledOff) return 'called-off';
    const ended = (await this.#killing) ?? report.reaction?.kill;
    report.reason = ended?.reason ?? null;
    return ended?.outcome ?? 'left-alone';
  }

  /** The row of the first queued task that is alive and may be chosen; null when the queue has none, or is out of date. */
  #fromQueue(choice: Choice): number | null {
    const { queue, engine, world } = this.#options;
    this.#report.queueStale = queue !== undefined && queue.count > 0 && world.nowMs() > queue.untilMs;
    // Left as it is: whoever fills it replaces it.
    if (this.#report.queueStale) return null;
    for (let candidate = queue?.take(); candidate; candidate = queue?.take()) {
      const { tgid } = candidate;
      const held = world.holdQueued(candidate);
      const slot = world.rowOf(tgid, choice);
      if (slot >= 0 && !Number.isNaN(engine.f64(L.C_POINTS, slot))) {
        this.#held = held;
        this.#report.chosenBy = 'queue';
        return slot;
      }
      held?.close();
      const reason = slot < 0 ? null : rankedAt(engine, slot, choice.options.scheme).reason;
      this.#report.passedOver.push({ tgid, reason: reason ?? 'not there' });
    }
    return null;
  }

  #describe({ options, rules, plugin }: Choice): void {
    const { engine, world } = this.#options;
    const report = this.#report;
    report.terms = explainTask(engine, this.#slot, options);
    report.victim = rankedAt(engine, this.#slot, options.scheme);
    if (report.chosenBy === 'scheme') report.victim.rank = 1;
    report.victim.points = plugin?.pointsOf(this.#slot) ?? report.victim.points;
    if (rules) report.victim.rules = rules.hitsOf(this.#slot);
    report.expectedBytes = engine.f64(L.C_CHARGE, this.#slot) * world.pageSize;
  }

  #victimFacts(): VictimFacts | null {
    const { victim, expectedBytes } = this.#report;
    if (!victim) return null;
    const { tgid, comm, uid, points } = victim;
    return { tgid, comm, uid, points: points ?? 0, expectedBytes };
  }

  async #react(): Promise<void> {
    const { chain } = this.#options;
    const report = this.#report;
    const victim = this.#victimFacts();
    if (victim && report.enforce && chain.everHad('beforeKill')) {
      report.walks.push(await chain.walk('beforeKill', { ...this.#pressure(), victim }));
    }
    report.reaction = await this.#reactions.react({ ...this.#pressure(), victim });
  }

  async #tellAfter(): Promise<void> {
    const { chain } = this.#options;
    const { enforce, reaction, outcome, reason } = this.#report;
    if (!enforce || !reaction || !chain.everHad('afterKill')) return;
    const told = outcome === 'called-off' || outcome === 'left-alone' ? 'refused' : (outcome as KillResult['outcome']);
    const freedBytes = Math.max(this.#report.freedBytes ?? 0, 0);
    const event = { ...this.#pressure(), victim: this.#victimFacts(), outcome: told, freedBytes, reason };
    this.#report.walks.push(await chain.walk('afterKill', event));
  }

  /** Names the victim to the token, then kills. A stale operation or a task that is gone is never signalled. */
  async kill(abort: AbortSignal): Promise<KillResult> {
    const { engine, world, policy } = this.#options;
    const held = this.#held;
    if (!held) return { outcome: 'gone', freedBytes: 0, reason: 'exited' };
    // Choosing and asking took their time: what is freed counts from here.
    this.#report.before = world.measure();
    this.#calledOff = this.#ask.isOver?.() ?? false;
    if (this.#calledOff) return { outcome: 'refused', freedBytes: 0, reason: 'enough' };
    const startTicks = engine.f64(L.C_START_TICKS, this.#slot);
    if (!this.#token.nameVictim(this.#operation, { id: held.pid, startTicks }, this.#deadlineMs)) {
      return { outcome: 'refused', freedBytes: 0, reason: 'stale_operation' };
    }
    const kind = this.#report.victim?.kind ?? 'process';
    this.#options.onVictim?.({ kind, id: held.pid, startTicks });
    const { signal, hurry = null, stop } = this.#ask;
    const ended = stop ? AbortSignal.any([abort, stop]) : abort;
    this.#killing = world.kill(held, { signal, ...policy.escalation, abort: ended, hurry });
    const { outcome, reason } = await this.#killing;
    const freedBytes = Math.max(freedBetween(this.#report.before, this.#measureAfter()), 0);
    return { outcome, freedBytes, reason };
  }
}

export function blankReport(domain: string, enforce: boolean, now: MemoryReading): RoundReport {
  return {
    ...{ outcome: 'busy', reason: null, domain, enforce, chosenBy: 'scheme', queueStale: false, passedOver: [] },
    ...{ victim: null, terms: null, plugin: null, rules: null, decision: null, expectedBytes: 0, kill: null },
    ...{ walks: [], reaction: null, before: now, after: now, freedBytes: null, totalMs: 0 },
  };
}
