/** Stage: table → selection → kill, of registered tasks. A registry as the rounds see a machine. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { type Clock, systemClock } from '../guard/clock.js';
import type { KillReport } from '../guard/kill-report.js';
import { refuseModules } from '../guard/refuse-modules.js';
import type { MemoryReading } from '../guard/round-report.js';
import type { Choice, Held, KillAsk, World } from '../guard/world.js';
import { matchesAny } from '../policy/glob.js';
import { namedScheme } from '../policy/plugin-scheme.js';
import { NEVER_DEFAULT, type Policy } from '../policy/policy.js';
import { boundOf } from '../policy/threshold.js';
import { scoreTasks, selectTask } from '../rank.js';
import { beginSnapshot, putStaged, stageTask, type Task } from '../task.js';
import type { RegisteredTask } from './registered-task.js';
import type { TaskRegistry } from './registry.js';
import { ShedRun } from './shed-run.js';

/** The clock of the rounds. */
export interface RegisteredWorldOptions {
  /** Default: that of the runtime. */
  readonly clock?: Clock;
}

/** Bytes are counted in pages of the usual size, so that points read as those of processes do. */
const PAGE_BYTES = 4096;
const HZ = 100;
const TICK_MS = 1000 / L.USER_HZ;
const WORD = 2 ** 32;

/** The budget of a policy for registered tasks. Throws RangeError for another domain. */
export function registeredDomain({ domain }: Policy): { readonly registered: string; readonly budget: number } {
  if (typeof domain === 'object' && 'registered' in domain) return domain;
  const shown = JSON.stringify(domain);
  throw new RangeError(`policy.domain must be { registered, budget } here, got ${shown}`);
}

/** A task that is held: the registration itself, which is never another's. */
class HeldTask implements Held {
  readonly task: RegisteredTask;

  constructor(task: RegisteredTask) {
    this.task = task;
  }

  get pid(): number {
    return this.task.id;
  }

  /** Forgets the rows of the last choice; the registry is its owner's. */
  close(): void {}
}

/** A registry as the rounds of a guard see a machine. */
export class RegisteredWorld implements World {
  readonly name: string;
  readonly pageSize = PAGE_BYTES;
  readonly #engine: Engine;
  readonly #policy: Policy;
  readonly #registry: TaskRegistry;
  readonly #clock: Clock;
  readonly #budgetBytes: number;
  readonly #never: readonly string[];
  /** The tasks in the rows of the snapshot. */
  #rows: RegisteredTask[] = [];
  /** Those that were asked and gave nothing, with what they held then. */
  readonly #setAside = new Map<RegisteredTask, number>();

  /** Throws RangeError for a policy of another domain or with rules, TypeError for one with modules. */
  constructor(engine: Engine, policy: Policy, registry: TaskRegistry, options: RegisteredWorldOptions = {}) {
    const { registered, budget } = registeredDomain(policy);
    refuseModules(policy);
    if (policy.rules.length > 0) {
      throw new RangeError('policy.rules must be empty: registered tasks are spared by name (never) or by protection');
    }
    this.name = `registered ${registered}`;
    this.#engine = engine;
    this.#policy = policy;
    this.#registry = registry;
    this.#clock = options.clock ?? systemClock;
    this.#budgetBytes = budget;
    // The default list is of programs of a desktop; a cache called `login` is none of them.
    this.#never = policy.never.join(' ') === NEVER_DEFAULT.join(' ') ? [] : policy.never;
  }

  nowMs(): number {
    return this.#clock.now();
  }

  /** What the budget leaves now, bytes; below 0 where it is overdrawn. */
  measure(): MemoryReading {
    const availableBytes = this.#budgetBytes - this.#registry.measure();
    return { availableBytes, perCpuBytes: 0, totalBytes: this.#budgetBytes };
  }

  pressureBegins(): void {}

  shortageEnds(): void {}

  choose(): Choice {
    const engine = this.#engine;
    this.#rows = this.#registry.list();
    const nowMs = this.#clock.now();
    // A time of the clock may be below 0; one of the table is not.
    const originMs = this.#rows.reduce((least, { startedMs }) => Math.min(least, startedMs), 0);
    const totalPages = Math.ceil(this.#budgetBytes / PAGE_BYTES);
    beginSnapshot(engine, { hz: HZ, pageSize: PAGE_BYTES, uptimeS: (nowMs - originMs) / 1000, totalPages });
    for (const task of this.#rows) this.#put(task, originMs);
    engine.abi.table_publish();
    const options = { ...this.#policy.parameters, scheme: namedScheme(this.#policy), totalPages };
    scoreTasks(engine, options);
    return { ...selectTask(engine, options), tasks: this.#rows.length, options };
  }

  #put(task: RegisteredTask, originMs: number): void {
    const bytes = task.measure();
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const record: Task = {
      kind: 'registered',
      tgid: task.id,
      // A family of its own.
      sid: task.id % WORD,
      comm: task.name,
      threads: 1,
      // Whichever of them a scheme begins with.
      totalVmPages: pages,
      rssPages: pages,
      rssAnonPages: pages,
      utimeJiffies: Math.floor((task.cpuMs * HZ) / 1000),
      startTimeTicks: Math.floor((task.startedMs - originMs) / TICK_MS),
      uid: task.uid,
      euid: task.uid,
    };
    stageTask(this.#engine, record);
    this.#engine.fields[L.FIELD_FLAGS]! |= this.#flagsOf(task, bytes);
    putStaged(this.#engine, record);
  }

  #flagsOf(task: RegisteredTask, bytes: number): number {
    if (task.protected) return L.TASK_PROTECTED;
    // Not as dying: the kernels' schemes would wait for it, and nobody else would ever be asked.
    if (this.#isSetAside(task, bytes)) return L.TASK_RULE_NEVER;
    return matchesAny(this.#never, task.name) ? L.TASK_RULE_NEVER : 0;
  }

  /** Until it has given back after all. */
  #isSetAside(task: RegisteredTask, bytes: number): boolean {
    const heldBytes = this.#setAside.get(task);
    if (heldBytes === undefined) return false;
    if (bytes > heldBytes / 2) return true;
    this.#setAside.delete(task);
    return false;
  }

  /** Queues hold pids, and no registered task has one. */
  rowOf(): number {
    return L.E_NO_VICTIM;
  }

  holdQueued(): null {
    return null;
  }

  hold(slot: number): Held | null {
    const task = this.#rows[slot];
    return task?.registered ? new HeldTask(task) : null;
  }

  kill(held: Held, ask: KillAsk): Promise<KillReport> {
    const { task } = held as HeldTask;
    return new ShedRun({ task, ask, neededBytes: this.#neededBytes(), clock: this.#clock }).run();
  }

  /** A page more than to the threshold: on it memory is still short. */
  #neededBytes(): number {
    const bound = boundOf(this.#policy.thresholds.term.available, this.#budgetBytes);
    return Math.max(0, Math.ceil(bound - this.measure().availableBytes)) + PAGE_BYTES;
  }

  setAside(held: Held): void {
    const { task } = held as HeldTask;
    for (const other of this.#setAside.keys()) if (!other.registered) this.#setAside.delete(other);
    this.#setAside.set(task, task.measure());
  }

  close(): void {
    this.#rows = [];
  }
}
