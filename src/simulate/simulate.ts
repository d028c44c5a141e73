/**
 * Stage: all of them, of a machine that does not exist. A scenario and a policy come in; the very guard that a machine runs
 * (guard/guard.ts, guard/round.ts) watches the scenario in virtual time; what it did and what that cost goes out. The same seed
 * gives the same result on every runtime. When the guard is too late, the machine's kernel kills by its own rule (linux-5.9).
 */
import { openDomain } from '../domains.js';
import { type Engine, openEngine } from '../engine.js';
import type { Clock } from '../guard/clock.js';
import { Guard } from '../guard/guard.js';
import type { GuardEvent } from '../guard/guard-events.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic } from '../guard/panic.js';
import { Rounds } from '../guard/rounds.js';
import { compileRules } from '../policy/compiled-rule.js';
import type { Policy } from '../policy/policy.js';
import { NO_TEXTS, RowRules } from '../policy/row-rules.js';
import { memorySource } from '../pressure/memory-source.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import { scoreTasks, selectTask } from '../rank.js';
import { loadTasks } from '../task.js';
import { Machine, PAGE_BYTES, type SimTask, STEP_MS } from './machine.js';
import type { Scenario } from './scenario.js';
import { SimWorld } from './sim-world.js';

/** One task that was killed. */
export interface SimKill {
  readonly atMs: number;
  readonly by: 'guard' | 'kernel';
  readonly tgid: number;
  readonly comm: string;
  readonly bytes: number;
  readonly culprit: boolean;
  /** CPU time that it had spent. */
  readonly lostCpuMs: number;
}

/** Memory at one moment. */
export interface SimSample {
  readonly atMs: number;
  readonly heldBytes: number;
  readonly level: PressureLevel;
}

export interface SimResult {
  readonly scenario: string;
  readonly seed: number;
  readonly kills: readonly SimKill[];
  readonly innocentsKilled: number;
  readonly kernelKills: number;
  /** Time in which memory was at or below the threshold of `term`. */
  readonly shortMs: number;
  /** CPU time of all that were killed, ms: work lost. */
  readonly lostCpuMs: number;
  readonly samples: readonly SimSample[];
  readonly events: readonly GuardEvent[];
}

const SAMPLES = 400;
/** Promises of a guard that has nothing to wait for but each other are done after so many turns. */
const TURNS = 100;

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; ++turn) await Promise.resolve();
}

/** Timers of notifiers, in the time of the machine. */
class SimClock implements Clock {
  readonly #machine: Machine;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  now(): number {
    return this.#machine.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.now() + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  fire(): void {
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.now() || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}

