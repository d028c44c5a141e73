/** Stage: table → selection → kill, of a machine that does not exist: what the rounds of a guard need of it. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { dueMs, ESCALATION_START, type Escalation, type EscalationPlan, stepEscalation } from '../guard/escalation.js';
import type { KillReport, SentSignal } from '../guard/kill-report.js';
import type { MemoryReading } from '../guard/round-report.js';
import type { Choice, Held, KillAsk, World } from '../guard/world.js';
import { matchesAny } from '../policy/glob.js';
import { namedScheme } from '../policy/plugin-scheme.js';
import type { Policy } from '../policy/policy.js';
import { type RankedBy, selectBy } from '../policy/rank-by.js';
import { slotOf } from '../rows.js';
import { loadTasks } from '../task.js';
import { type Machine, PAGE_BYTES } from './machine.js';

interface Killing {
  readonly tgid: number;
  readonly ask: KillAsk;
  readonly startMs: number;
  readonly signals: SentSignal[];
  escalation: Escalation;
  end(report: KillReport): void;
}

function planOf(ask: KillAsk): EscalationPlan {
  return { ...ask, rawio: false, hurry: ask.hurry?.aborted ?? false };
}

export class SimWorld implements World {
  readonly name = 'simulated';
  readonly pageSize = PAGE_BYTES;
  readonly #engine: Engine;
  readonly #policy: Policy;
  readonly #machine: Machine;
  readonly #by: RankedBy;
  readonly #killings = new Set<Killing>();
  readonly #aside = new Set<number>();

  /** `by`: the rules of the policy, and points of the caller's. */
  constructor(engine: Engine, policy: Policy, machine: Machine, by: RankedBy) {
    this.#by = by;
    this.#engine = engine;
    this.#policy = policy;
    this.#machine = machine;
  }

  nowMs(): number {
    return this.#machine.nowMs;
  }

  measure(): MemoryReading {
    const { availableKib, totalKib, swapTotalKib } = this.#machine.memory.state();
    return { availableBytes: availableKib * 1024, perCpuBytes: 0, totalBytes: (totalKib + swapTotalKib) * 1024 };
  }

  pressureBegins(): void {}

  shortageEnds(): void {}

  choose(): Choice {
    const facts = this.#machine.facts();
    const { never, parameters } = this.#policy;
    const mayDie = this.#machine
      .records()
      .filter(({ tgid, comm }) => !this.#aside.has(tgid) && !matchesAny(never, comm!));
    loadTasks(this.#engine, mayDie, facts);
    const { totalPages } = facts;
    const options = { ...parameters, scheme: namedScheme(this.#policy), totalPages };
    const selected = selectBy(this.#engine, options, this.#by);
    // A kill by somebody else counts as one in flight, as on a real machine.
    const inFlight = this.#machine.isKernelKilling ? { outcome: 'in-flight' as const, slot: L.E_NO_VICTIM } : {};
    return { ...selected, ...inFlight, tasks: mayDie.length, options, rules: this.#by.rules ?? null };
  }

  rowOf(tgid: number): number {
    return slotOf(this.#engine, tgid);
  }

  hold(slot: number): Held | null {
    const pid = this.#engine.u32(L.C_ID, slot);
    return this.#machine.tasks.has(pid) ? { pid, close() {} } : null;
  }

  holdQueued(): null {
    return null;
  }

  setAside({ pid }: Held): void {
    this.#aside.add(pid);
  }

  kill({ pid }: Held, ask: KillAsk): Promise<KillReport> {
    return new Promise((end) => {
      const startMs = this.nowMs();
      this.#killings.add({ tgid: pid, ask, startMs, signals: [], escalation: ESCALATION_START, end });
      this.tick();
    });
  }

  /** When a kill under way is due to go on, if nothing happens before: Infinity without one. */
  get nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { escalation, ask } of this.#killings) next = Math.min(next, dueMs(escalation, planOf(ask)));
    return next;
  }

  /** Somebody waits for the end of a kill. */
  get isKilling(): boolean {
    return this.#killings.size > 0;
  }

  /** Carries the kills under way on: what their escalation has due, and their end. True when one has ended. */
  tick(): boolean {
    const before = this.#killings.size;
    for (const killing of this.#killings) this.#carryOn(killing);
    return this.#killings.size < before;
  }

  #carryOn(killing: Killing): void {
    const { tgid, ask, signals, startMs } = killing;
    const isGone = !this.#machine.tasks.has(tgid);
    if (isGone || ask.abort.aborted) {
      const [outcome, reason] = isGone ? (['released', null] as const) : (['stuck', 'aborted'] as const);
      this.#end(killing, outcome, reason);
      return;
    }
    const next = stepEscalation(killing.escalation, this.nowMs(), planOf(ask));
    if (next === killing.escalation) return;
    killing.escalation = next;
    if (next.phase === 'stuck') {
      this.#end(killing, 'stuck', 'timeout');
      return;
    }
    const signal = next.phase === 'term' ? 'SIGTERM' : 'SIGKILL';
    this.#machine.signal(tgid, signal, 'guard');
    signals.push({ tgid, signal, atMs: this.nowMs() - startMs });
  }

  #end(killing: Killing, outcome: KillReport['outcome'], reason: string | null): void {
    this.#killings.delete(killing);
    const { tgid, ask, signals, startMs } = killing;
    const tookMs = this.nowMs() - startMs;
    const released = outcome === 'released';
    const sigkill = signals.find(({ signal }) => signal === 'SIGKILL');
    killing.end({
      ...{ tgid, comm: null, outcome, reason, path: 'pidfd', askedSignal: ask.signal, rawio: false, signals },
      ...{ escalations: [], sharers: { method: null, killed: [], unverified: [] } },
      ...{ releasedBy: released ? 'pidfd' : null, exited: released, mrelease: { tries: 0, lastError: null } },
      ...{ threadsRaised: 0, errors: [] },
      timings: {
        firstSignalMs: signals[0]?.atMs ?? null,
        sigkillMs: sigkill?.atMs ?? null,
        releasedMs: released ? tookMs : null,
        totalMs: tookMs,
      },
    });
  }

  /** Nobody waits any more for a kill under way. */
  close(): void {
    for (const killing of this.#killings) this.#end(killing, 'stuck', 'aborted');
  }
}
