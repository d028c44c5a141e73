/**
 * Stage: bytes, of a machine that does not exist. Tasks that come, grow, fork, end and are killed, in steps of 5 ms and whole
 * bytes, so that a scenario with the same seed goes the same way everywhere.
 */
import type { MemoryState } from '../pressure/memory-state.js';
import type { Task } from '../task.js';
import { Chance } from './chance.js';
import type { Cast, Scenario } from './scenario.js';

export const STEP_MS = 5;
export const PAGE_BYTES = 4096;
const HZ = 100;
const GIB = 2 ** 30;
const FIRST_TGID = 1000;
/** While memory goes to swap, tasks get on so many times slower. */
const THRASH = 4;
/** Page tables, as a share of memory: one entry of 8 bytes a page. */
const TABLES_SHARE = 512;
/** The machine is this old when a scenario begins. */
const BOOT_MS = 86_400_000 * 30;

export interface SimTask {
  readonly tgid: number;
  readonly ppid: number;
  /** The first of its family: what the fork of a fork belongs to. */
  readonly family: number;
  readonly cast: Cast;
  readonly startMs: number;
  readonly bytesPerS: number;
  bytes: number;
  cpuMs: number;
  /** When it will have exited, after a signal; Infinity while it lives. */
  exitMs: number;
  /** When its memory is back; Infinity before it has exited. */
  releasedMs: number;
  /** By whom it was signalled; null while it was not. */
  killedBy: 'guard' | 'kernel' | null;
  nextForkMs: number;
}

interface Arrival {
  readonly atMs: number;
  readonly cast: Cast;
}

