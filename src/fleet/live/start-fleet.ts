/** Stage: report. A guard's end of its fleet: starts the agent in a thread of its own, hands over what the guard tells, and switches policies. */
import { createHash, randomBytes } from 'node:crypto';
import { homedir, hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { GuardEvent } from '../../guard/guard-events.js';
import { guardEventToJson } from '../../guard/guard-events.js';
import type { WholeDecision } from '../../linux/kept-decisions.js';
import { threadFile } from '../../linux/thread-file.js';
import { errorOf, refusalOf } from '../../linux/thread-refusal.js';
import type { FleetSettings, PolicyInput } from '../../policy/index.js';
import type { Taken } from '../fleet-guard.js';
import type { LocalSide } from '../local-limits.js';
import { tokenOf } from '../names.js';
import type { FleetWorkerData, ToAgent, ToGuard } from './fleet-messages.js';

/** What a guard tells its fleet when it begins. */
export interface StartFleetOptions {
  readonly settings: FleetSettings;
  readonly version: string;
  /** What the machine's own file says of the domain that is guarded. */
  readonly input: PolicyInput;
  /** Whether the guard enforces as it was started. */
  readonly enforce: boolean;
  /** The guard's readings of memory: `guard.subscription.buffer`. */
  readonly readings: SharedArrayBuffer;
  /** Goes on by another policy (null: the machine's own) and resolves once it is in force; rejects when it stays with the one before. */
  readonly take: (input: PolicyInput | null) => Promise<Taken>;
  /** Hears of what is not as it should be, in words. */
  readonly note: (words: string) => void;
}

/** What of a round the agent cannot know: asked for only when it is wanted. */
export interface RoundSources {
  /** The canonical record of the choice; null of a round that chose nobody. */
  record(): Uint8Array | null;
  /** The whole decision, while a shadow policy is to be evaluated. */
  whole(): WholeDecision | null;
}

/** Two words, not one: a thread that has room for its objects and for little else. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 };
/** A guard ends within a second, whatever its fleet does. */
const CLOSE_MS = 800;

/** Where decisions wait and what was seen is kept, for the guard of a domain: the folder of the settings, of the service, of root or of the user. */
export function fleetFolder({ folder }: FleetSettings, { domain = 'auto' }: PolicyInput, env = process.env): string {
  const spelled = typeof domain === 'string' ? domain : JSON.stringify(domain);
  // The name of a file has 255 bytes at most, and a letter of a token may take three of them.
  const isShort = Buffer.byteLength(spelled) <= 80;
  const name = isShort ? tokenOf(spelled, 'a domain') : createHash('sha256').update(spelled).digest('hex');
  const [service = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  const state = env.XDG_STATE_HOME ?? '';
  if (folder !== null) return join(folder, name);
  if (isAbsolute(service)) return join(service, 'fleet', name);
  if (process.geteuid?.() === 0) return join('/var/lib/badness/fleet', name);
  return join(isAbsolute(state) ? state : join(homedir(), '.local/state'), 'badness/fleet', name);
}

const localSide = ({ settings, input }: Pick<StartFleetOptions, 'settings' | 'input'>): LocalSide => ({
  input,
  allow: settings.allow,
});

/** The agent of a guard, in its own thread, as the thread of the guard sees it. */
export class RunningFleet {
  /** Whether the policy in force is one of the fleet. */
  isInForce = false;
  readonly #worker: Worker;
  readonly #options: StartFleetOptions;
  /** Resolves when its thread has ended, by `close` or by a fault. */
  readonly ended: Promise<void>;
  #shadowing = false;
  #hasEnded = false;

  /** @internal */
  constructor(worker: Worker, options: StartFleetOptions) {
    this.#worker = worker;
    this.#options = options;
    this.ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (message: ToGuard) => this.#hear(message));
    worker.on('error', ({ message }) => options.note(`fleet: its thread has ended, the guard goes on: ${message}`));
    worker.once('exit', () => {
      this.#hasEnded = true;
    });
  }

  /** Hands over what the guard tells. Returns at once. */
  hear(event: GuardEvent, sources: RoundSources): void {
    if (this.#hasEnded) return;
    if (event.kind === 'level') this.#say({ kind: 'level' });
    if (event.kind !== 'round') return;
    const whole = this.#shadowing ? sources.whole() : null;
    // A view of a larger buffer would be cloned with all of it.
    const kept = whole && { ...whole, decision: { ...whole.decision, copy: whole.decision.copy.slice() } };
    const wallMs = Date.now();
    this.#say({ kind: 'decision', wallMs, event: guardEventToJson(event), record: sources.record(), whole: kept });
  }

  /** The file of the machine was read again. */
  ownChanged(settings: FleetSettings, input: PolicyInput): void {
    this.#say({ kind: 'local', local: localSide({ settings, input }) });
  }

  /** Ends the thread; what could not be sent waits for the next run. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    this.#say({ kind: 'close' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([this.ended, late]);
    clearTimeout(timer);
    await this.#worker.terminate();
  }

  #say(message: ToAgent): void {
    this.#worker.postMessage(message);
  }

  #hear(message: ToGuard): void {
    switch (message.kind) {
      case 'note':
        this.#options.note(message.words);
        break;
      case 'shadowing':
        this.#shadowing = message.on;
        break;
      case 'take':
        void this.#take(message.id, message.input);
    }
  }

  async #take(id: number, input: PolicyInput | null): Promise<void> {
    try {
      const taken = await this.#options.take(input);
      this.isInForce = input !== null;
      this.#say({ kind: 'taken', id, taken, refusal: null });
    } catch (error) {
      this.#say({ kind: 'taken', id, taken: null, refusal: refusalOf(error) });
    }
  }
}

/** The thread has begun, or says why it cannot. */
function begun(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const hear = (message: ToGuard) => {
      if (message.kind === 'started') resolve();
      else if (message.kind === 'refused') reject(errorOf(message.refusal));
      else return;
      worker.off('message', hear);
      worker.off('error', reject);
    };
    worker.on('message', hear);
    worker.on('error', reject);
  });
}

/**
 * Starts the agent of this machine; no server need be there. Rejects with BadnessError `ENOPACKAGE` without the packages of NATS, `ENOTHREAD`,
 * `ESTANDING` for damaged files of its own, errno names for a folder that cannot be written; RangeError for a name or key that cannot be one.
 */
export async function startFleet(options: StartFleetOptions): Promise<RunningFleet> {
  const { settings, version, enforce, readings, input } = options;
  const data: FleetWorkerData = {
    ...{ settings, version, enforce, readings, host: settings.host ?? hostname() },
    ...{ run: `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}`, folder: fleetFolder(settings, input) },
    local: localSide(options),
  };
  const worker = new Worker(threadFile('fleet-worker.js'), {
    ...{ workerData: data, execArgv: [], resourceLimits: HEAP },
  });
  const fleet = new RunningFleet(worker, options);
  try {
    await begun(worker);
  } catch (error) {
    // It may have a connection by now, which would keep it, and the process.
    await fleet.close();
    throw error;
  }
  worker.unref();
  return fleet;
}
