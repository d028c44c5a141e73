/**
 * Stage: report. The fleet's agent of one machine, beside its guard and never in its way: takes policies from the fleet, reports decisions,
 * memory and how it stands. Without a server everything goes on as though there were no fleet, and decisions wait. Link, guard, clock and
 * store are handed to it, so that one process can be a thousand machines.
 */
import type { BadnessError } from '../errors.js';
import type { Clock, MemoryNews } from '../guard/index.js';
import type { Verify } from './envelope.js';
import type { AgentMemory, DecisionNews, FleetGuard, Taken } from './fleet-guard.js';
import type { FleetLink } from './link.js';
import { policySubject, reportSubject } from './names.js';
import { type FleetPolicy, type FleetShadow, PolicyKeeper } from './policy-keeper.js';
import { type OriginRecord, pressureReport, REPORT_SCHEMA, type StateReport } from './report.js';
import { Sender } from './sender.js';
import type { Spool, SpoolRecord } from './spool.js';

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
  readonly wallMs: () => number;
  /** Hears of what is not as it should be, in words. */
  readonly note: (words: string) => void;
}

/** Policies are looked at so often although nobody said that they changed. */
const LOOK_MS = 60_000;
/** Right after a change the server may still answer with what stood before. */
const AGAIN_MS = 250;
const STATE_EVERY_MS = 60_000;

type Refused = StateReport['refused'][number];

function refusalOf(origin: { key: string; revision: number }, error: unknown): Refused {
  const { code = 'EPOLICY', message = String(error) } = error as { code?: string; message?: string };
  return { key: origin.key, revision: origin.revision, code, message };
}

const isSame = (a: FleetPolicy | FleetShadow | null, b: FleetPolicy | FleetShadow | null): boolean =>
  a?.key === b?.key && a?.sequence === b?.sequence && a?.text === b?.text;

export class FleetAgent {
  readonly #options: AgentOptions;
  readonly #keeper: PolicyKeeper | null;
  readonly #sender: Sender;
  readonly #ends: (() => void)[] = [];
  #working: Promise<void> = Promise.resolve();
  #lookWaits = false;
  /** What was asked for last, and whether it was taken. */
  #wanted: FleetPolicy | null = null;
  #wantedShadow: FleetShadow | null = null;
  #inForce: FleetPolicy | null = null;
  #taken: Taken | null = null;
  #refused: Refused | null = null;
  #shadowError: string | null = null;
  #number = 0;
  #pressure: MemoryNews | null = null;
  #cancelAgain = () => {};
  #closed = false;

  /** Throws RangeError for a host or a label that cannot be one. */
  constructor(options: AgentOptions) {
    const { host, labels, verify, memory, link, spool, clock, note } = options;
    this.#options = options;
    this.#keeper = verify && new PolicyKeeper({ host, labels, verify, sequences: memory.load() });
    const unsendable = ({ id }: SpoolRecord) => note(`report ${id} is larger than the server takes, and was dropped`);
    this.#sender = new Sender({ link, spool, clock, unsendable });
  }

  /** The policy of the fleet that is in force; null for the machine's own. */
  get policy(): FleetPolicy | null {
    return this.#inForce;
  }

