/**
 * Stage: selection, as the tests believe it. A table and its points in; the victim, or the reason why there is none,
 * and the ranking out. Kernel eras are walked task by task in creation order, as select_bad_process() did.
 */
import * as L from '../../assembly/layout.js';
import { NEVER, rulesOf } from './eligible.js';
import { chargeOf, factsOf, type Parameters, pointsOfTable, type Table } from './table.js';

/** More than any points: what a task in swapoff is worth where it wins outright. */
const OVER_ALL = 1n << 80n;

/** Indices of the tasks in the order they were created. */
function creationOrder(table: Table): number[] {
  const key = (i: number) => table.tasks[i]!;
  return table.tasks
    .map((_, i) => i)
    .sort((a, b) => (key(a).start_time_ticks ?? 0) - (key(b).start_time_ticks ?? 0) || key(a).tgid - key(b).tgid);
}

/** Index of the victim, E_NO_VICTIM or E_IN_FLIGHT. */
export function selectVictim(scheme: number, table: Table, parameters: Parameters): number {
  const rules = rulesOf(scheme);
  if (rules === null) return rankTasks(scheme, table, parameters)[0] ?? L.E_NO_VICTIM;
  const points = pointsOfTable(scheme, table, parameters);
  let chosen = L.E_NO_VICTIM;
  let best = rules.zero ? null : 0n;
  for (const i of creationOrder(table)) {
    const flags = factsOf(table.tasks[i]!);
    if ((flags & (NEVER | rules.skip)) !== 0) continue;
    if ((flags & rules.wait) !== 0) return L.E_IN_FLIGHT;
    if ((flags & rules.skipLate) !== 0) continue;
    const origin = (flags & L.TASK_ORIGIN) !== 0;
    if (origin && rules.origin === 'at once') return i;
    const worth = origin && rules.origin === 'over all' ? OVER_ALL : points[i]!;
    if (best === null || worth > best || (worth === best && rules.equal === 'last')) [chosen, best] = [i, worth];
  }
  return chosen;
}

/** Indices of the eligible tasks, worst first. */
export function rankTasks(scheme: number, table: Table, parameters: Parameters): number[] {
  const points = pointsOfTable(scheme, table, parameters);
  const eligible = table.tasks.map((_, i) => i).filter((i) => points[i] !== null);
  const compare = rulesOf(scheme) === null ? ownOrder(table, points) : kernelOrder(scheme, table, points);
  return eligible.sort(compare);
}

type Order = (a: number, b: number) => number;
const sign = (x: bigint): number => (x > 0n ? 1 : x < 0n ? -1 : 0);

/** Points, then charge (as measured, whatever oom_score_adj adds), then the later start, then the higher tgid. */
function ownOrder(table: Table, points: readonly (bigint | null)[]): Order {
  const charge = table.tasks.map((task) => chargeOf(table, task));
  const start = (i: number) => table.tasks[i]!.start_time_ticks ?? 0;
  return (a, b) =>
    sign(points[b]! - points[a]!) ||
    sign(charge[b]! - charge[a]!) ||
    start(b) - start(a) ||
    table.tasks[b]!.tgid - table.tasks[a]!.tgid;
}

/** Tasks in swapoff where they win outright, then points, then creation: the end of it that the walk keeps. */
function kernelOrder(scheme: number, table: Table, points: readonly (bigint | null)[]): Order {
  const rules = rulesOf(scheme)!;
  const created: number[] = [];
  for (const [nth, i] of creationOrder(table).entries()) created[i] = rules.equal === 'first' ? nth : -nth;
  const first = (i: number) =>
    rules.origin !== 'by points' && (factsOf(table.tasks[i]!) & L.TASK_ORIGIN) !== 0 ? 1 : 0;
  return (a, b) => {
    const byOrigin = first(b) - first(a);
    if (byOrigin !== 0) return byOrigin;
    const byPoints = first(a) === 1 ? 0 : sign(points[b]! - points[a]!);
    return byPoints || created[a]! - created[b]!;
  };
}
