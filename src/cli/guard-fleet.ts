/** Stage: watch → report. `badness guard --fleet`: the agent of this machine, beside its guard. Loads what fleets need only where there is one. */
import type { RunningFleet } from '../fleet/index.js';
import { decisions, type GuardEvent } from '../guard/index.js';
import { BadnessError } from '../index.js';
import type { LinuxGuard } from '../linux/index.js';
import type { Policy, PolicyInput } from '../policy/index.js';
import { type FleetRequest, type GuardRequest, guardPolicy } from './guard-options.js';
import { version } from './help.js';
import type { Values } from './options.js';

/** The record of a round is among the last few: a round that is told was decided a moment ago. */
const RECORDS = 8;
const EARLY_MOST = 64;

export interface FleetOfGuard {
  readonly guard: LinuxGuard;
  readonly values: Values;
  readonly request: GuardRequest;
  readonly note: (words: string) => void;
}

/** A fleet and its guard. */
export class GuardFleet {
  readonly #guard: LinuxGuard;
  readonly #values: Values;
  /** By the file and the options alone. */
  #own: Policy;
  #running: RunningFleet | null = null;
  /** What was told before the agent had begun. */
  readonly #early: GuardEvent[] = [];

  constructor({ guard, values, request }: FleetOfGuard) {
    this.#guard = guard;
    this.#values = values;
    this.#own = request.policy;
  }

  /** Starts the agent in the background: the guard guards meanwhile. What is wrong with the fleet is no reason not to, and is noted. */
  async start(fleet: FleetRequest, note: (words: string) => void): Promise<void> {
    try {
      const { startFleet } = await import('../fleet/index.js');
      this.#running = await startFleet({
        ...{ ...fleet, version: version(), enforce: this.#guard.policy.enforce, note },
        ...{ readings: this.#guard.subscription.buffer, take: (input) => this.take(input) },
      });
      for (const event of this.#early) this.hear(event);
    } catch (error) {
      note(`fleet: ${(error as Error).message}; guards without it`);
    }
    this.#early.length = 0;
  }

  hear(event: GuardEvent): void {
    if (this.#running === null) {
      if (this.#early.length < EARLY_MOST) this.#early.push(event);
      return;
    }
    const id = event.kind === 'round' ? event.report.decision : null;
    this.#running.hear(event, {
      record: () => (id === null ? null : this.#recordOf(id)),
      whole: () => (id === null ? null : this.#guard.decisions.whole(id, `badness ${version()}`)),
    });
  }

  /** Goes on by a policy of the fleet, with the options of the command line over it; null: by that of this machine. */
  async take(input: PolicyInput | null) {
    const policy = input === null ? this.#own : await guardPolicy(this.#values, input);
    if (await this.#guard.reload(() => policy)) return { enforce: policy.enforce, notes: this.#guard.facts.notes };
    throw new BadnessError('EPOLICY', this.#guard.reloads.lastError ?? 'the guard did not take it');
  }

  /** The file was read again. Answers what stays in force until the fleet's policy is put together anew; null for what the file says. */
  ownChanged({ policy, fleet }: GuardRequest): Policy | null {
    this.#own = policy;
    if (fleet) this.#running?.ownChanged(fleet.settings, fleet.input);
    return this.#running?.isInForce ? this.#guard.policy : null;
  }

  async close(): Promise<void> {
    await this.#running?.close();
  }

  #recordOf(id: number): Uint8Array | null {
    return decisions(this.#guard.engine, RECORDS).find(({ sequence }) => sequence === id)?.bytes ?? null;
  }
}

/** Null without a fleet. */
export function openGuardFleet(of: FleetOfGuard): GuardFleet | null {
  const { request, note } = of;
  if (request.fleet === null) return null;
  const fleet = new GuardFleet(of);
  void fleet.start(request.fleet, note);
  return fleet;
}
