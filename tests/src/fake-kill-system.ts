// A machine of tables for the killer: its clock moves only while a kill waits.
import type { KillSystem, TaskFacts, TaskHandle, Victim } from '../../src/linux/kill-system.js';
import type { SharerScan } from '../../src/linux/sharers.js';

/** One fake process. `dies` says how long it takes after each signal; absent: it ignores it. */
export interface FakeTask {
  dies?: { SIGTERM?: number; SIGKILL?: number };
  rawio?: boolean;
  kernelThread?: boolean;
  tgid?: number;
  /** The errno each signal is refused with. */
  refuses?: string;
  /** Shares the victim's memory. `late`: only a search from this time on finds it. */
  shares?: 'verified' | 'unverified';
  late?: number;
  /** Runs a program of its own from this time on. */
  execsAt?: number;
  /** What process_mrelease answers, call by call; the last one stays. */
  mrelease?: string[];
  exitsAt?: number;
  /** Exits once it was signalled, between one question whether it has and the next. */
  exitsUnseen?: true;
  /** Lets go of its memory with SIGKILL, long before it exits. */
  detaches?: true;
  /** The pid belongs to another task from this time on. */
  reusedAt?: number;
  priorityError?: string;
}

export class FakeKillSystem implements KillSystem {
  readonly path: 'pidfd' | 'kill';
  readonly canReap: boolean;
  readonly log: string[] = [];
  /** Signals that reached a task other than the one opened. */
  readonly strays: string[] = [];
  readonly tasks: Map<number, FakeTask>;
  readonly #protected: Map<number, 'init' | 'self' | 'ancestor' | 'foreign_proc'>;
  nowMs = 1_000_000;
  readonly startMs = this.nowMs;
  waits = 0;
  /** Called with each wait, for what a test wants to happen in between. */
  onWait: ((system: FakeKillSystem) => void) | null = null;
  /** Called before each act of the kill by name. */
  onAct: ((act: string, pid: number) => void) | null = null;

  constructor(
    tasks: Record<number, FakeTask>,
    options: { path?: 'pidfd' | 'kill'; protect?: Record<number, 'init' | 'self' | 'ancestor'> } = {},
  ) {
    this.tasks = new Map(Object.entries(tasks).map(([pid, task]) => [Number(pid), task]));
    this.path = options.path ?? 'pidfd';
    this.canReap = this.path === 'pidfd';
    this.#protected = new Map(Object.entries(options.protect ?? {}).map(([pid, why]) => [Number(pid), why]));
  }

  now(): number {
    return this.nowMs;
  }

  sinceStart(): number {
    return this.nowMs - this.startMs;
  }

  protection(pid: number): 'init' | 'self' | 'ancestor' | 'foreign_proc' | null {
    return pid <= 1 ? 'init' : (this.#protected.get(pid) ?? null);
  }

  open(victim: Victim): TaskHandle {
    this.onAct?.('open', victim.pid);
    const { pid } = victim;
    const task = this.tasks.get(pid);
    if (!task || this.#reused(task) || (victim.identity && !victim.identity.alive())) throw this.#errno('ESRCH');
    return {
      pid,
      alive: () => !this.#reused(task) && this.tasks.get(pid) === task,
      exited: () => {
        const gone = (task.exitsAt ?? Number.POSITIVE_INFINITY) <= this.sinceStart() || this.tasks.get(pid) !== task;
        const signalled = this.log.some((line) => line.endsWith(` ${pid}`));
        if (task.exitsUnseen && signalled) task.exitsAt ??= this.sinceStart();
        return gone;
      },
      signal: (signal) => {
        this.onAct?.(signal, pid);
        if (this.#reused(task) || this.tasks.get(pid) !== task) throw this.#errno('ESRCH');
        if (task.refuses) throw this.#errno(task.refuses);
        if (signal === 'probe') return;
        this.log.push(`${this.sinceStart()} ${signal} ${pid}`);
        const takes = task.dies?.[signal];
        if (takes !== undefined)
          task.exitsAt = Math.min(task.exitsAt ?? Number.POSITIVE_INFINITY, this.sinceStart() + takes);
      },
    };
  }

  facts(handle: TaskHandle): TaskFacts {
    this.onAct?.('facts', handle.pid);
    const task = this.tasks.get(handle.pid);
    if (!task) throw this.#errno('ESRCH');
    return {
      comm: `task-${handle.pid}`,
      tgid: task.tgid ?? handle.pid,
      kernelThread: task.kernelThread ?? false,
      rawio: task.rawio ?? false,
    };
  }

  sharers(): SharerScan {
    const found = (kind: FakeTask['shares']) =>
      [...this.tasks].filter(([, task]) => this.#isFound(task, kind)).map(([pid]) => pid);
    return { method: 'kcmp', verified: found('verified'), unverified: found('unverified') };
  }

  stillShares(_victim: TaskHandle, sharer: TaskHandle): boolean {
    const task = this.tasks.get(sharer.pid);
    return task?.shares === 'verified' && (task.execsAt ?? Number.POSITIVE_INFINITY) > this.sinceStart();
  }

  raisePriority(handle: TaskHandle): { threads: number; error: string | null } {
    this.log.push(`${this.sinceStart()} priority ${handle.pid}`);
    const error = this.tasks.get(handle.pid)?.priorityError ?? null;
    return { threads: error ? 0 : 1, error };
  }

  holdsMemory(handle: TaskHandle): boolean {
    const task = this.tasks.get(handle.pid);
    return task !== undefined && !task.detaches && (task.exitsAt ?? Number.POSITIVE_INFINITY) > this.sinceStart();
  }

  reap(handle: TaskHandle): Promise<void> {
    const answers = this.tasks.get(handle.pid)?.mrelease ?? ['ESRCH'];
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    this.log.push(`${this.sinceStart()} mrelease ${handle.pid} ${answer}`);
    return answer === '0' ? Promise.resolve() : Promise.reject(this.#errno(answer));
  }

  async wait(handles: readonly TaskHandle[], timeoutMs: number, stop: AbortSignal): Promise<void> {
    this.waits++;
    if (this.waits > 1000) throw new Error('the kill spins');
    this.onWait?.(this);
    // Answers of process_mrelease arrive before time passes.
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
    if (stop.aborted) return;
    const now = this.sinceStart();
    const exits = handles.map((handle) => this.tasks.get(handle.pid)?.exitsAt ?? Number.POSITIVE_INFINITY);
    const next = Math.min(now + timeoutMs, ...exits.filter((at) => at > now));
    this.nowMs = this.startMs + next;
  }

  close(): void {}

  #isFound(task: FakeTask, kind: FakeTask['shares']): boolean {
    const execs = task.execsAt ?? Number.POSITIVE_INFINITY;
    return task.shares === kind && (task.late ?? 0) <= this.sinceStart() && execs > this.sinceStart();
  }

  #reused(task: FakeTask): boolean {
    return (task.reusedAt ?? Number.POSITIVE_INFINITY) <= this.sinceStart();
  }

  #errno(code: string): Error {
    return Object.assign(new Error(code), { code });
  }
}
