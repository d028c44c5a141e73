/** A small tree of domains that are all watched, for tests of listeners. */
import { openDomain } from '../../../src/domains.js';
import { type OomCause, OomSignals } from '../../../src/oom-signals.js';

export const SYSTEM = 0;
export const SHORT: OomCause = { reason: 'memory', level: 'kill' };

/** system ─ a ─ b; system ─ c. */
export function openGuarded(memory: WebAssembly.Memory) {
  const engine = { memory };
  openDomain(engine, { kind: 'system' });
  const a = openDomain(engine, { kind: 'memcg', parent: SYSTEM });
  const b = openDomain(engine, { kind: 'memcg', parent: a });
  const c = openDomain(engine, { kind: 'memcg', parent: SYSTEM });
  const guard = (domain: number) => {
    const signals = new OomSignals(engine, domain);
    signals.watch();
    return signals;
  };
  return { engine, a, b, c, ofSystem: guard(SYSTEM), ofA: guard(a), ofB: guard(b), ofC: guard(c) };
}
