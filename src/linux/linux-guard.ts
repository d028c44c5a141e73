/**
 * Stage: all of them. The guard of one domain of this machine: opens what it watches and what it acts with, everything that
 * can be before memory is short, and puts it together.
 */
import { closeDomain } from '../domains.js';
import { type Engine, openEngine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { Guard } from '../guard/guard.js';
import type { GuardEvent } from '../guard/guard-events.js';
import type { Notifier } from '../guard/notifier.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic, type PanicOptions } from '../guard/panic.js';
import { refuseModules } from '../guard/refuse-modules.js';
import { registerApart } from '../guard/register-apart.js';
import type { RoundReport } from '../guard/round-report.js';
import { Rounds } from '../guard/rounds.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import type { Policy } from '../policy/policy.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import type { PressureSource } from '../pressure/pressure.js';
import { MemorySubscription } from '../pressure/subscription.js';
import type { CandidateQueue } from '../queue.js';
import { KillToken, type TokenHolder } from '../token.js';
import type { GuardFacts } from './guard-facts.js';
import { factsOf, type GuardParts, openOrRefuse, openParts } from './guard-parts.js';
import { loadNative } from './native.js';
import { openLinuxDomain } from './open-domain.js';
import { linuxPanicActions } from './panic.js';
import { listPids } from './proc-files.js';
import type { Protector, ProtectorOptions } from './protector.js';
import { openQueue } from './queue-tasks.js';
import { Rankings } from './rankings.js';
import { openRules } from './rules.js';
import { warmUp } from './warm-up.js';

export interface LinuxGuardOptions {
  readonly policy: Policy;
  /** What domain `auto` means. */
  readonly for: 'daemon' | 'library';
  /** Hears every event, in the thread of the guard. What it throws ends the guard. */
  readonly tell: (event: GuardEvent) => void;
  /** Default: one of its own, with room for more tasks than there are. */
  readonly engine?: Engine;
  /** `none` does without koffi. */
  readonly native?: 'auto' | 'none' | undefined;
  /** Candidates that come before the scheme's own choice. Default: the queue of the engine, empty until somebody fills it. */
  readonly queue?: CandidateQueue;
  /** Shortest and longest sleep, ms, 1 … 60,000. Default 20 and 1,000. */
  readonly leastMs?: number;
  readonly mostMs?: number;
  /** Keeps the program's own code in memory (memory-lock.ts), where that may be done. Default false. */
  readonly lockMemory?: boolean;
  /** Sources of pressure of the caller's own, besides memory. */
  readonly sources?: readonly PressureSource[];
  /** What children of the application have in their environment (subtree.ts). */
  readonly cookie?: string;
  /** Called after each reading, so whenever the guard has come round: for watchdogs. In its thread; must not throw. */
  readonly onTurn?: (nowMs: number) => void;
  /** How protection is mirrored into the kernel. */
  readonly protection?: ProtectorOptions;
  /** In a worker: asks the main thread to end the process, which a panic may want. */
  readonly askMain?: (code: number) => void;
  /** The hand-off of a panic, and who hears of it. */
  readonly panic?: Pick<PanicOptions, 'handOff' | 'report'>;
}

/** Room for tasks that a fork bomb brings. Costs address space, not memory, until there are so many. */
const TASKS_LEAST = 32_768;

const SYSTEM = 0;
/** Children of protected tasks are looked for so often, so that one whose parent ends soon is still found. */
const INHERIT_EVERY_MS = 1000;

export class LinuxGuard {
  readonly engine: Engine;
  /** Whose relieve, beforeKill, react and afterKill are called. */
  readonly chain: NotifierChain;
  /** Whose `warn` is called. */
  readonly warnings: NotifierChain;
  readonly panic: Panic;
  /** The readings of memory, for every thread that wants them. */
  readonly subscription = new MemorySubscription();
  readonly policy: Policy;
  /** Candidates that come before the scheme's own choice. Written from this thread only. */
  readonly queue: CandidateQueue;
  /** Whom it would choose, for who asks meanwhile. */
  readonly rankings: Rankings;
  readonly #token: KillToken;
  readonly #guard: Guard;
  readonly #parts: GuardParts;
  #running: Promise<void> | null = null;
  #inheritedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GuardParts, options: LinuxGuardOptions) {
    const { policy } = options;
    const { engine, world, source, waiter, number, signals } = parts;
    this.#parts = parts;
    this.engine = engine;
    this.policy = policy;
    this.chain = new NotifierChain({ limits: policy.limits });
    this.warnings = new NotifierChain({ limits: policy.limits });
    this.panic = new Panic({ plan: policy.panic, actions: panicActions(options), ...options.panic });
    this.queue = options.queue ?? openQueue(engine);
    this.rankings = new Rankings(world.chooser, { rules: policy.rules });
    this.#token = new KillToken(engine, number);
    const { chain, panic, queue } = this;
    this.#guard = new Guard({
      source: source.source,
      world,
      rounds: new Rounds({
        ...{ engine, world, policy, domain: number, chain, panic, queue },
        onVictim: (victim) => void signals.victim(victim),
      }),
      signals,
      reason: source.reason,
      waiter,
      warnings: this.warnings,
      tell: (event) => this.#tell(event, options.tell),
      neededBytes: () => source.memory.neededBytes(),
      sleptMs: (nowMs) => parts.suspend.check(nowMs),
      onReading: (level, nowMs) => {
        this.#publish(level, nowMs);
        options.onTurn?.(nowMs);
      },
    });
  }

  /** Tasks that are never chosen, and their children. */
  get protector(): Protector {
    return this.#parts.protector;
  }

  /** What it says of itself when it begins. */
  get facts(): GuardFacts {
    return factsOf(this.#parts, this.policy);
  }

  /** Number of its domain in the engine. */
  get domain(): number {
    return this.#parts.number;
  }

  get level(): PressureLevel {
    return this.#guard.level;
  }

  get counters() {
    return this.#guard.counters;
  }

  /** Who holds the kill token of its domain; undefined while it is idle. */
  get token(): TokenHolder | undefined {
    return this.#token.holder;
  }

  /** One round now, whatever the level; as Guard.round. Rejects with BadnessError `EBUSY` while one is under way. */
  round(): Promise<RoundReport> {
    return this.#guard.round();
  }

  /** Watches until `close`. Rejects only for errors of the program. */
  run(): Promise<void> {
    this.#running ??= this.#guard.run();
    return this.#running;
  }

  /** Adds a notifier: its `warn` is called apart from the rest, so that a warning never holds up a round. Errors as NotifierChain.register. */
  register(notifier: Notifier): void {
    registerApart(notifier, this.warnings, this.chain);
  }

  /** Memory as last read, in words. */
  describe(): string {
    return this.#parts.source.source.describe();
  }

  factsToJson(): { readonly [key: string]: Plain } {
    return snakeKeys(this.facts as unknown as Plain) as { readonly [key: string]: Plain };
  }

  /** The caller could not have memory that it asked for. True when the gate let it through, and a round follows. */
  allocationFailed(): boolean {
    const { source, world } = this.#parts;
    return source.failures.allocationFailed(world.nowMs());
  }

  /** How short memory is, in the program's own judgement: stands until it says otherwise, beside what the guard reads itself. */
  report(level: PressureLevel): void {
    this.#parts.source.reported.report(level);
  }

  /** A report of another thread, which its gate let through. */
  openForAllocation(): void {
    this.#parts.source.failures.letThrough(this.#parts.world.nowMs());
  }

  /** Stops, within a second even in the middle of a round, and gives everything back. */
  async close(): Promise<void> {
    this.#guard.stop();
    await this.#running;
    const { engine, world, source, waiter, suspend, domain, number, protector, signals } = this.#parts;
    signals.unwatch();
    protector.close();
    world.close();
    source.source.close();
    waiter.close();
    suspend.close();
    domain.close();
    if (number !== SYSTEM) closeDomain(engine, number);
  }

  #publish(level: PressureLevel, nowMs: number): void {
    if (nowMs - this.#inheritedMs >= INHERIT_EVERY_MS) {
      this.#inheritedMs = nowMs;
      this.#parts.protector.refresh();
    }
    const { state } = this.#parts.source.memory;
    if (state) this.subscription.publish(state, level, nowMs);
  }

  /** Before memory is short is the time to list the tasks and to open what is kept of them. */
  #tell(event: GuardEvent, tell: (event: GuardEvent) => void): void {
    if (event.kind === 'level' && event.level === 'warn' && event.was === 'none') this.#parts.world.choose();
    tell(event);
  }
}

