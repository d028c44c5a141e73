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
import { namedScheme } from '../policy/plugin-scheme.js';
import type { Policy } from '../policy/policy.js';
import { policySource } from '../policy/pressure-rule.js';
import type { RankedBy } from '../policy/rank-by.js';
import { RowRules } from '../policy/row-rules.js';
import { memorySource } from '../pressure/memory-source.js';
import type { Machine as MachineFacts, Task } from '../task.js';
import { Machine, STEP_MS } from './machine.js';
import { type Scenario, tasksMost } from './scenario.js';
import { type SimFigures, SimMeter, type SimSample } from './sim-figures.js';
import { SimKernel } from './sim-kernel.js';
import { SimTexts } from './sim-texts.js';
import { SimWorld } from './sim-world.js';
import { settle, VirtualClock, VirtualWaiter } from './virtual-time.js';

/** A run of a scenario: figures, samples, and what the guard told. */
export interface SimResult extends SimFigures {
  readonly scenario: string;
  readonly seed: number;
  readonly samples: readonly SimSample[];
  /** What the guard told; none where the kernel was alone. */
  readonly events: readonly GuardEvent[];
}

/** A sample, with everybody who was there. */
export interface SimMoment {
  readonly sample: SimSample;
  readonly tasks: readonly Task[];
  readonly machine: MachineFacts;
}

/** Who looks on, and who gives points. */
export interface SimulateOptions {
  /** Called with each sample while the scenario is played, for who wants to see the tasks as well. */
  readonly onMoment?: (moment: SimMoment) => void;
  /** Points of the caller's own, in the place of those of the policy's scheme. What it throws is told by the guard (`failed`). */
  readonly points?: PointsFunction;
}

const SAMPLES = 400;

/** A guard of a simulated machine, and what time has to do for it. */
class SimGuard {
  readonly events: GuardEvent[] = [];
  readonly guard: Guard;
  readonly #world: SimWorld;
  readonly #clock: VirtualClock;
  readonly #waiter: VirtualWaiter;

  constructor(machine: Machine, policy: Policy, engine: Engine, by: RankedBy) {
    this.#world = new SimWorld(engine, policy, machine, by);
    this.#clock = new VirtualClock(machine);
    this.#waiter = new VirtualWaiter(machine);
    const { limits, thresholds, pressure } = policy;
    const memory = memorySource({ read: () => machine.memory.state() }, { thresholds });
    const chain = new NotifierChain({ limits, clock: this.#clock });
    const panic = new Panic({ plan: policy.panic, actions: { exit() {}, reboot() {}, run() {} }, clock: this.#clock });
    const domain = openDomain(engine, { kind: 'system' });
    this.guard = new Guard({
      source: policySource(memory, [], pressure),
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

  /** When somebody on the side of the guard is due. */
  get nextMs(): number {
    return Math.min(this.#waiter.dueMs, this.#clock.dueMs, this.#world.nextMs);
  }

  async step(): Promise<void> {
    // All of them go on, whatever the others say.
    const gone = [this.#clock.fire(), this.#world.tick(), this.#waiter.tick()];
    const isBetween = this.guard.acting && !this.#world.isKilling;
    if (isBetween || gone.includes(true)) await settle();
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
  readonly #options: SimulateOptions;

  constructor(scenario: Scenario, machine: Machine, kernel: Engine, guard: SimGuard | null, options: SimulateOptions) {
    this.#options = options;
    this.#scenario = scenario;
    this.#machine = machine;
    this.#kernel = new SimKernel(kernel, machine);
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
    // Before the guard is stopped: what it does then is not of the scenario.
    const events = [...(this.#guard?.events ?? [])];
    const result = { scenario: name, seed, ...this.#meter.figures(), samples: this.#samples, events };
    await this.#guard?.stop();
    return result;
  }

  async #step(mostMs: number): Promise<void> {
    const nextMs = this.#guard?.nextMs ?? Number.POSITIVE_INFINITY;
    const quietMs = Math.min(mostMs, nextMs - this.#machine.nowMs);
    const ms = Math.max(STEP_MS, Math.ceil(quietMs / STEP_MS) * STEP_MS);
    this.#machine.step(ms);
    if (this.#machine.isFull) this.#kernel.kill();
    this.#meter.stepped(ms);
    await this.#guard?.step();
  }

  #sample(): void {
    const { memory, nowMs } = this.#machine;
    const swapUsedBytes = this.#scenario.machine.swap - memory.swapFree;
    const level = this.#guard?.guard.level ?? 'none';
    const sample = { atMs: nowMs, availableBytes: memory.available, swapUsedBytes, level };
    this.#samples.push(sample);
    this.#options.onMoment?.({ sample, tasks: this.#machine.records(), machine: this.#machine.facts() });
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
let engineModule: WebAssembly.Module | null = null;

/**
 * An engine of its own memory: whom nobody shares it with needs no shared one, of which every runtime sets aside gigabytes of addresses.
 * Its code is compiled once for all runs.
 */
async function openOwnEngine(maxTasks: number): Promise<Engine> {
  engineModule ??= new WebAssembly.Module((await import('../engine-baseline.js')).default);
  return openEngine({ maxTasks, build: 'baseline', module: engineModule });
}

/**
 * Runs a scenario under a policy; null is no guard at all, the kernel alone. Nothing real is touched. Throws TypeError for a scheme
 * from a module, which needs workers, and for points that are no function.
 */
export async function simulate(
  scenario: Scenario,
  policy: Policy | null,
  options: SimulateOptions = {},
): Promise<SimResult> {
  const maxTasks = tasksMost(scenario) + TASKS_SPARE;
  const kernel = await openOwnEngine(maxTasks);
  const machine = new Machine(scenario);
  if (policy === null) return new Simulation(scenario, machine, kernel, null, options).run();
  namedScheme(policy);
  const engine = await openOwnEngine(maxTasks);
  const compiled = await compileRules(policy.rules);
  const rules = compiled.length > 0 ? new RowRules(engine, compiled, new SimTexts(machine)) : null;
  // A scenario is played as if: a dry policy would only watch.
  const { points } = options;
  const plugin = points === undefined ? null : new FunctionPoints(points);
  const guard = new SimGuard(machine, { ...policy, enforce: true }, engine, { rules, plugin });
  return new Simulation(scenario, machine, kernel, guard, options).run();
}
