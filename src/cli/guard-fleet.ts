/** Stage: watch → report. `badness guard --fleet`: the agent of this machine, beside its guard. Loads what fleets need only where there is one. */
import type { RunningFleet, startFleet } from '../fleet/index.js';
import { type Clock, decisions, type GuardEvent, systemClock } from '../guard/index.js';
import { BadnessError } from '../index.js';
import type { LinuxGuard } from '../linux/index.js';
import type { Policy, PolicyInput } from '../policy/index.js';
import { type FleetRequest, type GuardRequest, guardPolicy } from './guard-options.js';
import type { Values } from './options.js';

/** The record of a round is among the last few: a round that is told was decided a moment ago. */
const RECORDS = 8;
const EARLY_MOST = 64;
/** An agent whose thread has ended by a fault is started again after so long. */
const AGAIN_MS = 60_000;

export interface FleetOfGuard {
  readonly guard: LinuxGuard;
  readonly values: Values;
  readonly request: GuardRequest;
  /** Of badness. */
  readonly version: string;
  readonly note: (words: string) => void;
  readonly clock?: Clock;
  /** Starts an agent; default `startFleet` of badness/fleet. */
  readonly start?: typeof startFleet;
}

/** Loads what fleets need. */
const startLoaded: typeof startFleet = async (options) => (await import('../fleet/index.js')).startFleet(options);

/** A fleet and its guard. */
export class GuardFleet {
  readonly #of: FleetOfGuard;
  readonly #guard: LinuxGuard;
  readonly #clock: Clock;
  /** By the file and the options alone. */
  #own: Policy;
  #asked: FleetRequest;
  #running: RunningFleet | null = null;
  #cancelAgain = () => {};
  #closed = false;
  /** What was told while there was no agent. */
  #early: GuardEvent[] = [];

  constructor(of: FleetOfGuard, asked: FleetRequest) {
    this.#of = of;
    this.#guard = of.guard;
    this.#clock = of.clock ?? systemClock;
    this.#own = of.request.policy;
    this.#asked = asked;
  }

  /** Starts the agent in the background: the guard guards meanwhile. What is wrong with the fleet is no reason not to, and is noted. */
  async start(): Promise<void> {
    const { note, version, start = startLoaded } = this.#of;
    try {
      const running = await start({
        ...{ ...this.#asked, version, enforce: this.#guard.policy.enforce, note },
        ...{ readings: this.#guard.subscription.buffer, take: (input) => this.take(input) },
      });
      if (this.#closed) return running.close();
      this.#running = running;
      void running.ended.then(() => this.#broken());
      for (const event of this.#early.splice(0)) this.hear(event);
    } catch (error) {
      note(`fleet: ${(error as Error).message}; guards without it`);
    }
  }

  #broken(): void {
    this.#running = null;
    if (!this.#closed) this.#cancelAgain = this.#clock.after(AGAIN_MS, () => void this.#again());
  }

  /** As after a restart of the guard: an agent knows nothing of what the one before it took, so the machine's own policy comes first. */
  async #again(): Promise<void> {
    if (this.#guard.policy !== this.#own) await this.take(null).catch(() => {});
    await this.start();
  }

  hear(event: GuardEvent): void {
    if (this.#running === null) {
      if (this.#early.length < EARLY_MOST) this.#early.push(event);
      return;
    }
    const id = event.kind === 'round' ? event.report.decision : null;
    this.#running.hear(event, {
      record: () => (id === null ? null : this.#recordOf(id)),
      whole: () => (id === null ? null : this.#guard.decisions.whole(id, `badness ${this.#of.version}`)),
    });
  }

  /** Goes on by a policy of the fleet, with the options of the command line over it; null: by that of this machine. */
  async take(input: PolicyInput | null) {
    const given = input && (await guardPolicy(this.#of.values, input));
    // Its own is asked for when its turn comes: the file may be read again before that.
    if (await this.#guard.reload(() => given ?? this.#own)) {
      return { enforce: this.#guard.policy.enforce, notes: this.#guard.facts.notes };
    }
    throw new BadnessError('EPOLICY', this.#guard.reloads.lastError ?? 'the guard did not take it');
  }

  /** The file was read again. Answers what stays in force until the agent has put the fleet's policy together anew; null for what the file says. */
  ownChanged({ policy, fleet }: GuardRequest): Policy | null {
    this.#own = policy;
    if (fleet) {
      this.#asked = fleet;
      this.#running?.ownChanged(fleet.settings, fleet.input);
    }
    return this.#running?.isInForce ? this.#guard.policy : null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelAgain();
    await this.#running?.close();
  }

  #recordOf(id: number): Uint8Array | null {
    return decisions(this.#guard.engine, RECORDS).find(({ sequence }) => sequence === id)?.bytes ?? null;
  }
}

/** Null without a fleet. */
export function openGuardFleet(of: FleetOfGuard): GuardFleet | null {
  if (of.request.fleet === null) return null;
  const fleet = new GuardFleet(of, of.request.fleet);
  void fleet.start();
  return fleet;
}
