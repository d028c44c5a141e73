/** Stage: all of them. Policies that ask for code in another thread, where there is nobody to load it. */
import type { Policy } from '../policy/policy.js';

/** A policy asks for what only a guard with workers has: then nothing is done, rather than something else. `loads`: what can be. Throws TypeError. */
export function refuseModules({ scheme, reaction, noVictim }: Policy, loads: readonly string[] = []): void {
  for (const [name, choice] of Object.entries({ scheme, reaction, noVictim })) {
    if (choice === null || typeof choice === 'string' || loads.includes(name)) continue;
    throw new TypeError(`policy.${name}: a module needs a guard, which has workers`);
  }
}
