/**
 * Stage: all of them, of a recording. The very guard that a machine runs (guard/guard.ts, guard/round.ts) watches a recording in
 * virtual time, dry: it says what it would have done. The same recording and policy give the same events on every runtime.
 */
import { type Decision, decisions } from '../decision.js';
import { openDomain } from '../domains.js';
import { type Engine, openEngine } from '../engine.js';
import { Guard } from '../guard/guard.js';
import type { GuardCounters, GuardEvent } from '../guard/guard-events.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { Panic } from '../guard/panic.js';
import { Rounds } from '../guard/rounds.js';
import { builtInScheme } from '../policy/plugin-scheme.js';
import { definePolicy, type Policy } from '../policy/policy.js';
import { parsePolicy } from '../policy/policy-file.js';
import { policySource, stallLevelsOf } from '../policy/pressure-rule.js';
import { memorySource } from '../pressure/memory-source.js';
import type { PressureSource } from '../pressure/pressure.js';
import { settle, VirtualClock, VirtualWaiter } from '../simulate/virtual-time.js';
import { MACHINE_DEFAULTS, type Machine } from '../task.js';
import { openRecordedChooser, type RecordedChooser } from './choose.js';
import { RecordedFiles } from './recorded-files.js';
import { RecordedStalls } from './recorded-stalls.js';
import type { Recording } from './recording.js';
import { RecordedWorld } from './replay-world.js';

/** One event of a replayed guard. */
export interface ReplayedEvent {
  readonly event: GuardEvent;
  /** Place of the snapshot that stood then, from 0. */
  readonly snapshot: number;
  /** Of the last choice, for words. */
  readonly machine: Machine;
  /** The canonical record of a round that chose; null of other events. */
  readonly decision: Decision | null;
}

/** How a guard watches a recording. */
export interface ReplayOptions {
  /** Default: the policy that the recording holds, else that of an empty file. `enforce` is not heeded. */
  readonly policy?: Policy;
  /** With room for its tasks. Default: one of its own. */
  readonly engine?: Engine;
  /** Hears each event as it happens. */
  readonly tell?: (event: ReplayedEvent) => void;
}

/** What a guard that watched a recording has told. */
export interface Replayed {
  readonly policy: Policy;
  readonly events: readonly ReplayedEvent[];
  readonly counters: GuardCounters;
  /** Memory at the beginning, in words. */
  readonly memory: string;
}

/** The last snapshot stands so long: the longest sleep of a guard, so that it has looked at it. */
export const LAST_MS = 1000;

/** Room for the tasks of the fullest snapshot, and more: for whatever has files of its own, as /proc/12/stat is one of 12. */
export function tasksMost({ snapshots }: Recording): number {
  const folders = new Set<string>();
  let records = 0;
  for (const { entries, facts } of snapshots) {
    let last = '//';
    for (const path of entries.keys()) {
      // Files of one task mostly stand together.
      if (path.startsWith(last)) continue;
      const end = path.indexOf('/', path.indexOf('/', 1) + 1);
      if (end <= 0) continue;
      last = path.slice(0, end + 1);
      folders.add(last);
    }
    records = Math.max(records, facts.tasks?.split('\n').length ?? 0);
  }
  return Math.max(folders.size, records, 1);
}

/** A plug-in is not asked again: what decides without it does. */
export function withoutPlugin(policy: Policy): Policy {
  return definePolicy({ ...policy, scheme: builtInScheme(policy.scheme) });
}

/** The policy that a recording holds; null without one. Rejects as parsePolicy does. */
export async function policyRecorded({ facts }: Recording): Promise<Policy | null> {
  if (facts.policy === null) return null;
  const { policies } = await parsePolicy(facts.policy);
  return withoutPlugin(policies[0]!);
}

class Replay {
  nowMs: number;
  readonly events: ReplayedEvent[] = [];
  readonly #files: RecordedFiles;
  readonly #world: RecordedWorld;
  readonly #clock: VirtualClock;
  readonly #waiter: VirtualWaiter;
  readonly #guard: Guard;
  readonly #engine: Engine;
  readonly #tell: ReplayOptions['tell'];
  #aheadMs: number;

