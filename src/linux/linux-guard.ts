/**
 * Stage: all of them. The guard of one domain of this machine: opens what it watches and what it acts with, everything that
 * can be before memory is short, and puts it together.
 */
import type { Engine } from '../engine.js';
import { Guard } from '../guard/guard.js';
import type { GuardEvent } from '../guard/guard-events.js';
import type { GuardOptions } from '../guard/guard-options.js';
import type { Notifier } from '../guard/notifier.js';
import type { NotifierChain } from '../guard/notifier-chain.js';
import type { Panic } from '../guard/panic.js';
import { registerApart } from '../guard/register-apart.js';
import type { RoundReport } from '../guard/round-report.js';
import { Rounds } from '../guard/rounds.js';
import { type Plain, snakeKeys } from '../json-keys.js';
import type { Policy } from '../policy/policy.js';
import type { PressureLevel } from '../pressure/memory-state.js';
import { MemorySubscription } from '../pressure/subscription.js';
import type { CandidateQueue } from '../queue.js';
import { KillToken, type TokenHolder } from '../token.js';
import type { GuardFacts } from './guard-facts.js';
import { closeNumber, factsOf, type GuardParts, SYSTEM, setGate } from './guard-parts.js';
import { type PolicyReloads, type Prepared, prepare, type Standing, standingOf } from './guard-standing.js';
import { KeptDecisions } from './kept-decisions.js';
import type { LinuxGuardOptions } from './linux-guard-options.js';
import type { PluginState } from './plugin-scheme.js';
import type { Protector } from './protector.js';
import { openQueue } from './queue-tasks.js';
import type { Rankings } from './rankings.js';

/** A guard that never blocks looks each time; one that does, so often at least. */
const LOOK_MS = 2000;
/** Children of protected tasks are looked for so often, so that one whose parent ends soon is still found. */
const INHERIT_EVERY_MS = 1000;

