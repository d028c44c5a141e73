/** A notifier chain on a clock of the test's own, events to walk it with, and what was called in which order. */
import { NotifierChain } from '../../../src/guard/notifier-chain.js';
import type { Answer, PhaseEvents } from '../../../src/guard/round-events.js';
import type { PhaseLimits } from '../../../src/policy/phases.js';
import { ManualClock } from './manual-clock.js';

export const PRESSURE = { domain: 'system', round: 1, availableBytes: 1000, totalBytes: 10_000 };
export const VICTIM = { tgid: 7, comm: 'hog', uid: 1000, points: 9, expectedBytes: 4096 };
export const WARN: PhaseEvents['warn'] = { ...PRESSURE, level: 'warn' };
export const RELIEVE: PhaseEvents['relieve'] = { ...PRESSURE, neededPages: 100 };
export const BEFORE_KILL: PhaseEvents['beforeKill'] = { ...PRESSURE, victim: VICTIM };

export function setUp(limits?: PhaseLimits) {
  const clock = new ManualClock();
  const chain = new NotifierChain(limits ? { clock, limits } : { clock });
  const heard: string[] = [];
  /** Registers one that notes that it was called, and then does what else it is given to do. */
  const add = (name: string, priority = 0, also: () => Answer | undefined = () => undefined) => {
    const warn = () => {
      heard.push(name);
      return also();
    };
    chain.register({ name, priority, warn });
  };
  return { clock, chain, heard, add };
}

export const never = () => new Promise<never>(() => {});

/** For assert.throws: an error with this code. */
export const code = (expected: string) => (thrown: unknown) => (thrown as { code?: string }).code === expected;
