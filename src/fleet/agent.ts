/**
 * Stage: report. The fleet's agent of one machine, beside its guard and never in its way: takes policies from the fleet, reports decisions,
 * memory and how it stands. Without a server everything goes on as though there were no fleet, and decisions wait. Link, guard, clock and
 * store are handed to it, so that one process can be a thousand machines.
 */
import type { Clock, MemoryNews } from '../guard/index.js';
import type { Verify } from './envelope.js';
import type { AgentMemory, DecisionNews, FleetGuard } from './fleet-guard.js';
import type { FleetLink, LinkMessage } from './link.js';
import { reportSubject } from './names.js';
import { PolicyFollower } from './policy-follower.js';
import { type FleetPolicy, PolicyKeeper } from './policy-keeper.js';
import { Answering, askSubject } from './questions.js';
import { type OriginRecord, pressureReport, REPORT_SCHEMA, type StateReport } from './report.js';
import { Sender } from './sender.js';
import type { Spool, SpoolRecord } from './spool.js';

/** What an agent is made of. */
export interface AgentOptions {
  readonly host: string;
  readonly labels: readonly string[];
  readonly version: string;
  /** Names this run of the guard; unique. */
  readonly run: string;
  /** Whether the machine's own policy has anybody killed. */
  readonly enforce: boolean;
  /** Whose signatures count. Null: no policy is taken. */
  readonly verify: Verify | null;
  readonly link: FleetLink;
  readonly guard: FleetGuard;
  readonly spool: Spool;
  readonly memory: AgentMemory;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Hears of what is not as it should be, in words. */
  readonly note: (words: string) => void;
}

/** Policies are looked at so often although nobody said that they changed. */
const LOOK_MS = 60_000;
const STATE_EVERY_MS = 60_000;

/** The agent of one machine. What goes wrong is noted, and its guard guards on. */
export class FleetAgent {
  readonly #options: AgentOptions;
  readonly #follower: PolicyFollower | null;
  readonly #sender: Sender;
  readonly #ends: (() => void)[] = [];
  #number = 0;
  #pressure: MemoryNews | null = null;
  #closed = false;

  /** Throws RangeError for a host or a label that cannot be one. */
  constructor(options: AgentOptions) {
    const { link, spool, clock, note } = options;
    this.#options = options;
    this.#follower = this.#followerOf(options);
    const unsendable = ({ id }: SpoolRecord) => note(`report ${id} is larger than the server takes, and was dropped`);
    const failed = ({ message }: Error) =>
      note(`reports wait, one was not taken: ${message}; badness fleet setup makes their stream`);
    this.#sender = new Sender({ link, spool, clock, unsendable, failed });
  }

  /** The policy of the fleet that is in force; null for the machine's own. */
  get policy(): FleetPolicy | null {
    return this.#follower?.inForce ?? null;
  }

  /** Begins: from now on it looks for what counts, and tells how it stands. */
  start(): void {
    const { link } = this.#options;
    this.#ends.push(link.onChange((isUp) => isUp && this.#found()));
    this.#follower?.start();
    this.#listen();
    this.#every(LOOK_MS, () => void this.#follower?.look());
    this.#every(STATE_EVERY_MS, () => this.tellState());
    if (link.isUp) this.#found();
  }

  /** A round has ended. Written to the spool before this returns. */
  decided({ wallMs, event, record, shadow = null }: DecisionNews): void {
    const { host, run, spool, note } = this.#options;
    this.#number += 1;
    const id = `${run}.${this.#number}`;
    const text = JSON.stringify({
      ...{ schema: REPORT_SCHEMA, kind: 'decision', id, host, wall_ms: wallMs, policy: this.#origin() },
      ...{ event, record: record && base64(record), shadow },
    });
    try {
      spool.put({ subject: reportSubject(host, 'decision'), id, text });
    } catch (error) {
      note(`decision ${id} could not be kept for the fleet: ${(error as Error).message}`);
      return;
    }
    this.#sender.wake();
  }

  /** Memory now; told when its level is another one, and when the caller says so. Only the last counts: nothing of it waits for a server. */
  pressed(news: MemoryNews): void {
    const { link, host, wallMs } = this.#options;
    this.#pressure = news;
    const report = pressureReport(host, wallMs(), news);
    if (link.isUp) link.store(reportSubject(host, 'pressure'), JSON.stringify(report)).catch(() => {});
  }

  /** The machine's own file has changed: what is in force is put together anew, and ends where the file does not allow it any more. */
  async again(): Promise<void> {
    await this.#follower?.again();
  }

  /** Resolves when what was asked for until now is done. */
  async settled(): Promise<void> {
    await this.#follower?.settled();
    await this.#sender.settled();
  }

  /** Tells how it stands, where there is a server. */
  tellState(running = true): void {
    const { link, host } = this.#options;
    if (link.isUp) link.store(reportSubject(host, 'state'), JSON.stringify(this.state(running))).catch(() => {});
  }

  /** How it stands now. */
  state(running = true): StateReport {
    const { host, labels, version, run, wallMs, spool, enforce: own } = this.#options;
    const { enforce, notes } = this.#follower?.taken ?? { enforce: own, notes: [] };
    return {
      ...{ schema: REPORT_SCHEMA, kind: 'state', host, labels, wall_ms: wallMs(), version, run, running },
      ...{ policy: this.#origin(), enforce, notes },
      ...{ refused: this.#follower?.refused ?? [], shadow: this.#follower?.shadow ?? null },
      spool: { waiting: spool.waiting, dropped: spool.dropped, damaged: spool.damaged },
    };
  }

  /** Says goodbye, and leaves what could not be sent to the next run. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ends) end();
    await this.#follower?.close();
    this.#sender.close();
    this.tellState(false);
  }

  #followerOf({ host, labels, verify, memory, link, guard, clock, note }: AgentOptions): PolicyFollower | null {
    if (verify === null) return null;
    const keeper = new PolicyKeeper({ host, labels, verify, sequences: memory.load() });
    return new PolicyFollower({ keeper, link, guard, memory, clock, note, changed: () => this.tellState() });
  }

  #listen(): void {
    const { link, guard, host, note } = this.#options;
    if (!guard.preview) return;
    const answering = new Answering(host, (ask) => guard.preview!(ask));
    const hear = async (message: LinkMessage) => {
      const answer = await answering.answer(message.text);
      if (answer === null || !link.isUp || this.#closed) return;
      try {
        message.respond(answer);
      } catch (error) {
        note(`a question could not be answered: ${(error as Error).message}`);
      }
    };
    this.#ends.push(link.subscribe(askSubject(host), (message) => void hear(message)));
  }

  /** A server is there (again). */
  #found(): void {
    this.#sender.wake();
    void Promise.resolve(this.#follower?.look()).then(() => this.tellState());
    if (this.#pressure) this.pressed(this.#pressure);
  }

  #every(ms: number, run: () => void): void {
    const { clock } = this.#options;
    let cancel = () => {};
    const again = () => {
      cancel = clock.after(ms, () => {
        run();
        again();
      });
    };
    again();
    this.#ends.push(() => cancel());
  }

  #origin(): OriginRecord | null {
    const policy = this.policy;
    if (policy === null) return null;
    const { key, revision, sequence, step } = policy;
    return { key, revision, sequence, step };
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