/** A guard of a domain of this machine, in the thread of the caller; `openLinuxGuard` opens it, `run` watches until `close`. */
export class LinuxGuard {
  readonly engine: Engine;
  /** The readings of memory, for every thread that wants them. */
  readonly subscription = new MemorySubscription();
  /** Candidates that come before the scheme's own choice. Written from this thread only. */
  readonly queue: CandidateQueue;
  /** The last decisions. */
  readonly decisions: KeptDecisions;
  /** Other policies that it was given: how many came into force, how many were refused, and why the last of these. */
  reloads: PolicyReloads = { taken: 0, refused: 0, lastError: null };
  readonly #token: KillToken;
  readonly #guard: Guard;
  readonly #rounds: Rounds;
  readonly #parts: GuardParts;
  readonly #options: LinuxGuardOptions;
  #standing: Standing;
  #facts: GuardFacts | null = null;
  #reloading: Promise<unknown> = Promise.resolve();
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #inheritedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GuardParts, options: LinuxGuardOptions) {
    const { policy } = options;
    const { engine, world, source, waiter, number, signals } = parts;
    this.#parts = parts;
    this.#options = options;
    this.engine = engine;
    this.#standing = standingOf(policy, world.chooser, options);
    this.queue = options.queue ?? openQueue(engine);
    this.#token = new KillToken(engine, number);
    this.decisions = new KeptDecisions(parts, options.decisions);
    const { chain, panic, queue, warnings } = this;
    this.#rounds = new Rounds({
      ...{ engine, world, policy, domain: number, chain, panic, queue },
      onChoice: (choice, id) => this.decisions.keep(choice, id, this.policy),
      onVictim: (victim) => void signals.victim(victim),
    });
    this.#guard = new Guard({
      source: source.source,
      world,
      rounds: this.#rounds,
      signals,
      reason: () => parts.source.reason(),
      waiter,
      warnings,
      tell: (event) => this.#tell(event),
      neededBytes: () => parts.source.memory.neededBytes(),
      glance: { mostMs: Math.min(LOOK_MS, options.mostMs ?? LOOK_MS), isSame: () => this.#isSame() },
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

  /** The one in force. */
  get policy(): Policy {
    return this.#standing.policy;
  }

  /** Whose relieve, beforeKill, react and afterKill are called. */
  get chain(): NotifierChain {
    return this.#standing.chain;
  }

  /** Whose `warn` is called. */
  get warnings(): NotifierChain {
    return this.#standing.warnings;
  }

  get panic(): Panic {
    return this.#standing.panic;
  }

  /** Whom it would choose, for who asks meanwhile. */
  get rankings(): Rankings {
    return this.#standing.rankings;
  }

  /** What it says of itself when it begins, and when another policy has come into force. */
  get facts(): GuardFacts {
    this.#facts ??= factsOf(this.#parts, this.policy);
    return this.#facts;
  }

  /** Number of its domain in the engine. */
  get domain(): number {
    return this.#parts.number;
  }

  /** How its plug-in is doing; null without one. */
  get plugin(): PluginState | null {
    return this.#parts.plugin?.state ?? null;
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

  /** Its facts with the keys of files: snake_case. */
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

  /**
   * Reads another policy by `read`, opens what it needs, and goes on by it from between two rounds on; the domain must be the same. Never
   * rejects: whatever is wrong with it or cannot be read, the policy in force stays as a whole, and that is told (event `policy`) and
   * counted; so is one that a closed guard is given. True when it was taken. One after the other.
   */
  reload(read: () => Policy | Promise<Policy>): Promise<boolean> {
    const result = this.#reloading.then(() => this.#reload(read));
    this.#reloading = result;
    return result;
  }

  /** Stops, within a second even in the middle of a round, and gives everything back; once, however often it is called. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#guard.stop();
    // Whether it broke is for who called `run` to hear.
    await this.#running?.catch(() => {});
    // Nobody who has closed his guard wants it to end his program later.
    this.panic.cancel();
    const { engine, world, source, waiter, suspend, domain, number, plugin, protector, signals } = this.#parts;
    signals.unwatch();
    plugin?.close();
    protector.close();
    world.close();
    source.source.close();
    waiter.close();
    suspend.close();
    domain.close();
    // A round that did not end in time is void: it names no victim any more.
    const operation = number === SYSTEM ? undefined : this.#token.holder?.operation;
    if (operation !== undefined && !this.#token.cancel(operation)) this.#token.finish(operation);
    closeNumber(engine, number);
  }

  async #reload(read: () => Policy | Promise<Policy>): Promise<boolean> {
    let error: string | null = null;
    try {
      const prepared = await prepare(this.#parts, await read(), this.policy, this.#options);
      await this.#guard
        .between(() => this.#switch(prepared))
        .catch((thrown: unknown) => {
          prepared.close();
          throw thrown;
        });
    } catch (thrown) {
      error = (thrown as Error).message;
    }
    const { taken, refused, lastError } = this.reloads;
    this.reloads =
      error === null ? { taken: taken + 1, refused, lastError } : { taken, refused: refused + 1, lastError: error };
    this.#tell({ kind: 'policy', atMs: this.#parts.world.nowMs(), error });
    return error === null;
  }

  /** Between two rounds. What can fail comes first. */
  #switch({ policy, chooser, plugin, source, notes, looking }: Prepared): Partial<GuardOptions> {
    // Lists the tasks and opens what is kept of them, so that the next round is no slower than the last.
    chooser.choose();
    const standing = standingOf(policy, chooser, this.#options, this.#standing);
    this.#rounds.change(standing);
    const parts = this.#parts;
    setGate(parts.gate, policy, this.policy);
    parts.world.use(chooser);
    parts.plugin?.close();
    parts.plugin = plugin;
    parts.source.retire();
    parts.source = source;
    parts.notes = notes;
    parts.looking = looking;
    this.#standing = standing;
    this.#facts = null;
    return { source: source.source, warnings: standing.warnings };
  }

  /** Nothing to be seen, and nothing to be done. */
  #isSame(): boolean {
    const { source, protector, world } = this.#parts;
    if (!source.glance?.()) return false;
    return protector.set.count === 0 || world.nowMs() - this.#inheritedMs < INHERIT_EVERY_MS;
  }

  #publish(level: PressureLevel, nowMs: number): void {
    if (nowMs - this.#inheritedMs >= INHERIT_EVERY_MS) {
      this.#inheritedMs = nowMs;
      this.#parts.protector.refresh();
    }
    const { state } = this.#parts.source.memory;
    if (state) this.subscription.publish(state, level, nowMs);
  }

  #tell(event: GuardEvent): void {
    // Before memory is short is the time to list the tasks and to open what is kept of them. A round under way goes by the rows of its own choice.
    const isEarly = event.kind === 'level' && event.level === 'warn' && event.was === 'none';
    try {
      if (isEarly && !this.#guard.acting) this.#parts.world.choose();
    } catch {
      // EMFILE, a domain that is gone: a round says what is wrong, and this is none.
    }
    this.decisions.hear(event);
    this.#options.tell(event);
  }
}
