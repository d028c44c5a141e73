import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Control, openControl } from '../../../src/control/control.js';
import type { ControlledGuard } from '../../../src/control/controlled.js';
import type { ControlOptions } from '../../../src/control/settled.js';
import { type Engine, openEngine } from '../../../src/engine.js';
import { BadnessError } from '../../../src/errors.js';
import { explainTask } from '../../../src/explain.js';
import { blankReport } from '../../../src/guard/round.js';
import type { RoundReport } from '../../../src/guard/round-report.js';
import type { PluginState } from '../../../src/linux/plugin-scheme.js';
import type { ExplainedNow, RankedNow } from '../../../src/linux/rankings.js';
import { definePolicy } from '../../../src/policy/policy.js';
import type { MemoryNews } from '../../../src/pressure/subscription.js';
import { CandidateQueue, type TaskHandles } from '../../../src/queue.js';
import { rankedAt, rankTasks } from '../../../src/rank.js';
import { loadTasks } from '../../../src/task.js';
import type { TokenHolder } from '../../../src/token.js';
import { ownFolder } from './own-folder.js';
import { PATIENCE_MS } from './patience.js';

/** Ids that no task has; every other one is the leader of its process. */
class Tasks implements TaskHandles {
  readonly missing = new Set<number>();
  readonly open = (pid: number) => (this.missing.has(pid) ? undefined : { tgid: pid, handle: pid });
  readonly isAlive = () => true;
  readonly close = () => {};
}

const MEMORY: MemoryNews = {
  ...{ totalKib: 1000, availableKib: 400, basisKib: 800, swapTotalKib: 200, swapFreeKib: 100 },
  ...{ level: 'warn', atMs: 5 },
};

const READING = { availableBytes: 1, perCpuBytes: 0, totalBytes: 100 };

/** A round that did nothing, but for what is said. */
export function report(more: Partial<RoundReport> = {}): RoundReport {
  return { ...blankReport('system', false, READING), outcome: 'dry', ...more };
}

export class FakeControlled implements ControlledGuard {
  readonly tasks = new Tasks();
  readonly queue: CandidateQueue;
  readonly gate = definePolicy().gate;
  readonly level = 'warn';
  readonly counters = { readings: 7, rounds: 3, released: 1, freedBytes: 4096, others: 2 };
  readonly plugin: PluginState | null = null;
  readonly reloads = { taken: 2, refused: 1, lastError: 'badness.toml:3: no' };
  readonly memory: MemoryNews | null = MEMORY;
  readonly names = new Map<number, string>();
  /** Calls of setProtection. */
  readonly asked: [id: number, on: boolean][] = [];
  token: TokenHolder | undefined;
  domain = 'system';
  rounds = 0;
  rankings = 0;
  onRound: () => Promise<RoundReport> = () => Promise.resolve(report());
  onRank: () => Promise<void> = () => Promise.resolve();
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.queue = new CandidateQueue(engine, this.tasks);
  }

  get facts() {
    return {
      ...{ domain: this.domain, reason: 'as asked', memory: 'much', thresholds: definePolicy().thresholds },
      ...({ scheme: 'badness', plugin: null, enforce: false, signals: 'pidfd', signalsReason: null } as const),
      ...({ waits: 'poll', locked: false, notes: [] } as const),
    };
  }

  get protectedCount(): number {
    return this.names.size;
  }

  describe(): string {
    return 'much memory';
  }

  protectedTasks() {
    return [...this.names].map(([tgid, comm]) => ({ tgid, comm }));
  }

  isProtected(id: number): boolean {
    return this.names.has(id);
  }

  setProtection(id: number, on: boolean): void {
    if (this.tasks.missing.has(id)) throw new BadnessError('ESRCH', `no task has the id ${id}`);
    this.asked.push([id, on]);
    if (on) this.names.set(id, `task-${id}`);
    else this.names.delete(id);
  }

  async rank(): Promise<RankedNow> {
    this.rankings += 1;
    await this.onRank();
    return this.#ranked();
  }

  async explain(tgid: number, scheme: RankedNow['options']['scheme'] = 'badness'): Promise<ExplainedNow> {
    const ranked = this.#ranked();
    const task = ranked.ranking.ranked.find((one) => one.tgid === tgid);
    if (!task) throw new BadnessError('ESRCH', `no task of the domain has the id ${tgid}`);
    const terms = { ...explainTask(this.#engine, task.slot, { ...ranked.options, scheme }), rank: 1 };
    return { ...ranked, task: rankedAt(this.#engine, task.slot, 'badness'), terms };
  }

  decisionRecording(id: number): Promise<string> {
    if (id !== 3) return Promise.reject(new BadnessError('ENODATA', `decision ${id} is not kept`));
    return Promise.resolve('badness-recording 1\nsnapshot monotonic_ms 1\nend\n');
  }

  round(): Promise<RoundReport> {
    this.rounds += 1;
    return this.onRound();
  }

  #ranked(): RankedNow {
    const options = { scheme: 'badness', totalPages: 5000 } as const;
    const machine = { hz: 100, pageSize: 4096, uptimeS: 100, totalPages: 9000 };
    const reading = { machine, tasks: 4, gone: 1, unreadable: 0, left: 0 };
    return { options, reading, ranking: rankTasks(this.#engine, options), plugin: null };
  }
}

const TASKS = [
  { tgid: 1, comm: 'init', rssPages: 10 },
  { tgid: 40, comm: 'hog', rssPages: 700 },
  { tgid: 41, comm: 'small', rssPages: 50 },
  { tgid: 42, comm: 'middle', rssPages: 300 },
];

export interface Scene {
  readonly guard: FakeControlled;
  readonly control: Control;
  readonly path: string;
}

export async function scene(t: TestContext, options: Partial<ControlOptions> = {}): Promise<Scene> {
  const engine = await openEngine({ maxTasks: 64 });
  loadTasks(engine, TASKS, { hz: 100, pageSize: 4096, uptimeS: 100, totalPages: 9000 });
  const guard = new FakeControlled(engine);
  const control = await openControl({ guard, path: join(ownFolder(t), 'c.sock'), ...options });
  t.after(() => control.close());
  return { guard, control, path: control.path };
}

export interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request over the socket, and all of its answer. */
export function ask(path: string, method: string, resource: string, body: string | Buffer = ''): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const options = {
      socketPath: path,
      path: resource,
      method,
      headers: { 'content-length': Buffer.byteLength(body) },
    };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

export const get = (path: string, resource: string) => ask(path, 'GET', resource);

/** A connection that speaks for itself: what came on it, and when it ended. */
export class RawClient {
  text = '';
  readonly socket: Socket;
  readonly ended: Promise<void>;
  readonly #waits = new Set<() => void>();

  constructor(path: string) {
    this.socket = createConnection(path);
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      for (const wait of [...this.#waits]) wait();
    });
    this.socket.on('error', () => {});
    this.ended = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** Resolves when what came matches. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        if (!pattern.test(this.text)) return;
        this.#waits.delete(look);
        resolve(this.text);
      };
      this.#waits.add(look);
      look();
    });
  }
}

/** A client that reads events. */
export async function reader(t: TestContext, path: string): Promise<RawClient> {
  const client = new RawClient(path);
  t.after(() => client.socket.destroy());
  client.socket.write('GET /events HTTP/1.1\r\nHost: b\r\n\r\n');
  await client.until(/: listening\n\n/);
  return client;
}

/** Rejects when it takes longer: whatever a test waits for has bounds. */
export function within<T>(promise: Promise<T>, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
