/** Stage: report (in a page). Tasks as the page says them: with everything filled in, and names that are safe to read. */
import { printable } from '../cli/names.js';
import type { RankedTask, Task } from '../index.js';
import type { Ranked } from './desk-calls.js';

const EMPTY: Omit<RankedTask, 'slot' | 'tgid'> = {
  ...({ kind: 'process', ppid: 0, sid: 0, comm: '', state: 'S', threads: 1, totalVmPages: 0, rssPages: 0 } as const),
  ...{ rssAnonPages: 0, rssShmemPages: 0, statRssPages: 0, swapPages: 0, pgtablesBytes: 0, utimeJiffies: 0 },
  ...{ stimeJiffies: 0, startTimeTicks: 0, nice: 0, uid: 0, euid: 0, capEff: '0', oomScoreAdj: 0, oomAdj: 0 },
  ...{ hasMm: true, kthread: false, exiting: false, rank: null, points: null, eligible: false, reason: null },
  ...{ oomScore: null, chargePages: 0 },
};

/** A task of the moment with what the ranking says of it. */
export function rankedTask(task: Task, slot: number, ranked: Ranked): RankedTask {
  const points = ranked.points[slot]!;
  const reason = ranked.reasons.get(slot) ?? null;
  const statRssPages = task.statRssPages ?? task.rssPages ?? 0;
  const own = { slot, points: Number.isNaN(points) ? null : points, eligible: reason === null, reason };
  return { ...EMPTY, ...task, statRssPages, ...own, chargePages: ranked.chargePages[slot]! };
}

/** A name that hides nothing; a task without one is called so. */
export function nameOf({ comm }: Pick<Task, 'comm'>): string {
  return comm === undefined || comm === '' ? 'without a name' : printable(comm);
}
