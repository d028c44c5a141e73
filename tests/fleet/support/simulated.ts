/** Machines that do not exist, for tests with a real server: agents over a guard that only remembers what it was asked. */
import {
  type AgentMemory,
  type AgentOptions,
  FleetAgent,
  type FleetGuard,
  type FleetPolicy,
  type FleetShadow,
  limitPolicy,
  memoryStore,
  Spool,
  verifier,
} from '../../../src/fleet/index.js';
import type { FleetLink } from '../../../src/fleet/link.js';
import { idleClock } from '../../../src/guard/clock.js';
import { type FleetAllowance, parsePolicy } from '../../../src/policy/index.js';

/** Takes what a machine with an empty file would. */
export class SimulatedGuard implements FleetGuard {
  readonly taken: (FleetPolicy | null)[] = [];
  shadowed: FleetShadow | null = null;
  readonly #allow: readonly FleetAllowance[];

  constructor(allow: readonly FleetAllowance[] = []) {
    this.#allow = allow;
  }

  async take(policy: FleetPolicy | null) {
    if (policy === null) {
      this.taken.push(null);
      return { enforce: false, notes: [] };
    }
    const { input, notes } = limitPolicy(await parsePolicy(policy.text, policy.key), { input: {}, allow: this.#allow });
    this.taken.push(policy);
    return { enforce: input.enforce === true, notes };
  }

  async shadow(policy: FleetShadow | null) {
    this.shadowed = policy;
  }
}

export function keptInMemory(): AgentMemory & { sequences: Record<string, number> } {
  const memory = {
    sequences: {} as Record<string, number>,
    load: () => memory.sequences,
    save: (sequences: Readonly<Record<string, number>>) => {
      memory.sequences = { ...sequences };
    },
  };
  return memory;
}

export interface SimulatedOptions extends Partial<Omit<AgentOptions, 'verify'>> {
  readonly trust?: readonly string[];
}

/** An agent that has begun, over `link`; several may share one. */
export function simulate(host: string, link: FleetLink, given: SimulatedOptions = {}) {
  const guard = new SimulatedGuard();
  const notes: string[] = [];
  const { trust = [], ...options } = given;
  let dropped = 0;
  const spool = new Spool(memoryStore(), {
    bytesMost: 1 << 20,
    droppedIn: () => 0,
    dropped: (count) => ({ subject: `badness.${host}.state`, id: `${host}.dropped.${++dropped}`, text: `${count}` }),
  });
  const agent = new FleetAgent({
    ...{
      host,
      labels: [],
      enforce: false,
      version: 'test',
      run: `${host}-1`,
      verify: trust.length > 0 ? verifier(trust) : null,
    },
    ...{ link, guard, spool, memory: keptInMemory(), clock: idleClock, wallMs: Date.now },
    note: (words) => notes.push(words),
    ...options,
  });
  agent.start();
  return { agent, guard, notes, spool };
}
