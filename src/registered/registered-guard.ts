/** Stage: all of them. The guard of registered tasks: watches their budget and asks the worst, in the thread of the application. */
import { openDomain } from '../domains.js';
import { type Engine, openEngine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { type Clock, idleClock, systemClock } from '../guard/clock.js';
import { ClockWaiter } from '../guard/clock-waiter.js';
import { Guard } from '../guard/guard.js';
import type { GuardCounters, GuardEvent } from '../guard/guard-events.js';
import type { Notifier } from '../guard/notifier.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic, type PanicActions, type PanicOptions } from '../guard/panic.js';
import { registerApart } from '../guard/register-apart.js';
import { Rounds } from '../guard/rounds.js';
import type { Policy } from '../policy/policy.js';
import { type MemorySource, memorySource } from '../pressure/memory-source.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import { combineSources, type PressureSource } from '../pressure/pressure.js';
import { RegisteredReader } from './registered-reader.js';
import { RegisteredWorld, registeredDomain } from './registered-world.js';
import type { TaskRegistry } from './registry.js';

/** Whose tasks are guarded, by what policy, and who hears of it. */
export interface RegisteredGuardOptions {
  /** Its domain is `{ registered, budget }`. Nobody is asked unless it says `enforce: true`. */
  readonly policy: Policy;
  readonly registry: TaskRegistry;
  /** Hears every event. What it throws surfaces as an uncaught error, and the guard goes on. */
  readonly tell?: (event: GuardEvent) => void;
  /** How a panic ends, who hands off, who hears of it. Needed where the policy says `panic`, unless it stays for ever. */
  readonly panic?: Pick<PanicOptions, 'actions' | 'handOff' | 'report'>;
  /** Keeps the process alive as long as it guards, where the runtime can tell. Default false. */
  readonly keepAlive?: boolean;
  /** Shortest and longest sleep between two readings, ms, 1 … 60,000. Default 50 and 1,000. */
  readonly leastMs?: number;
  readonly mostMs?: number;
  /** For tests and simulations: all time is this one's. */
  readonly clock?: Clock;
}

const LEAST_MS = 50;

/**
 * Starts a guard over registered tasks. It runs in this thread: while the thread is blocked nobody is asked. Throws RangeError or
 * TypeError for a policy or options that cannot be used here.
 */
export async function guardRegistered(options: RegisteredGuardOptions): Promise<RegisteredGuard> {
  refuseUnusable(options);
  return new RegisteredGuard(await openEngine({ maxTasks: options.registry.maxTasks }), options);
}

/** What a policy may ask for and nobody here has. */
function refuseUnusable({ policy, panic }: RegisteredGuardOptions): void {
  registeredDomain(policy);
  if (policy.pressure.psi) throw new RangeError('policy.pressure.psi must be null: registered tasks have no PSI');
  if (policy.gate.kind !== 'level') {
    throw new RangeError(`policy.gate must be 'level': nobody reports failed allocations of registered tasks`);
  }
  const panics = policy.reaction === 'panic' || policy.noVictim === 'panic';
  if (panics && policy.panic.delayS !== 0 && !panic) {
    throw new TypeError('panic.actions must say how a panic ends, as the policy asks for one; got none');
  }
}

/** A guard of registered tasks; `guardRegistered` starts it, `close` ends it. */
export class RegisteredGuard implements AsyncDisposable {
  /** Its own: the table of the last choice, and the records of the last decisions. */
  readonly engine: Engine;
  /** Whose relieve, beforeKill, react and afterKill are called. */
  readonly chain: NotifierChain;
  /** Whose `warn` is called. */
  readonly warnings: NotifierChain;
  readonly panic: Panic;
  readonly #world: RegisteredWorld;
  readonly #source: PressureSource;
  readonly #waiter: ClockWaiter;
  readonly #guard: Guard;
  readonly #running: Promise<void>;
  #closed: Promise<void> | null = null;

  /** @internal */
  constructor(engine: Engine, options: RegisteredGuardOptions) {
    const { policy, registry, keepAlive = false, tell } = options;
    const clock = options.clock ?? systemClock;
    const { registered, budget } = registeredDomain(policy);
    const memory = openMemory(options, budget);
    const { forMs } = policy.pressure;
    const world = new RegisteredWorld(engine, policy, registry, { clock });
    this.engine = engine;
    this.#world = world;
    this.#source = forMs > 0 ? combineSources([memory], { mode: 'any', forMs }) : memory;
    this.#waiter = new ClockWaiter(options.clock ?? (keepAlive ? systemClock : idleClock));
    this.chain = new NotifierChain({ limits: policy.limits, clock });
    this.warnings = new NotifierChain({ limits: policy.limits, clock });
    this.panic = new Panic({ plan: policy.panic, actions: noActions(registered), clock, ...options.panic });
    const domain = openRegistered(engine, budget / world.pageSize);
    const { chain, panic } = this;
    this.#guard = new Guard({
      source: this.#source,
      world,
      rounds: new Rounds({ engine, world, policy, domain, chain, panic }),
      waiter: { wait: (_, ms) => this.#waiter.wait(ms), wake: () => this.#waiter.wake() },
      warnings: this.warnings,
      tell: (event) => tellApart(event, tell),
      neededBytes: () => memory.neededBytes(),
    });
    this.#running = this.#guard.run();
  }

  /** As printed: `registered tenants`. */
  get domain(): string {
    return this.#world.name;
  }

  /** The level of the last reading. */
  get level(): PressureLevel {
    return this.#guard.level;
  }

  get counters(): GuardCounters {
    return this.#guard.counters;
  }

  /** Adds a notifier: its `warn` is called apart from the rest, so that a warning never holds up a round. Errors as NotifierChain.register. */
  register(notifier: Notifier): void {
    registerApart(notifier, this.warnings, this.chain);
  }

  /** Ends the guard, within a second even in the middle of a round: who is being asked then is told by its `signal`. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#guard.stop();
    await this.#running;
    this.#world.close();
    this.#source.close();
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function openMemory({ policy, registry, leastMs = LEAST_MS, mostMs }: RegisteredGuardOptions, budget: number) {
  const sleep = { leastMs, ...(mostMs === undefined ? {} : { mostMs }) };
  const { thresholds } = policy;
  const memory: MemorySource = memorySource(new RegisteredReader(registry, budget), { thresholds, ...sleep });
  return memory;
}

/** Below the system, which is domain 0 of every engine. */
function openRegistered(engine: Engine, pages: number): number {
  const system = openDomain(engine, { kind: 'system' });
  return openDomain(engine, { kind: 'registered', parent: system, totalPages: Math.ceil(pages) });
}

/** A panic that stays for ever ends in nothing. */
function noActions(name: string): PanicActions {
  const refuse = () => {
    throw new BadnessError('ENOTSUP', `registered ${name}: no actions were given to end a panic with`);
  };
  return { exit: refuse, reboot: refuse, run: refuse };
}

/** A listener that throws is no reason to stop guarding. */
function tellApart(event: GuardEvent, tell: ((event: GuardEvent) => void) | undefined): void {
  try {
    tell?.(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
