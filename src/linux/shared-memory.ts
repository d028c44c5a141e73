/** Stage: bytes of /proc. Which processes share an address space: kcmp(2) asked of those that look as if they could. */
import * as L from '../../assembly/layout.js';
import type { Engine } from '../engine.js';
import { errorCode } from './identity.js';
import type { Native } from './native.js';

/** Comparisons at most; some 1 µs each. */
const ASKED_MOST = 20_000;

/** Processes of one address space are of one size; resident sets differ by what was touched between two readings. */
function looksAlike(engine: Engine, a: number, b: number): boolean {
  const [first, second] = [engine.f64(L.C_RSS, a), engine.f64(L.C_RSS, b)];
  return Math.abs(first - second) <= Math.max(first, second) / 8 + 64;
}

/** Rows of the current snapshot by the size of their address space, alone ones left out. */
function bySize(engine: Engine): number[][] {
  const groups = new Map<number, number[]>();
  for (let slot = 0; slot < engine.count; ++slot) {
    const pages = engine.f64(L.C_TOTAL_VM, slot);
    const group = groups.get(pages);
    if (group) group.push(slot);
    else if (pages > 0) groups.set(pages, [slot]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** Pids that share memory, a group each, of the tasks of the current snapshot. Null when it cannot be asked, or takes too long. */
export function sharedMemory(engine: Engine, native: Native | null): number[][] | null {
  if (native === null) return null;
  const found: number[][] = [];
  let asked = 0;
  for (const slots of bySize(engine)) {
    const groups: number[][] = [];
    for (const slot of slots) {
      const pid = engine.u32(L.C_ID, slot);
      try {
        const mine = groups.find(([first]) => {
          asked += 1;
          return looksAlike(engine, first!, slot) && native.sharesVm(engine.u32(L.C_ID, first!), pid);
        });
        if (mine) mine.push(slot);
        else groups.push([slot]);
      } catch (error) {
        // Gone meanwhile, or of another user who may not be asked about: none of ours shares with it.
        if (!['ESRCH', 'EPERM'].includes(errorCode(error))) return null;
      }
      if (asked > ASKED_MOST) return null;
    }
    found.push(...groups.filter(({ length }) => length > 1));
  }
  return found.map((group) => group.map((slot) => engine.u32(L.C_ID, slot)).sort((a, b) => a - b));
}
