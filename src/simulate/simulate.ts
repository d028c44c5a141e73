/**
 * Stage: all of them, of a machine that does not exist. A scenario and a policy come in; the very guard that a machine runs
 * (guard/guard.ts, guard/round.ts) watches the scenario in virtual time; what it did and what that cost goes out. The same seed
 * gives the same result on every runtime. When the guard is too late, the machine's kernel kills by its own rule (linux-5.9).
 */
import { openDomain } from '../domains.js';
import { type Engine, openEngine } from '../engine.js';
import { Guard } from '../guard/guard.js';
import type { GuardEvent } from '../guard/guard-events.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic } from '../guard/panic.js';
import { Rounds } from '../guard/rounds.js';
import { FunctionPoints } from '../plugin/points-source.js';
import type { PointsFunction } from '../plugin/task-function.js';
import { compileRules } from '../policy/compiled-rule.js';
import type { Policy } from '../policy/policy.js';
import type { RankedBy } from '../policy/rank-by.js';
import { RowRules } from '../policy/row-rules.js';
import { memorySource } from '../pressure/memory-source.js';
import { combineSources } from '../pressure/pressure.js';
import { Machine, STEP_MS } from './machine.js';
import { type Scenario, tasksMost } from './scenario.js';
import { type SimFigures, SimMeter, type SimSample } from './sim-figures.js';
import { SimKernel } from './sim-kernel.js';
import { SimTexts } from './sim-texts.js';
import { SimClock, SimWaiter, settle } from './sim-time.js';
import { SimWorld } from './sim-world.js';

export interface SimResult extends SimFigures {
  readonly scenario: string;
  readonly seed: number;
  readonly samples: readonly SimSample[];
  /** What the guard told; none where the kernel was alone. */
  readonly events: readonly GuardEvent[];
}

const SAMPLES = 400;

/** A guard of a simulated machine, and what time has to do for it. */
class SimGuard {
  readonly events: GuardEvent[] = [];
  readonly guard: Guard;
  readonly #world: SimWorld;
  readonly #clock: SimClock;
  readonly #waiter: SimWaiter;