/** Ends when the time of the machine has come, or when it is woken. */
class SimWaiter {
  readonly #machine: Machine;
  #untilMs = Number.POSITIVE_INFINITY;
  #end: (() => void) | null = null;
  #woken = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  wait(_wakeUps: unknown, ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    this.#untilMs = this.#machine.nowMs + ms;
    return new Promise((end) => {
      this.#end = end;
    });
  }

  wake(): void {
    if (this.#end === null) this.#woken = true;
    else this.#finish();
  }

  /** True when somebody was let go on. */
  tick(): boolean {
    if (this.#end === null || this.#machine.nowMs < this.#untilMs) return false;
    this.#finish();
    return true;
  }

  #finish(): void {
    const end = this.#end;
    this.#end = null;
    end?.();
  }
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #machine: Machine;
  readonly #kernel: Engine;
  readonly #world: SimWorld;
  readonly #clock: SimClock;
  readonly #waiter: SimWaiter;
  readonly #guard: Guard;
  readonly #kills: SimKill[] = [];
  readonly #seen = new Set<number>();
  readonly #samples: SimSample[] = [];
  readonly #events: GuardEvent[] = [];
  #shortMs = 0;

  constructor(scenario: Scenario, policy: Policy, engine: Engine, kernel: Engine, rules: RowRules | null) {
    this.#scenario = scenario;
    this.#kernel = kernel;
    this.#machine = new Machine(scenario);
    this.#world = new SimWorld(engine, policy, this.#machine, rules);
    this.#clock = new SimClock(this.#machine);
    this.#waiter = new SimWaiter(this.#machine);
    const source = memorySource({ read: () => this.#machine.memory() }, { thresholds: policy.thresholds });
    const chain = new NotifierChain({ limits: policy.limits, clock: this.#clock });
    const panic = new Panic({ plan: policy.panic, actions: { exit() {}, reboot() {}, run() {} }, clock: this.#clock });
    const domain = openDomain(engine, { kind: 'system' });
    this.#guard = new Guard({
      source,
      world: this.#world,
      rounds: new Rounds({ engine, world: this.#world, policy, domain, chain, panic }),
      waiter: this.#waiter,
      warnings: new NotifierChain({ limits: policy.limits, clock: this.#clock }),
      tell: (event) => void this.#events.push(event),
      neededBytes: () => source.neededBytes(),
    });
  }

  async run(): Promise<SimResult> {
    const { forMs } = this.#scenario;
    const sampleMs = Math.max(STEP_MS, Math.ceil(forMs / SAMPLES / STEP_MS) * STEP_MS);
    void this.#guard.run();
    await settle();
    this.#sample();
    while (this.#machine.nowMs < forMs) {
      await this.#step();
      if (this.#machine.nowMs % sampleMs === 0) this.#sample();
    }
    this.#guard.stop();
    return this.#result();
  }

  async #step(): Promise<void> {
    this.#machine.step();
    if (this.#machine.isFull) this.#kernelKills();
    this.#noteKills();
    if (this.#guard.level === 'term' || this.#guard.level === 'kill') this.#shortMs += STEP_MS;
    this.#clock.fire();
    this.#world.tick();
    const acting = this.#guard.acting;
    if (this.#waiter.tick() || acting) await settle();
  }

  /** As Linux does today: the most oom_score of all, at once, unless one is dying already. */
  #kernelKills(): void {
    const records = this.#machine.records();
    if (records.some(({ exiting }) => exiting)) return;
    const { memoryBytes, swapBytes } = this.#scenario;
    const totalPages = Math.floor((memoryBytes + swapBytes) / PAGE_BYTES);
    loadTasks(this.#kernel, records, { hz: 100, pageSize: PAGE_BYTES, uptimeS: this.#machine.uptimeS(), totalPages });
    const options = { scheme: 'linux-5.9', totalPages } as const;
    scoreTasks(this.#kernel, options);
    const { slot } = selectTask(this.#kernel, options);
    if (slot >= 0) this.#machine.signal(records[slot]!.tgid, 'SIGKILL', 'kernel');
  }

  #noteKills(): void {
    for (const task of this.#machine.tasks.values()) {
      if (task.killedBy === null || this.#seen.has(task.tgid)) continue;
      this.#seen.add(task.tgid);
      this.#kills.push(killOf(task, task.killedBy, this.#machine.nowMs));
    }
  }

  #sample(): void {
    const { nowMs, heldBytes } = this.#machine;
    this.#samples.push({ atMs: nowMs, heldBytes, level: this.#guard.level });
  }

  #result(): SimResult {
    const kills = this.#kills;
    return {
      scenario: this.#scenario.name,
      seed: this.#scenario.seed,
      kills,
      innocentsKilled: kills.filter(({ culprit }) => !culprit).length,
      kernelKills: kills.filter(({ by }) => by === 'kernel').length,
      shortMs: this.#shortMs,
      lostCpuMs: Math.round(kills.reduce((sum, { lostCpuMs }) => sum + lostCpuMs, 0)),
      samples: this.#samples,
      events: this.#events,
    };
  }
}

function killOf({ tgid, cast, bytes, cpuMs }: SimTask, by: SimKill['by'], atMs: number): SimKill {
  return { atMs, by, tgid, comm: cast.comm, bytes, culprit: cast.culprit, lostCpuMs: Math.round(cpuMs) };
}

const TASKS_SPARE = 4096;

/** Runs a scenario under a policy. Nothing real is touched. Throws TypeError for a policy with modules, which need workers. */
export async function simulate(scenario: Scenario, policy: Policy): Promise<SimResult> {
  if (typeof policy.scheme !== 'string')
    throw new TypeError('policy.scheme: a module needs a guard, which has workers');
  const maxTasks = scenario.cast.reduce(
    (sum, { count, forksMs, familyMost }) => sum + count * (forksMs > 0 ? familyMost : 1),
    TASKS_SPARE,
  );
  const engine = await openEngine({ maxTasks });
  const kernel = await openEngine({ maxTasks });
  // Users have numbers only, and nobody a file: what that leaves unknown counts in favour of the task.
  const compiled = await compileRules(policy.rules);
  const rules = compiled.length > 0 ? new RowRules(engine, compiled, NO_TEXTS) : null;
  // A scenario is played as if: a dry policy would only watch.
  return new Simulation(scenario, { ...policy, enforce: true }, engine, kernel, rules).run();
}
