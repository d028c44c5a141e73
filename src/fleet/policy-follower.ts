/**
 * Stage: none (settings). Follows what the fleet's policies come to for one machine, and has its guard go by it: one look after the other, each
 * policy taken as a whole or refused by name while the one before stays.
 */
import type { Clock } from '../guard/index.js';
import type { AgentMemory, FleetGuard, Taken } from './fleet-guard.js';
import type { FleetLink } from './link.js';
import { policySubject } from './names.js';
import type { FleetPolicy, FleetShadow, PolicyKeeper } from './policy-keeper.js';
import type { RefusedRecord, StateReport } from './report.js';

export interface FollowerOptions {
  readonly keeper: PolicyKeeper;
  readonly link: FleetLink;
  readonly guard: FleetGuard;
  readonly memory: AgentMemory;
  readonly clock: Clock;
  readonly note: (words: string) => void;
  /** Something was taken, refused, or seen. */
  readonly changed: () => void;
}

/** Right after a change the server may still answer with what stood before. */
const AGAIN_MS = 250;

function refusalOf(origin: { key: string; revision: number }, error: unknown): RefusedRecord {
  const { code = 'EPOLICY', message = String(error) } = error as { code?: string; message?: string };
  return { key: origin.key, revision: origin.revision, code, message };
}

const isSame = (a: FleetPolicy | FleetShadow | null, b: FleetPolicy | FleetShadow | null): boolean =>
  a?.key === b?.key && a?.sequence === b?.sequence && a?.text === b?.text;

export class PolicyFollower {
  /** The policy of the fleet that is in force; null for the machine's own. */
  inForce: FleetPolicy | null = null;
  /** What the guard said when it took that; null before anything was taken. */
  taken: Taken | null = null;
  readonly #options: FollowerOptions;
  readonly #ends: (() => void)[] = [];
  #working: Promise<void> = Promise.resolve();
  #lookWaits = false;
  /** What was asked for last, whether it was taken or not. */
  #wanted: FleetPolicy | null = null;
  #wantedShadow: FleetShadow | null = null;
  #refused: RefusedRecord | null = null;
  #shadowError: string | null = null;
  #cancelAgain = () => {};
  #saidWhy = false;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  get refused(): readonly RefusedRecord[] {
    return [...this.#options.keeper.refused, ...(this.#refused ? [this.#refused] : [])];
  }

  get shadow(): StateReport['shadow'] {
    const wanted = this.#wantedShadow;
    if (wanted === null) return null;
    const { key, revision, sequence } = wanted;
    return { key, revision, sequence, error: this.#shadowError };
  }

  start(): void {
    const { keeper, link } = this.#options;
    for (const key of keeper.keys) this.#ends.push(link.subscribe(policySubject(key), () => this.#told()));
  }

  /** Reads what stands at the keys, and follows it. Those that are asked for while one waits are one. */
  look(): Promise<void> {
    if (this.#lookWaits || this.#closed) return this.#working;
    this.#lookWaits = true;
    this.#working = this.#working.then(async () => {
      this.#lookWaits = false;
      await this.#readKeys();
    });
    return this.#working;
  }

  /** Puts together anew what is in force, because the machine's own file has changed. What that does not allow any more ends. */
  again(): Promise<void> {
    this.#working = this.#working.then(async () => {
      if (this.#closed) return;
      if (this.inForce) {
        await this.#take(this.inForce, true);
        if (this.#refused) await this.#giveUp();
      } else {
        // What the file did not allow may be allowed now.
        this.#wanted = null;
      }
      this.#wantedShadow = null;
      await this.#follow();
      this.#remember();
      this.#options.changed();
    });
    return this.#working;
  }

  settled(): Promise<void> {
    return this.#working;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#cancelAgain();
    await this.#working;
  }

  #told(): void {
    void this.look();
    this.#cancelAgain();
    this.#cancelAgain = this.#options.clock.after(AGAIN_MS, () => void this.look());
  }

  async #readKeys(): Promise<void> {
    const { link, keeper, note } = this.#options;
    if (this.#closed || !link.isUp) return;
    const known = JSON.stringify([keeper.refused, keeper.sequences]);
    try {
      const values = await Promise.all(keeper.keys.map((key) => link.policyAt(key)));
      for (const [index, key] of keeper.keys.entries()) keeper.offer(key, values[index]!);
    } catch (error) {
      // What is in force stays, and the next look asks again.
      if (!link.isUp) return;
      const hint = `badness fleet setup makes their bucket, and this machine must be allowed to read ${keeper.keys.join(', ')}`;
      if (!this.#saidWhy) note(`policies of the fleet cannot be read: ${(error as Error).message}; ${hint}`);
      this.#saidWhy = true;
      return;
    }
    this.#saidWhy = false;
    const isOther = await this.#follow();
    if (!isOther && JSON.stringify([keeper.refused, keeper.sequences]) === known) return;
    this.#remember();
    this.#options.changed();
  }

  /** Has what counts now come into force. True when something was taken or refused. */
  async #follow(): Promise<boolean> {
    const { keeper } = this.#options;
    const [policy, shadow] = [keeper.policy(), keeper.shadow()];
    const isOther = !isSame(policy, this.#wanted);
    const isOtherShadow = !isSame(shadow, this.#wantedShadow);
    if (isOther) await this.#take(policy);
    if (isOtherShadow) await this.#takeShadow(shadow);
    return isOther || isOtherShadow;
  }

  async #take(policy: FleetPolicy | null, anew = false): Promise<void> {
    const { guard, note } = this.#options;
    if (policy === null) return this.#giveUp();
    const isInForce = policy.key === this.inForce?.key && policy.text === this.inForce.text;
    this.#wanted = policy;
    try {
      // The next step of a rollout that this machine has taken already.
      if (!isInForce || anew) this.taken = await guard.take(policy);
      this.inForce = policy;
      this.#refused = null;
    } catch (error) {
      this.#refused = refusalOf(policy, error);
      note(`the policy of ${policy.key}, revision ${policy.revision}, is refused: ${this.#refused.message}`);
    }
  }

  /** Back to the machine's own policy. One that was refused is not asked for again until it is another. */
  async #giveUp(): Promise<void> {
    const { guard, note, keeper } = this.#options;
    if (keeper.policy() === null) {
      this.#wanted = null;
      this.#refused = null;
    }
    if (this.inForce === null) return;
    try {
      this.taken = await guard.take(null);
      this.inForce = null;
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
      this.#shadowError = (error as Error).message;
    }
  }

  #remember(): void {
    const { memory, note, keeper } = this.#options;
    const inForce = this.inForce && { ...this.inForce, notes: this.taken?.notes ?? [] };
    try {
      memory.save(keeper.sequences, inForce);
    } catch (error) {
      note(`what was seen of policies could not be kept: ${(error as Error).message}`);
    }
  }
}