export class Machine {
  nowMs = 0;
  readonly tasks = new Map<number, SimTask>();
  /** Called when a task's memory is back. */
  onReleased: (task: SimTask) => void = () => {};
  readonly #scenario: Scenario;
  readonly #chance: Chance;
  readonly #arrivals: Arrival[] = [];
  readonly #families = new Map<number, number>();
  #nextTgid = FIRST_TGID;
  #bytes = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#chance = new Chance(scenario.seed);
    for (const cast of scenario.cast) {
      for (let index = 0; index < cast.count; ++index) {
        this.#arrivals.push({ atMs: cast.atMs + index * cast.apartMs, cast });
      }
    }
    this.#arrivals.sort((a, b) => a.atMs - b.atMs);
    this.#arrive();
  }

  /** Bytes that tasks hold, those on swap and those of the dying included. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** Memory and swap are both used up: now the kernel kills. */
  get isFull(): boolean {
    return this.#bytes > this.#scenario.memoryBytes + this.#scenario.swapBytes;
  }

  memory(): MemoryState {
    const { memoryBytes, swapBytes } = this.#scenario;
    const inMemory = Math.min(this.#bytes, memoryBytes);
    const kib = (bytes: number) => Math.floor(bytes / 1024);
    const availableKib = kib(memoryBytes - inMemory);
    return {
      totalKib: kib(memoryBytes),
      availableKib,
      basisKib: Math.max(1, kib(memoryBytes)),
      swapTotalKib: kib(swapBytes),
      swapFreeKib: kib(Math.max(0, swapBytes - (this.#bytes - inMemory))),
    };
  }

  /** The tasks that live, as records for a ranking; those that are exiting are said to. */
  records(): Task[] {
    return Array.from(this.tasks.values(), (task) => this.#record(task));
  }

  uptimeS(): number {
    return (BOOT_MS + this.nowMs) / 1000;
  }

  /** A signal. A task that ignores SIGTERM does. */
  signal(tgid: number, signal: 'SIGTERM' | 'SIGKILL', by: 'guard' | 'kernel'): void {
    const task = this.tasks.get(tgid);
    if (!task || (signal === 'SIGTERM' && task.cast.onTerm === 'ignore')) return;
    task.killedBy ??= by;
    task.exitMs = Math.min(task.exitMs, this.nowMs + task.cast.exitMs);
  }

  step(): void {
    this.nowMs += STEP_MS;
    this.#arrive();
    const thrashing = this.#bytes > this.#scenario.memoryBytes;
    for (const task of this.tasks.values()) this.#live(task, thrashing ? THRASH : 1);
  }

  #live(task: SimTask, slower: number): void {
    if (this.nowMs >= task.releasedMs) this.#release(task);
    if (task.releasedMs === Number.POSITIVE_INFINITY) this.#act(task, slower);
  }

  #act(task: SimTask, slower: number): void {
    const { cast } = task;
    const ends = cast.endsMs > 0 && this.nowMs - task.startMs >= cast.endsMs;
    if (this.nowMs >= task.exitMs || ends) {
      task.releasedMs = this.nowMs + Math.floor((task.bytes / GIB) * cast.releaseMsPerGib);
      return;
    }
    const grown = Math.min(cast.mostBytes, task.bytes + Math.floor((task.bytesPerS * STEP_MS) / (1000 * slower)));
    this.#bytes += Math.max(0, grown - task.bytes);
    task.bytes = Math.max(task.bytes, grown);
    task.cpuMs += (cast.cpuPerMille * STEP_MS) / (1000 * slower);
    if (this.nowMs < task.nextForkMs) return;
    task.nextForkMs = this.#forkMs(cast);
    if ((this.#families.get(task.family) ?? 0) < cast.familyMost) this.#start(cast, task);
  }

  #release(task: SimTask): void {
    this.tasks.delete(task.tgid);
    this.#bytes -= task.bytes;
    this.#families.set(task.family, this.#families.get(task.family)! - 1);
    if (task.killedBy && task.cast.restartsMs > 0) {
      this.#arrivals.push({ atMs: this.nowMs + task.cast.restartsMs, cast: task.cast });
      this.#arrivals.sort((a, b) => a.atMs - b.atMs);
    }
    this.onReleased(task);
  }

  #arrive(): void {
    while (this.#arrivals[0] && this.#arrivals[0].atMs <= this.nowMs) this.#start(this.#arrivals.shift()!.cast, null);
  }

  #start(cast: Cast, parent: SimTask | null): void {
    const tgid = this.#nextTgid++;
    const jitter = this.#chance.between(100 - cast.jitterPercent, 100 + cast.jitterPercent);
    const family = parent?.family ?? tgid;
    this.#families.set(family, (this.#families.get(family) ?? 0) + 1);
    this.tasks.set(tgid, {
      tgid,
      ppid: parent?.tgid ?? 1,
      family,
      cast,
      startMs: this.nowMs,
      bytesPerS: Math.floor((cast.bytesPerS * jitter) / 100),
      bytes: cast.bytes,
      cpuMs: parent ? 0 : (cast.ageMs * cast.cpuPerMille) / 1000,
      exitMs: Number.POSITIVE_INFINITY,
      releasedMs: Number.POSITIVE_INFINITY,
      killedBy: null,
      nextForkMs: this.#forkMs(cast),
    });
    this.#bytes += cast.bytes;
  }

  /** Forks do not come in step, or a bomb would go off all at once. */
  #forkMs({ forksMs }: Cast): number {
    if (forksMs === 0) return Number.POSITIVE_INFINITY;
    return this.nowMs + Math.floor((forksMs * this.#chance.between(50, 150)) / 100);
  }

  #record(task: SimTask): Task {
    const { cast, tgid, ppid, family, bytes } = task;
    const pages = Math.floor(bytes / PAGE_BYTES);
    const exiting = task.releasedMs !== Number.POSITIVE_INFINITY;
    const ageMs = ppid === 1 ? cast.ageMs : 0;
    return {
      kind: 'simulated',
      ...{ tgid, ppid, sid: family, comm: cast.comm, state: exiting ? 'X' : 'S', threads: 1 },
      totalVmPages: exiting ? 0 : pages * 2 + 1,
      rssPages: exiting ? 0 : pages,
      rssAnonPages: exiting ? 0 : pages,
      pgtablesBytes: exiting ? 0 : Math.floor(bytes / TABLES_SHARE),
      utimeJiffies: Math.floor((task.cpuMs * HZ) / 1000),
      startTimeTicks: Math.max(0, Math.floor((BOOT_MS + task.startMs - ageMs) / 10)),
      ...{ uid: cast.uid, euid: cast.uid, oomScoreAdj: cast.oomScoreAdj, exiting },
    };
  }
}
