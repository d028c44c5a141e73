/**
 * Stage: bytes, of a machine that does not exist. Tasks that come, grow, fork, end and are killed. Time goes from event to
 * event; between two of them memory grows evenly, and where it runs short, in steps of 5 ms. Whole bytes and a seed: a scenario
 * goes the same way everywhere.
 */
import type { Machine as MachineFacts, Task } from '../task.js';
import { Arrivals } from './arrivals.js';
import { Chance } from './chance.js';
import type { Cast, Scenario } from './scenario.js';
import { SimMemory, TABLES_SHARE } from './sim-memory.js';
import {
  cpuMs,
  forkMs,
  isAlive,
  type KilledBy,
  nextEventMs,
  rateOf,
  type SimTask,
  type StartedBy,
  startTask,
  wish,
} from './sim-task.js';

export const STEP_MS = 5;
export const PAGE_BYTES = 4096;
const HZ = 100;
const FIRST_TGID = 1000;
const GIB = 2 ** 30;
/** The machine is older than anybody on it when a scenario begins. */
const BOOT_MS = 86_400_000 * 400;

export class Machine {
  nowMs = 0;
  readonly memory: SimMemory;
  /** Tasks that ended because their work was done. */
  finished = 0;
  /** Somebody asked for memory in the last step, and there is neither memory nor swap: now the kernel kills. */
  isFull = false;
  /** Called when a task is signalled and will end of it. */
  onKill: (task: SimTask, by: KilledBy) => void = () => {};
  readonly #scenario: Scenario;
  readonly #chance: Chance;
  readonly #arrivals: Arrivals;
  /** How many there are of each lineage, those included that will be started again. */
  readonly #lineages = new Map<number, number>();
  #nextTgid = FIRST_TGID;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#chance = new Chance(scenario.seed);
    this.#arrivals = new Arrivals(scenario);
    this.memory = new SimMemory(scenario.machine);
    this.#arrive();
    for (const task of this.tasks.values()) this.memory.grant(task);
    for (const task of this.tasks.values()) this.memory.readFiles(task, true);
  }

  /** A victim of the kernel is on its way out. */
  get isKernelKilling(): boolean {
    for (const { killedBy, dying } of this.tasks.values()) if (dying && killedBy === 'kernel') return true;
    return false;
  }

  get tasks(): ReadonlyMap<number, SimTask> {
    return this.memory.tasks;
  }

  /** For so long nothing happens but what goes evenly, ms: a multiple of 5, at least 5; Infinity when nothing ever will. */
  quietMs(): number {
    let next = this.#arrivals.nextMs;
    let rate = 0;
    for (const task of this.tasks.values()) {
      next = Math.min(next, nextEventMs(task, this.nowMs));
      if (task.owed > 0) return STEP_MS;
      if (isAlive(task)) rate += Math.max(0, rateOf(task));
    }
    const easeMs = rate > 0 ? (this.memory.ease * 1000) / rate : Number.POSITIVE_INFINITY;
    const ms = this.memory.ease > 0 ? Math.min(next - this.nowMs, easeMs) : 0;
    return Math.max(STEP_MS, Math.floor(ms / STEP_MS) * STEP_MS);
  }

  /** The tasks as records for a ranking; those that are exiting are said to. */
  records(): Task[] {
    return Array.from(this.tasks.values(), (task) => this.#record(task));
  }

  facts(): MachineFacts {
    const { memory, swap } = this.#scenario.machine;
    const totalPages = Math.floor((memory + swap) / PAGE_BYTES);
    return { hz: HZ, pageSize: PAGE_BYTES, uptimeS: (BOOT_MS + this.nowMs) / 1000, totalPages };
  }

  /** A signal. A task that ignores SIGTERM does. */
  signal(tgid: number, signal: 'SIGTERM' | 'SIGKILL', by: KilledBy): void {
    const task = this.tasks.get(tgid);
    if (!task || !isAlive(task) || (signal === 'SIGTERM' && task.cast.onTerm === 'ignore')) return;
    if (signal === 'SIGKILL') task.dying = true;
    // Who waits for memory takes its time to leave, unless it is made to.
    const slower = this.memory.isStalled ? this.#scenario.machine.thrash : 1;
    const takesMs = signal === 'SIGKILL' ? task.cast.exitTakes : task.cast.termTakes * slower;
    task.exitMs = Math.min(task.exitMs, this.nowMs + takesMs);
    if (task.killedBy !== null) return;
    task.killedBy = by;
    this.onKill(task, by);
  }

  /** Time goes on by `ms`, a multiple of 5 and at most `quietMs`. */
  step(ms: number): void {
    this.nowMs += ms;
    this.isFull = false;
    this.memory.begin(ms);
    const speed = this.memory.isStalled ? 1 / this.#scenario.machine.thrash : 1;
    this.#arrive();
    for (const task of this.tasks.values()) {
      if (this.nowMs >= task.releasedMs) this.#release(task);
      else if (isAlive(task)) this.#live(task, ms, speed);
    }
    this.memory.balance();
  }

  #live(task: SimTask, ms: number, speed: number): void {
    const { cast } = task;
    if (this.nowMs >= task.exitMs || (cast.ends > 0 && task.workMs >= cast.ends)) {
      this.#exit(task);
      return;
    }
    if (task.cached < cast.cache) this.memory.readFiles(task);
    if (task.owed === 0) {
      const workedMs = ms * speed * this.#hitShare(task);
      task.workMs += workedMs;
      this.memory.giveBack(task, wish(task, this.nowMs, workedMs));
    }
    if (task.owed > 0 && !this.memory.grant(task)) this.isFull = true;
    // Who waits for memory does nothing else.
    if (task.owed === 0 && this.nowMs >= task.nextForkMs) this.#fork(task);
  }

  /** Who misses all of its files is as slow as somebody who waits for memory. */
  #hitShare({ cast, cached }: SimTask): number {
    if (cached >= cast.cache) return 1;
    return 1 / (1 + ((this.#scenario.machine.thrash - 1) * (cast.cache - cached)) / cast.cache);
  }

  #exit(task: SimTask): void {
    if (task.killedBy === null) this.finished += 1;
    task.owed = 0;
    task.releasedMs = this.nowMs + Math.floor(((task.bytes - task.swapped) / GIB) * task.cast.releasePerGib);
    for (const child of this.tasks.values()) {
      if (child.ppid !== task.tgid) continue;
      child.ppid = 1;
      if (child.cast.withParent) this.signal(child.tgid, 'SIGKILL', 'parent');
    }
  }

  #release(task: SimTask): void {
    this.memory.release(task);
    const { cast, lineage } = task;
    // Its place is kept, so that its lineage does not grow with every death.
    if (task.killedBy === null || task.forked || cast.restarts === 0) this.#count(lineage, -1);
    else this.#arrivals.add({ atMs: this.nowMs + cast.restarts, cast, lineage });
  }

  #count(lineage: number, more: 1 | -1): void {
    this.#lineages.set(lineage, (this.#lineages.get(lineage) ?? 0) + more);
  }

  #arrive(): void {
    for (let next = this.#arrivals.take(this.nowMs); next; next = this.#arrivals.take(this.nowMs)) {
      const { cast, lineage } = next;
      if (lineage !== null) this.#count(lineage, -1);
      this.#start(cast, { parent: this.#parentOf(cast), lineage });
    }
  }

  /** One that lives, by chance. */
  #parentOf({ parent }: Cast): SimTask | null {
    if (parent === '') return null;
    const able = [...this.tasks.values()].filter((task) => task.cast.comm === parent && isAlive(task));
    return able.length === 0 ? null : able[this.#chance.between(0, able.length - 1)]!;
  }

  #fork(task: SimTask): void {
    task.nextForkMs = forkMs(task.cast, this.nowMs, this.#chance);
    if (this.#lineages.get(task.lineage)! >= task.cast.familyMost) return;
    this.#start(task.cast, { parent: task, lineage: task.lineage });
  }

  #start(cast: Cast, by: StartedBy): void {
    const task = startTask(cast, this.#nextTgid++, by, this.nowMs, this.#chance);
    this.memory.tasks.set(task.tgid, task);
    this.#count(task.lineage, 1);
  }

  #record(task: SimTask): Task {
    const { cast, tgid, ppid, family, bytes, swapped } = task;
    const pages = (share: number) => Math.floor(share / PAGE_BYTES);
    const exiting = !isAlive(task);
    return {
      kind: 'simulated',
      ...{ tgid, ppid, sid: family, comm: cast.comm, state: exiting ? 'X' : 'S', threads: 1 },
      totalVmPages: exiting ? 0 : pages(bytes + cast.virtual) * 2 + 1,
      rssPages: exiting ? 0 : pages(bytes - swapped),
      rssAnonPages: exiting ? 0 : pages(bytes - swapped),
      swapPages: exiting ? 0 : pages(swapped),
      pgtablesBytes: exiting ? 0 : Math.floor(bytes / TABLES_SHARE),
      utimeJiffies: Math.floor((cpuMs(task) * HZ) / 1000),
      startTimeTicks: Math.floor((BOOT_MS + task.startMs - task.ageMs) / 10),
      ...{ uid: cast.uid, euid: cast.uid, oomScoreAdj: cast.oomScoreAdj, exiting: exiting || task.dying },
    };
  }
}
