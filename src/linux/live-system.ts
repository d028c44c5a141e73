// Stage: kill. In: the native calls, or none. Out: the acts of a kill on this machine: with pidfds, or with kill(2) alone.
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { imageMark, isDead, parseTaskStat } from '../proc/task-stat.js';
import { ownLine } from './exempt.js';
import { errorCode } from './identity.js';
import type { KillSystem, TaskFacts, TaskHandle, Victim } from './kill-system.js';
import { LiveTask } from './live-task.js';
import { type Native, type NativeLoad, POLLIN } from './native.js';
import { findSharers, memoryHolder, procSharerSource, type SharerScan, stillShares } from './sharers.js';
import { effectiveCapabilities, tgidOf } from './task-status.js';
import { listThreads } from './thread-group.js';

const CAP_SYS_RAWIO = 17; // capabilities(7)
const BACKOFF_FIRST_MS = 5;
const BACKOFF_LAST_MS = 50;

/** The system of this machine. Without pidfd_open (Linux < 5.3, a seccomp filter) the path is `kill`, whatever koffi offers. */
export function createKillSystem(load: NativeLoad, seenPages?: ReadonlyMap<number, number>): KillSystem {
  const { native } = load;
  if (native && probePidfd(native) === 'ok') {
    try {
      return new PidfdSystem(native, seenPages);
    } catch {
      // No descriptor left for an eventfd: the other path needs one less.
    }
  }
  return new KillOnlySystem(native, seenPages);
}

/** Opens a pidfd on ourselves and asks for permission through it: `ok`, or the errno name of what refused. */
export function probePidfd(native: Native): string {
  try {
    const pidfd = native.pidfdOpen(process.pid);
    try {
      native.pidfdSendSignal(pidfd, 0);
    } finally {
      native.close(pidfd);
    }
    return 'ok';
  } catch (error) {
    return errorCode(error);
  }
}

function hasMrelease(native: Native): boolean {
  const pidfd = native.pidfdOpen(process.pid);
  try {
    return native.probeMrelease(pidfd) === 'EINVAL';
  } finally {
    native.close(pidfd);
  }
}

class KillOnlySystem implements KillSystem {
  readonly path: 'pidfd' | 'kill' = 'kill';
  readonly canReap: boolean = false;
  /** process_mrelease says when somebody else holds the memory. */
  protected readonly missesAreNoticed: boolean = false;
  protected readonly native: Native | null;
  protected readonly tasks: LiveTask[] = [];
  protected readonly underWay = new Set<Promise<unknown>>();
  /** Good for the first search; a later one looks for what has changed since. */
  #seenPages: ReadonlyMap<number, number> | undefined;

  constructor(native: Native | null, seenPages?: ReadonlyMap<number, number>) {
    this.native = native;
    this.#seenPages = seenPages;
  }

  now(): number {
    return performance.now();
  }

  protection(pid: number): ReturnType<KillSystem['protection']> {
    if (pid <= 1) return 'init';
    if (pid === process.pid) return 'self';
    // A /proc of another pid namespace gives other numbers to the same tasks.
    if (Number(readlinkSync('/proc/self')) !== process.pid) return 'foreign_proc';
    return ownLine().has(pid) ? 'ancestor' : null;
  }

  open(victim: Victim): TaskHandle {
    const task = new LiveTask(victim, this.path === 'pidfd' ? this.native : null);
    this.tasks.push(task);
    return task;
  }

  facts(handle: TaskHandle): TaskFacts {
    const { stat } = handle as LiveTask;
    const parsed = parseTaskStat(stat.read('stat'));
    const status = stat.read('status');
    const tgid = tgidOf(status);
    const holds = effectiveCapabilities(status);
    if (parsed === null || tgid === undefined || holds === undefined) {
      throw Object.assign(new Error(`/proc/${handle.pid} cannot be parsed`), { code: 'EBADMSG' });
    }
    return {
      comm: parsed.comm,
      tgid,
      // A user task that is Z without threads left shows no mm either, but it is no kernel thread.
      kernelThread: parsed.kernelThread && !isDead(parsed.state),
      rawio: holds(CAP_SYS_RAWIO),
    };
  }