  constructor(chooser: RecordedChooser, files: RecordedFiles, tell: ReplayOptions['tell']) {
    const { engine } = chooser;
    const policy: Policy = { ...chooser.policy, enforce: false };
    const { monotonicMs, bootMs } = files.moment;
    this.nowMs = monotonicMs;
    this.#aheadMs = bootMs - monotonicMs;
    this.#files = files;
    this.#engine = engine;
    this.#tell = tell;
    this.#world = new RecordedWorld(chooser, files, this);
    this.#clock = new VirtualClock(this);
    this.#waiter = new VirtualWaiter(this);
    const memory = memorySource(chooser.memory, { thresholds: policy.thresholds });
    const limits = { limits: policy.limits, clock: this.#clock };
    const panic = new Panic({ plan: policy.panic, actions: { exit() {}, reboot() {}, run() {} }, clock: this.#clock });
    const [world, domain] = [this.#world, openDomain(engine, { kind: 'system' })];
    this.#guard = new Guard({
      source: sourceOf(policy, memory, files),
      world,
      rounds: new Rounds({ engine, world, policy, domain, chain: new NotifierChain(limits), panic }),
      waiter: this.#waiter,
      warnings: new NotifierChain(limits),
      tell: (event) => this.#hear(event),
      neededBytes: () => memory.neededBytes(),
      sleptMs: () => this.#sleptMs(),
    });
  }

  get counters(): GuardCounters {
    return this.#guard.counters;
  }

  async run(): Promise<void> {
    const { snapshots } = this.#files.recording;
    const endMs = snapshots.at(-1)!.monotonicMs + LAST_MS;
    const running = this.#guard.run();
    await settle();
    for (;;) {
      const next = snapshots[this.#files.index + 1]?.monotonicMs ?? Number.POSITIVE_INFINITY;
      const dueMs = Math.min(next, this.#waiter.dueMs, this.#clock.dueMs);
      if (dueMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      if (next <= this.nowMs) this.#files.moveTo(this.#files.index + 1);
      this.#clock.fire();
      this.#waiter.tick();
      await settle();
    }
    this.#guard.stop();
    await running;
  }

  #hear(event: GuardEvent): void {
    const machine = this.#world.machine ?? { ...MACHINE_DEFAULTS, pageSize: this.#world.pageSize };
    const chose = event.kind === 'round' && event.report.outcome !== 'busy' && event.report.outcome !== 'called-off';
    const decision = chose ? decisions(this.#engine, 1)[0]! : null;
    const replayed = { event, snapshot: this.#files.index, machine, decision };
    this.events.push(replayed);
    this.#tell?.(replayed);
  }

  /** Boot time went on while the machine was suspended. */
  #sleptMs(): number {
    const { bootMs, monotonicMs } = this.#files.moment;
    const slept = bootMs - monotonicMs - this.#aheadMs;
    this.#aheadMs = bootMs - monotonicMs;
    return slept >= 1000 ? slept : 0;
  }
}

/** What tells a guard with this policy how short memory is, of a recording. */
export function sourceOf({ pressure }: Policy, memory: PressureSource, files: RecordedFiles): PressureSource {
  const stalls = pressure.psi ? [new RecordedStalls(files, stallLevelsOf(pressure.psi))] : [];
  return policySource(memory, stalls, pressure);
}

/**
 * Lets a guard watch a recording from its first snapshot to its last. Nobody is signalled. Rejects with TypeError or RangeError for
 * a policy that cannot be used, and as loadRecorded throws for a recording without a machine.
 */
export async function replayGuard(recording: Recording, options: ReplayOptions = {}): Promise<Replayed> {
  const policy = options.policy ?? (await policyRecorded(recording)) ?? definePolicy();
  const engine = options.engine ?? (await openEngine({ maxTasks: tasksMost(recording) }));
  const files = new RecordedFiles(recording);
  const chooser = await openRecordedChooser(engine, files, policy);
  const first = memorySource(chooser.memory, { thresholds: policy.thresholds });
  first.read(files.moment.monotonicMs);
  const replay = new Replay(chooser, files, options.tell);
  await replay.run();
  return { policy, events: replay.events, counters: replay.counters, memory: first.describe() };
}