  start(): void {
    const { link } = this.#options;
    this.#ends.push(link.onChange((isUp) => isUp && this.#found()));
    for (const key of this.#keeper?.keys ?? []) {
      this.#ends.push(link.subscribe(policySubject(key), () => this.#changed()));
    }
    this.#every(LOOK_MS, () => this.#look());
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

  /** Puts together anew what is in force, because the machine's own file has changed. What that does not allow any more ends. */
  again(): Promise<void> {
    this.#working = this.#working.then(async () => {
      const keeper = this.#keeper;
      if (!keeper || this.#closed) return;
      if (this.#inForce) {
        await this.#take(this.#inForce, true);
        if (this.#refused) await this.#giveUp();
      }
      this.#wantedShadow = null;
      await this.#follow(keeper);
      this.#remember(keeper);
      this.tellState();
    });
    return this.#working;
  }

  /** Resolves when what was asked for until now is done. */
  async settled(): Promise<void> {
    await this.#working;
    await this.#sender.settled();
  }

  tellState(running = true): void {
    const { link, host } = this.#options;
    if (link.isUp) link.store(reportSubject(host, 'state'), JSON.stringify(this.state(running))).catch(() => {});
  }

  state(running = true): StateReport {
    const { host, labels, version, run, wallMs, spool } = this.#options;
    const { enforce, notes } = this.#taken ?? { enforce: this.#options.enforce, notes: [] };
    const shadow = this.#wantedShadow;
    const refused = [...(this.#keeper?.refused ?? []), ...(this.#refused ? [this.#refused] : [])];
    return {
      ...{ schema: REPORT_SCHEMA, kind: 'state', host, labels, wall_ms: wallMs(), version, run, running },
      ...{ policy: this.#origin(), enforce, notes, refused },
      shadow: shadow && {
        ...{ key: shadow.key, revision: shadow.revision, sequence: shadow.sequence },
        error: this.#shadowError,
      },
      spool: { waiting: spool.waiting, dropped: spool.dropped, damaged: spool.damaged },
    };
  }

  /** Says goodbye, and leaves what could not be sent to the next run. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#cancelAgain();
    await this.#working;
    this.#sender.close();
    this.tellState(false);
  }

  /** A server is there (again). */
  #found(): void {
    this.#sender.wake();
    void this.#look().then(() => this.tellState());
    if (this.#pressure) this.pressed(this.#pressure);
  }

  #changed(): void {
    void this.#look();
    this.#cancelAgain();
    this.#cancelAgain = this.#options.clock.after(AGAIN_MS, () => void this.#look());
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

  /** One look after the other; those that are asked for meanwhile are one. */
  #look(): Promise<void> {
    if (this.#lookWaits || this.#closed) return this.#working;
    this.#lookWaits = true;
    this.#working = this.#working.then(async () => {
      this.#lookWaits = false;
      await this.#readKeys();
    });
    return this.#working;
  }

  async #readKeys(): Promise<void> {
    const { link } = this.#options;
    const keeper = this.#keeper;
    if (!keeper || this.#closed || !link.isUp) return;
    const known = JSON.stringify([keeper.refused, keeper.sequences]);
    try {
      const values = await Promise.all(keeper.keys.map((key) => link.policyAt(key)));
      for (const [index, key] of keeper.keys.entries()) keeper.offer(key, values[index]!);
    } catch {
      // The server went away, or does not answer: what is in force stays, and the next look asks again.
      return;
    }
    const isOther = await this.#follow(keeper);
    if (!isOther && JSON.stringify([keeper.refused, keeper.sequences]) === known) return;
    this.#remember(keeper);
    this.tellState();
  }

  /** Has what counts now come into force. True when something was taken or refused. */
  async #follow(keeper: PolicyKeeper): Promise<boolean> {
    const [policy, shadow] = [keeper.policy(), keeper.shadow()];
    const isOther = !isSame(policy, this.#wanted);
    const isOtherShadow = !isSame(shadow, this.#wantedShadow);
    if (isOther) await this.#take(policy);
    if (isOtherShadow) await this.#takeShadow(shadow);
    return isOther || isOtherShadow;
  }

  async #take(policy: FleetPolicy | null, anew = false): Promise<void> {
    const { guard, note } = this.#options;
    const isInForce = policy !== null && policy.key === this.#inForce?.key && policy.text === this.#inForce.text;
    this.#wanted = policy;
    try {
      // The next step of a rollout that this machine has taken already.
      if (!isInForce || anew) this.#taken = await guard.take(policy);
      this.#inForce = policy;
      this.#refused = null;
    } catch (error) {
      if (policy === null)
        return note(`the machine's own policy could not be taken again: ${(error as Error).message}`);
      this.#refused = refusalOf(policy, error);
      note(`the policy of ${policy.key}, revision ${policy.revision}, is refused: ${this.#refused.message}`);
    }
  }

  /** Back to the machine's own policy; what was refused is not asked for again until it is another. */
  async #giveUp(): Promise<void> {
    const { guard, note } = this.#options;
    this.#inForce = null;
    try {
      this.#taken = await guard.take(null);
    } catch (error) {
      note(`the machine's own policy could not be taken again: ${(error as Error).message}`);
    }
  }

  async #takeShadow(shadow: FleetShadow | null): Promise<void> {
    this.#wantedShadow = shadow;
    this.#shadowError = null;
    try {
      await this.#options.guard.shadow(shadow);
    } catch (error) {
      this.#shadowError = (error as BadnessError).message;
    }
  }

  #remember(keeper: PolicyKeeper): void {
    const { memory, note } = this.#options;
    const inForce = this.#inForce && { ...this.#inForce, notes: this.#taken?.notes ?? [] };
    try {
      memory.save(keeper.sequences, inForce);
    } catch (error) {
      note(`what was seen of policies could not be kept: ${(error as Error).message}`);
    }
  }

  #origin(): OriginRecord | null {
    const policy = this.#inForce;
    if (policy === null) return null;
    const { key, revision, sequence, step } = policy;
    return { key, revision, sequence, step };
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
