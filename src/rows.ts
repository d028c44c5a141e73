/** Stage: table → selection. Rows of the current snapshot: whose they are, and how much is known of them. */
import * as L from '../assembly/layout.js';
import type { Engine } from './engine.js';

/** The row of a task; below 0 when the snapshot does not have it. */
export function slotOf(engine: Engine, id: number): number {
  for (let slot = 0; slot < engine.count; ++slot) if (engine.u32(L.C_ID, slot) === id) return slot;
  return L.E_NO_VICTIM;
}

/** Whether a row only bounds from above what the task can have. */
export function isBound(engine: Engine, slot: number): boolean {
  return (engine.u32(L.C_FLAGS, slot) & L.TASK_BOUND) !== 0;
}