  constructor(machine: Machine, policy: Policy, engine: Engine, by: RankedBy) {
    this.#world = new SimWorld(engine, policy, machine, by);
    this.#clock = new SimClock(machine);
    this.#waiter = new SimWaiter(machine);
    const { limits, thresholds, pressure } = policy;
    const memory = memorySource({ read: () => machine.memory.state() }, { thresholds });
    const chain = new NotifierChain({ limits, clock: this.#clock });
    const panic = new Panic({ plan: policy.panic, actions: { exit() {}, reboot() {}, run() {} }, clock: this.#clock });
    const domain = openDomain(engine, { kind: 'system' });
    this.guard = new Guard({
      source: pressure.forMs > 0 ? combineSources([memory], pressure) : memory,
      world: this.#world,
      rounds: new Rounds({ engine, world: this.#world, policy, domain, chain, panic }),
      waiter: this.#waiter,
      warnings: new NotifierChain({ limits, clock: this.#clock }),
      tell: (event) => void this.events.push(event),
      neededBytes: () => memory.neededBytes(),
    });
  }

  async start(): Promise<void> {
    void this.guard.run();
    await settle();
  }

  /** What the next step may be at most, ms, of `quietMs`. */
  quietMs(nowMs: number, quietMs: number): number {
    return this.guard.acting ? STEP_MS : Math.min(quietMs, this.#waiter.untilMs - nowMs);
  }

  async step(): Promise<void> {
    this.#clock.fire();
    this.#world.tick();
    const acting = this.guard.acting;
    if (this.#waiter.tick() || acting) await settle();
  }

  /** A kill under way is let go first, so that the guard has nothing to wait for. */
  async stop(): Promise<void> {
    this.#world.close();
    await settle();
    this.guard.stop();
  }
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #machine: Machine;
  readonly #kernel: SimKernel;
  readonly #meter: SimMeter;
  readonly #guard: SimGuard | null;
  readonly #samples: SimSample[] = [];

  constructor(scenario: Scenario, machine: Machine, kernel: Engine, guard: SimGuard | null) {
    this.#scenario = scenario;
    this.#machine = machine;
    this.#kernel = new SimKernel(kernel, machine, scenario.machine);
    this.#meter = new SimMeter(machine);
    this.#guard = guard;
  }

  async run(): Promise<SimResult> {
    const { lasts, name, seed } = this.#scenario;
    const machine = this.#machine;
    const sampleMs = Math.max(STEP_MS, Math.ceil(lasts / SAMPLES / STEP_MS) * STEP_MS);
    await this.#guard?.start();
    this.#sample();
    while (machine.nowMs < lasts) {
      const untilSample = sampleMs - (machine.nowMs % sampleMs);
      await this.#step(Math.min(machine.quietMs(), untilSample, lasts - machine.nowMs));
      if (machine.nowMs % sampleMs === 0) this.#sample();
    }
    await this.#guard?.stop();
    const events = this.#guard?.events ?? [];
    return { scenario: name, seed, ...this.#meter.figures(), samples: this.#samples, events };
  }

  async #step(mostMs: number): Promise<void> {
    const quietMs = this.#guard?.quietMs(this.#machine.nowMs, mostMs) ?? mostMs;
    const ms = Math.max(STEP_MS, Math.floor(quietMs / STEP_MS) * STEP_MS);
    this.#machine.step(ms);
    if (this.#machine.isFull) this.#kernel.kill();
    this.#meter.stepped(ms);
    await this.#guard?.step();
  }

  #sample(): void {
    const { memory, nowMs } = this.#machine;
    const swapUsedBytes = this.#scenario.machine.swap - memory.swapFree;
    const level = this.#guard?.guard.level ?? 'none';
    this.#samples.push({ atMs: nowMs, availableBytes: memory.available, swapUsedBytes, level });
  }
}

/** What of a policy a simulation leaves out, in words; empty when it is played whole. */
export function notPlayed({ domain, pressure, notify, rules, gate, reaction, noVictim }: Policy): string[] {
  const isUserNamed = rules.some(({ user }) => typeof user === 'string');
  const said: [boolean, string][] = [
    [typeof domain === 'object', 'the domain: the machine is short of memory'],
    [pressure.psi !== null, 'stalls (pressure.psi): only memory and swap are asked'],
    [gate.kind === 'rate', 'the rate gate: no failed allocations are reported'],
    [notify.length > 0, 'notifiers: nobody is told'],
    [isUserNamed, 'users by name: a simulation knows uids only, so such a rule matches nobody'],
    [[reaction, noVictim].some((one) => one !== null && typeof one === 'object'), 'reactions from modules'],
  ];
  return said.flatMap(([is, words]) => (is ? [words] : []));
}

const TASKS_SPARE = 16;

export interface SimulateOptions {
  /** Points of the caller's own, in the place of those of the policy's scheme. What it throws is told by the guard (`failed`). */
  readonly points?: PointsFunction;
}

/**
 * Runs a scenario under a policy; null is no guard at all, the kernel alone. Nothing real is touched. Throws TypeError for a scheme
 * from a module, which needs workers, and for points that are no function.
 */
export async function simulate(
  scenario: Scenario,
  policy: Policy | null,
  { points }: SimulateOptions = {},
): Promise<SimResult> {
  const maxTasks = tasksMost(scenario) + TASKS_SPARE;
  const kernel = await openEngine({ maxTasks, build: 'baseline' });
  const machine = new Machine(scenario);
  if (policy === null) return new Simulation(scenario, machine, kernel, null).run();
  if (typeof policy.scheme !== 'string')
    throw new TypeError('policy.scheme: a module needs a guard, which has workers');
  // Whom nobody shares the memory with needs no shared memory, of which every runtime sets aside gigabytes of addresses.
  const engine = await openEngine({ maxTasks, build: 'baseline' });
  const compiled = await compileRules(policy.rules);
  const rules = compiled.length > 0 ? new RowRules(engine, compiled, new SimTexts(machine)) : null;
  // A scenario is played as if: a dry policy would only watch.
  const plugin = points === undefined ? null : new FunctionPoints(points);
  const guard = new SimGuard(machine, { ...policy, enforce: true }, engine, { rules, plugin });
  return new Simulation(scenario, machine, kernel, guard).run();
}
