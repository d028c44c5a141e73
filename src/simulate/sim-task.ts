/**
 * Stage: bytes, of a task that does not exist. What it wants next: how its memory grows between two events, and when the next
 * event of its own is due. Memory is handed out by the machine.
 */
import type { Chance } from './chance.js';
import type { Cast } from './scenario.js';

/** Who ended a task of a scenario: the guard, the kernel, or its parent's end. */
export type KilledBy = 'guard' | 'kernel' | 'parent';

export interface SimTask {
  readonly tgid: number;
  ppid: number;
  /** The first of its family, and its session: what the fork of a fork belongs to. */
  readonly family: number;
  /** The first of all that come from one: those that it forked, and what was started in its place. They count together. */
  readonly lineage: number;
  readonly cast: Cast;
  /** Its like has forked it; a supervisor knows nothing of it. */
  readonly forked: boolean;
  readonly startMs: number;
  /** How old it was then. */
  readonly ageMs: number;
  readonly growth: number;
  /** Anonymous memory, those on swap included. */
  bytes: number;
  swapped: number;
  /** Pages of files that are in memory for it. */
  cached: number;
  /** What it has asked for and not got yet, bytes. */
  owed: number;
  /** Of growth, thousandths of a byte that are less than a byte. */
  crumbs: number;
  falling: boolean;
  /** Time at full speed that it has had, ms: CPU time and work done are counted by it. */
  workMs: number;
  nextForkMs: number;
  nextStepMs: number;
  /** SIGKILL was sent: nothing can stop its end. */
  dying: boolean;
  /** When it will have exited, after a signal; Infinity while it lives. */
  exitMs: number;
  /** When its memory is back; Infinity before it has exited. */
  releasedMs: number;
  killedBy: KilledBy | null;
}

const NEVER = Number.POSITIVE_INFINITY;
const WHOLE = 1000;

export interface StartedBy {
  readonly parent: SimTask | null;
  /** That of the one in whose place it starts. */
  readonly lineage: number | null;
}

export function startTask(cast: Cast, tgid: number, by: StartedBy, nowMs: number, chance: Chance): SimTask {
  const { parent } = by;
  const jitter = chance.between(100 - cast.jitterPercent, 100 + cast.jitterPercent);
  const isFirst = nowMs === 0;
  const isSettled = isFirst && cast.settled;
  const isPeak = cast.curve === 'peak';
  return {
    ...{ tgid, ppid: parent?.tgid ?? 1, family: parent?.family ?? tgid, cast, startMs: nowMs },
    lineage: parent?.lineage ?? by.lineage ?? tgid,
    forked: parent?.cast === cast,
    ageMs: isFirst ? cast.age : 0,
    growth: Math.floor((cast.growth * jitter) / 100),
    ...{ bytes: 0, swapped: 0, cached: 0, crumbs: 0, workMs: 0 },
    owed: isSettled ? (isPeak ? cast.rest : cast.most) : cast.memory,
    falling: isSettled && isPeak,
    nextForkMs: forkMs(cast, nowMs, chance),
    nextStepMs: cast.curve === 'step' ? nowMs + cast.every : NEVER,
    ...{ dying: false, exitMs: NEVER, releasedMs: NEVER, killedBy: null },
  };
}

/** Forks do not come in step, or a bomb would go off all at once. */
export function forkMs({ forks }: Cast, nowMs: number, chance: Chance): number {
  return forks === 0 ? NEVER : nowMs + Math.floor((forks * chance.between(50, 150)) / 100);
}

export function cpuMs({ cast, workMs, ageMs }: SimTask): number {
  return ((ageMs + workMs) * cast.cpuPerMille) / WHOLE;
}

/** True while it can do anything: it has not exited. */
export function isAlive(task: SimTask): boolean {
  return task.releasedMs === NEVER;
}

/** How fast it asks for memory now, bytes a second: below 0 where it gives some back. */
export function rateOf({ cast, growth, bytes, owed, falling }: SimTask): number {
  if (cast.curve === 'step') return 0;
  if (falling) return -growth;
  return bytes + owed < cast.most ? growth : 0;
}

/** What it asks for in `ms` at full speed is added to what it is owed; what it gives back is returned. */
export function wish(task: SimTask, nowMs: number, ms: number): number {
  const { cast, growth } = task;
  if (cast.curve === 'step') {
    if (nowMs < task.nextStepMs) return 0;
    task.nextStepMs += cast.every;
    task.owed += Math.max(0, Math.min(growth, cast.most - task.bytes - task.owed));
    return 0;
  }
  if (cast.curve === 'saw-tooth' && task.bytes >= cast.most) return task.bytes - cast.memory;
  if (growth === 0 || (!task.falling && task.bytes + task.owed >= cast.most && cast.curve !== 'peak')) return 0;
  task.crumbs += growth * ms;
  const whole = Math.floor(task.crumbs / WHOLE);
  task.crumbs -= whole * WHOLE;
  if (cast.curve === 'peak' && task.bytes >= cast.most) task.falling = true;
  if (task.falling) return Math.max(0, Math.min(whole, task.bytes - cast.rest));
  task.owed += Math.min(whole, cast.most - task.bytes - task.owed);
  return 0;
}

/** Time of its next event, the machine being at full speed: what is due then must not be stepped over. */
export function nextEventMs(task: SimTask, nowMs: number): number {
  if (!isAlive(task)) return task.releasedMs;
  const { cast, growth } = task;
  let next = Math.min(task.exitMs, task.nextForkMs, task.nextStepMs);
  if (cast.ends > 0) next = Math.min(next, nowMs + Math.ceil(cast.ends - task.workMs));
  // Where the curve turns.
  if (growth > 0 && (cast.curve === 'saw-tooth' || cast.curve === 'peak') && !task.falling) {
    next = Math.min(next, nowMs + Math.ceil(((cast.most - task.bytes) * WHOLE) / growth));
  }
  return next;
}