function panicActions({ policy, askMain }: LinuxGuardOptions) {
  return linuxPanicActions({ allowReboot: policy.panic.allowReboot, ...(askMain ? { askMain } : {}) });
}

/**
 * Opens a guard. Nobody is killed before `run`, nor then unless the policy says `enforce: true`.
 * Throws BadnessError `EPRESSURE` when pressure cannot be read, `EDOMAIN` for a domain that is not there, `ENOTLINUX`;
 * TypeError or RangeError for a policy that cannot be used here.
 */
export async function openLinuxGuard(options: LinuxGuardOptions): Promise<LinuxGuard> {
  const { policy } = options;
  refuseModules(policy);
  const load = await loadNative(options.native ? { native: options.native } : {});
  const engine =
    options.engine ?? (await openEngine({ maxTasks: Math.max(TASKS_LEAST, 2 * listPids('/proc').length) }));
  const { native } = load;
  const opened = openOrRefuse(() =>
    openLinuxDomain(policy.domain, {
      for: options.for,
      native,
      thresholds: policy.thresholds,
      cookie: options.cookie,
    }),
  );
  const rules = await openRules(engine, policy.rules);
  const parts = openParts(engine, opened, load, rules, options);
  const guard = new LinuxGuard(parts, options);
  const { error } = parts.source.source.read(parts.world.nowMs());
  if (error !== null) {
    await guard.close();
    throw new BadnessError('EPRESSURE', `pressure of ${opened.domain.name} cannot be read: ${error}`);
  }
  parts.signals.watch();
  // The first choice opens a descriptor a task and compiles what a later one runs.
  parts.world.choose();
  warmUp(parts);
  return guard;
}