  sharers(handle: TaskHandle): SharerScan {
    const seen = this.#seenPages;
    this.#seenPages = undefined;
    return findSharers(handle.pid, this.#source(seen));
  }

  stillShares(victim: TaskHandle, sharer: TaskHandle): boolean {
    const task = sharer as LiveTask;
    const mark = imageMark(task.stat.text() ?? '');
    const answer = stillShares(victim.pid, sharer.pid, this.#source());
    // The victim has let go of the memory, so there is nothing to compare with: the sharer holds it unless it ran execve since.
    if (answer === null) return mark !== null && mark === task.sharedMark;
    if (!answer || !victim.alive() || !sharer.alive()) return false;
    task.sharedMark = mark;
    return true;
  }

  #source(seen?: ReadonlyMap<number, number>) {
    const { native, missesAreNoticed } = this;
    const sharesVm = native ? (a: number, b: number) => native.sharesVm(a, b) : null;
    return procSharerSource(sharesVm, { seen, missesAreNoticed });
  }

  raisePriority(handle: TaskHandle): { threads: number; error: string | null } {
    let threads = 0;
    let error: string | null = null;
    let tids: readonly number[] = [];
    try {
      if (handle.alive()) tids = listThreads(handle.pid);
    } catch (failure) {
      error = errorCode(failure);
    }
    for (const tid of tids) {
      try {
        if (this.native) this.native.setThreadPriority(tid, -20);
        else setPriority(tid, -20);
        threads++;
      } catch (failure) {
        const code = (failure as { info?: { code?: string } }).info?.code ?? errorCode(failure);
        if (code === 'ESRCH') continue; // it exits: what we wanted
        error ??= code;
        break;
      }
    }
    return { threads, error };
  }

  holdsMemory(handle: TaskHandle): boolean {
    return memoryHolder(handle.pid, this.#source()) !== undefined && handle.alive();
  }

  reap(_handle: TaskHandle): Promise<void> {
    return Promise.reject(Object.assign(new Error('process_mrelease needs a pidfd'), { code: 'ENOSYS' }));
  }

  async wait(handles: readonly TaskHandle[], timeoutMs: number, stop: AbortSignal): Promise<void> {
    const endMs = this.now() + timeoutMs;
    let pauseMs = BACKOFF_FIRST_MS;
    while (!stop.aborted && !handles.some((handle) => handle.exited())) {
      const leftMs = endMs - this.now();
      if (leftMs <= 0) return;
      await startPause(Math.min(pauseMs, leftMs), stop).over;
      pauseMs = Math.min(pauseMs * 1.5, BACKOFF_LAST_MS);
    }
  }

  close(): void {
    // A descriptor closed under a call in a pool thread could be reused before that call looks at it.
    const finish = () => {
      for (const task of this.tasks.splice(0)) task.close();
      this.closed();
    };
    if (this.underWay.size === 0) finish();
    else void Promise.allSettled([...this.underWay]).then(finish);
  }

  protected closed(): void {}
}

class PidfdSystem extends KillOnlySystem {
  override readonly path = 'pidfd';
  override readonly canReap = true;
  protected override readonly missesAreNoticed: boolean;
  readonly #calls: Native;
  readonly #wake: number;
  #open = true;

  constructor(native: Native, seenPages?: ReadonlyMap<number, number>) {
    super(native, seenPages);
    this.#calls = native;
    this.missesAreNoticed = hasMrelease(native);
    this.#wake = native.eventfd();
  }

  override reap(handle: TaskHandle): Promise<void> {
    return this.#track(this.#calls.processMrelease((handle as LiveTask).pidfd));
  }

  override async wait(handles: readonly TaskHandle[], timeoutMs: number, stop: AbortSignal): Promise<void> {
    if (stop.aborted || timeoutMs <= 0) return;
    const fds = [this.#wake, ...handles.map((handle) => (handle as LiveTask).pidfd)];
    let polling = true;
    const polled = this.#track(
      this.#calls
        .pollAsync(
          fds.map((fd) => ({ fd, events: POLLIN })),
          Math.ceil(timeoutMs),
        )
        .finally(() => {
          polling = false;
        }),
    );
    // The timer beside the poll: a pool full of other work must not delay an escalation.
    const timer = startPause(timeoutMs, stop);
    try {
      await Promise.race([polled, timer.over]);
    } finally {
      timer.cancel();
    }
    if (polling) this.#calls.wake(this.#wake);
    void polled.finally(() => this.#drain()).catch(() => {});
  }

  #drain(): void {
    if (!this.#open) return;
    try {
      this.#calls.read(this.#wake, new Uint8Array(8));
    } catch {
      // EAGAIN: nobody woke us.
    }
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    this.underWay.add(promise);
    const done = () => this.underWay.delete(promise);
    promise.then(done, done);
    return promise;
  }

  protected override closed(): void {
    this.#open = false;
    this.#calls.close(this.#wake);
  }
}

/** A pause that ends by itself, when `stop` fires, or by `cancel`. */
function startPause(ms: number, stop: AbortSignal): { over: Promise<void>; cancel(): void } {
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    cancel = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', cancel);
      resolve();
    };
    const timer = setTimeout(() => cancel(), ms);
    stop.addEventListener('abort', cancel);
    if (stop.aborted) cancel();
  });
  return { over, cancel };
}
