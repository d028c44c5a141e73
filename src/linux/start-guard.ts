/** Stage: all of them. The guard as a library: in a worker of the application, told and asked by messages. */
import { Worker } from 'node:worker_threads';
import { type Engine, openEngine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { Gate } from '../gate.js';
import type { GuardEvent } from '../guard/guard-events.js';
import type { Notifier } from '../guard/notifier.js';
import { NotifierChain } from '../guard/notifier-chain.js';
import { registerApart } from '../guard/register-apart.js';
import type { KillResult } from '../guard/round-events.js';
import { definePolicy, type Policy, type PolicyInput } from '../policy/policy.js';
import { PRESSURE_LEVELS, type PressureLevel } from '../pressure/memory-state.js';
import { MemorySubscription } from '../pressure/subscription.js';
import type { GuardFacts } from './guard-facts.js';
import type { GuardWorkerData, ToApplication, ToWorker } from './guard-messages.js';
import { monotonicMs } from './linux-world.js';
import { requireProc } from './machine.js';
import { listPids } from './proc-files.js';
import { plantCookie } from './subtree-cookie.js';
import { threadFile } from './thread-file.js';
import { errorOf } from './thread-refusal.js';

/** A policy, and how the thread of the guard is run. */
export interface StartGuardOptions extends PolicyInput {
  /** Keeps the process alive as long as it guards. Default false. */
  readonly keepAlive?: boolean;
  /** `none` does without koffi. */
  readonly native?: 'auto' | 'none';
  /** Shortest and longest sleep between two readings, ms, 1 … 60,000. Default 20 and 1,000. */
  readonly leastMs?: number;
  readonly mostMs?: number;
  /** Where the program of its thread is, for bundles: that of `badness/guard-worker.js`. Default: beside this package's own files. */
  readonly worker?: URL;
}

/** The event of a kind. */
export type EventOf<K extends GuardEvent['kind']> = Extract<GuardEvent, { kind: K }>;
type Listener = (event: GuardEvent) => void;
type Acted = Pick<Extract<ToApplication, { kind: 'acted' }>, 'result' | 'error'>;

/** A kill or a panic that a reaction of the application asked the thread for. */
interface Acting {
  readonly answer: Promise<KillResult | null>;
  hear(message: Acted): void;
}

const TASKS_LEAST = 32_768;
/** New objects of the guard's thread: they hardly outlive a round, and V8 would give them 16 MiB and seldom take it back. */
const YOUNG_MIB = 1;
const APPLICATION_THREAD = 0;
const GUARD_THREAD = 1;

/**
 * Starts a guard in a worker. Nobody is killed unless `enforce: true`. Resolves when it watches; rejects with BadnessError
 * `EPRESSURE`, `EDOMAIN`, `ENOTLINUX`, `ENOTHREAD` where a bundler has left its thread behind, and TypeError or RangeError for what is no policy.
 */
export async function startGuard(options: StartGuardOptions): Promise<RunningGuard> {
  const { keepAlive = false, native, leastMs, mostMs, worker: program, ...input } = options;
  const policy = definePolicy(input);
  requireProc();
  const maxTasks = Math.max(TASKS_LEAST, 2 * listPids('/proc').length);
  const engine = await openEngine({ maxTasks, thread: APPLICATION_THREAD });
  if (engine.build !== 'shared') {
    throw new BadnessError(
      'ENOTSUP',
      'startGuard needs shared memory, which this runtime does not have; use openLinuxGuard',
    );
  }
  const { memory } = engine;
  const cookie = cookieFor(policy);
  const data: GuardWorkerData = { policy, memory, maxTasks, thread: GUARD_THREAD, native, leastMs, mostMs, cookie };
  // Flags of the application's own program (--input-type, --eval) are not for this one.
  const worker = new Worker(threadFile('guard-worker.js', program), {
    workerData: data,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    // Descriptors of the candidate queue are the process's: opened by whoever fills it, closed by whoever takes them.
    trackUnmanagedFds: false,
  });
  const guard = new RunningGuard(worker, engine, policy);
  await guard.started;
  // Not before: an application that waits for nothing else would end in the middle of the start.
  if (!keepAlive) worker.unref();
  return guard;
}

/** Only children that are started after this carry it. */
function cookieFor({ domain }: Policy): string | undefined {
  if (typeof domain === 'string' || !('descendantsOf' in domain) || domain.descendantsOf !== process.pid)
    return undefined;
  return plantCookie();
}

/** A guard that runs in its own thread. */
export class RunningGuard implements AsyncDisposable {
  /** Its memory is that of the guard: candidate queue, listeners, domains. */
  readonly engine: Engine;
  /** @internal */
  readonly started: Promise<void>;
  readonly #worker: Worker;
  readonly #chain: NotifierChain;
  readonly #warnings: NotifierChain;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #acting = new Map<string, Acting>();
  readonly #closed: Promise<void>;
  #facts: GuardFacts | null = null;
  #readings: MemorySubscription | null = null;
  #domain = 0;
  #closing = false;

  /** @internal */
  constructor(worker: Worker, engine: Engine, policy: Policy) {
    this.engine = engine;
    this.#worker = worker;
    this.#chain = new NotifierChain({ limits: policy.limits });
    this.#warnings = new NotifierChain({ limits: policy.limits });
    this.#closed = new Promise((resolve) => worker.once('exit', () => resolve()));
    this.started = new Promise((resolve, reject) => {
      worker.on('message', (message: ToApplication) => this.#hear(message, resolve, reject));
      worker.on('error', (error) => {
        reject(error);
        this.#broken(`${error.name}: ${error.message}`);
      });
      worker.once('exit', () => {
        for (const { hear } of this.#acting.values()) hear({ result: null, error: 'the guard has ended' });
        this.#broken('its thread has ended');
      });
    });
    this.started.catch(() => {});
  }

  /** What it guards, how, and with what means. */
  get facts(): GuardFacts {
    return this.#facts!;
  }

  /** The readings of memory as the guard makes them, without a system call: for every thread that is given its buffer. */
  get readings(): MemorySubscription {
    return this.#readings!;
  }

  /** How short memory was at the last reading. */
  get level(): PressureLevel {
    return this.readings.latest()?.level ?? 'none';
  }

  /** Number of its domain in the engine. */
  get domain(): number {
    return this.#domain;
  }

  /** Calls `listener` at each event of a kind, in this thread, when its event loop comes to it. Returns what ends it. */
  on<K extends GuardEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): () => void {
    const own: Listener = (event) => listener(event as EventOf<K>);
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(own));
    return () => void listeners.delete(own);
  }

  /**
   * Adds a notifier of the application. It is asked by message and within the limits of the policy: an event loop that is blocked
   * has not answered, and the guard goes on. One with `react` takes the place of the kill. Errors as NotifierChain.register.
   */
  register(notifier: Notifier): void {
    registerApart(notifier, this.#warnings, this.#chain);
    this.#sayPhases();
  }

  /** Removes a notifier. Throws BadnessError `ENOENT`. */
  unregister(name: string): void {
    const chains = [this.#chain, this.#warnings].filter((chain) => chain.list().some((one) => one.name === name));
    if (chains.length === 0) throw new BadnessError('ENOENT', `no notifier ${name} is registered`);
    for (const chain of chains) chain.unregister(name);
    this.#sayPhases();
  }

  /** The application could not have memory that it asked for. True when the gate let it through, and a round follows. */
  allocationFailed(): boolean {
    if (new Gate(this.engine, this.#domain).call(monotonicMs()) !== 'kill') return false;
    this.#say({ kind: 'allocation-failed' });
    return true;
  }

  /**
   * How short memory is, in the application's own judgement: stands until it says otherwise, beside what the guard reads itself.
   * Throws RangeError for what is no level.
   */
  report(level: PressureLevel): void {
    if (!PRESSURE_LEVELS.includes(level)) {
      throw new RangeError(`level must be one of ${PRESSURE_LEVELS.join(', ')}, got ${JSON.stringify(level)}`);
    }
    this.#say({ kind: 'report', level });
  }

  /** Ends the guard, within a second even in the middle of a round. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#worker.ref();
      this.#say({ kind: 'close' });
    }
    await this.#closed;
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #sayPhases(): void {
    const phases = [this.#chain, this.#warnings].flatMap((chain) => chain.list().flatMap((one) => one.phases));
    this.#say({ kind: 'phases', phases: [...new Set(phases)] });
  }

  #hear(message: ToApplication, started: () => void, refused: (error: Error) => void): void {
    switch (message.kind) {
      case 'started':
        this.#facts = message.facts;
        this.#readings = new MemorySubscription(message.readings);
        this.#domain = message.domain;
        started();
        break;
      case 'refused':
        // Its loop can break too, long after the start.
        if (this.#facts) this.#broken(`${message.name}: ${message.message}`);
        this.#closing = true;
        refused(errorOf(message));
        break;
      case 'event':
        this.#emit(message.event);
        break;
      case 'ask':
        void this.#answer(message);
        break;
      case 'acted':
        this.#acting.get(`${message.act} ${message.id}`)?.hear(message);
        break;
      case 'exit':
        process.exit(message.code);
    }
  }

  #emit(event: GuardEvent): void {
    for (const listener of [...(this.#listeners.get(event.kind) ?? [])]) listener(event);
  }

  /** The thread has ended although nobody closed it: nobody guards any more, and that must be heard. */
  #broken(error: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#emit({ kind: 'failed', atMs: monotonicMs(), error: `the guard has ended: ${error}` });
  }

  async #answer({ id, phase, event }: Extract<ToApplication, { kind: 'ask' }>): Promise<void> {
    const chain = phase === 'warn' ? this.#warnings : this.#chain;
    const context =
      phase === 'react' ? { ...event, kill: () => this.#act(id, 'kill'), panic: () => this.#act(id, 'panic') } : event;
    try {
      const { freedPages, stoppedBy } = await chain.walk(phase, context as never);
      this.#say({ kind: 'answer', id, answer: { freedPages, stop: stoppedBy !== null }, error: null });
    } catch (error) {
      this.#say({ kind: 'answer', id, answer: null, error: (error as Error).message });
    }
  }

  /** Asked again before the answer is there, it waits for the same. */
  #act(id: number, what: 'kill' | 'panic'): Promise<KillResult | null> {
    const name = `${what} ${id}`;
    const before = this.#acting.get(name)?.answer;
    if (before) return before;
    let hear = (_: Acted) => {};
    const answer = new Promise<KillResult | null>((resolve, reject) => {
      hear = ({ result, error }) => {
        this.#acting.delete(name);
        if (error === null) resolve(result);
        else reject(new BadnessError('ESTALE', error));
      };
    });
    // A reaction that does not wait for it must not bring the program down by an unhandled rejection.
    answer.catch(() => {});
    this.#acting.set(name, { answer, hear });
    this.#say({ kind: 'act', id, act: what });
    return answer;
  }
}
