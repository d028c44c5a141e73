// Stage: identity, kill. In: the victim's pid. Out: every other task that shares its mm, and those that perhaps do.
import type { SharerMethod } from '../guard/kill-report.js';
import { errorCode } from './identity.js';
import { listThreads, peek, peekStat, pidNumbers } from './thread-group.js';

/** What the search looks at; /proc and kcmp(2) in earnest, tables in tests. */
export interface SharerSource {
  /** All process ids. */
  pids(): number[];
  /** Thread ids of one process. */
  threads(pid: number): number[];
  /** Parent, null when gone. */
  parent(pid: number): number | null;
  /** VmSize and VmRSS of one thread in pages, 0 without an mm, null when gone. */
  memory(pid: number, tid: number): { readonly sizePages: number; readonly residentPages: number } | null;
  /** VmSize in pages of everybody who was there a moment ago, by tgid. Above 0: its leader has an mm and need not be read again. */
  readonly seen?: ReadonlyMap<number, number> | undefined;
  /** A sharer that is missed now will be missed aloud (process_mrelease), and searched for among all. */
  readonly missesAreNoticed?: boolean | undefined;
  /** kcmp(2) KCMP_VM on two thread ids, or null where there are no native calls. */
  readonly sharesVm: ((tidA: number, tidB: number) => boolean) | null;
}

export interface SharerScan {
  readonly method: SharerMethod;
  /** Share the victim's mm: killing the victim alone frees nothing. */
  readonly verified: readonly number[];
  /** The kernel would not say; parent or child with the same VmSize. To wait for, never to kill. */
  readonly unverified: readonly number[];
}

/** The source that reads this machine's /proc. */
export function procSharerSource(
  sharesVm: SharerSource['sharesVm'],
  hints: Pick<SharerSource, 'seen' | 'missesAreNoticed'> = {},
): SharerSource {
  return {
    ...hints,
    sharesVm,
    pids: pidNumbers,
    threads: listThreads,
    parent: (pid) => peekStat(pid)?.ppid ?? null,
    memory(pid, tid) {
      const text = peek(pid, tid === pid ? 'statm' : `task/${tid}/statm`);
      if (text === null) return null;
      const [size, resident] = text.split(' ');
      return { sizePages: Number(size), residentPages: Number(resident) };
    },
  };
}

/**
 * Finds the sharers of `victim`. Costs one kcmp a process, 3 µs, and reads only where the answer is open. Whoever was just seen with
 * another size, or not at all, is not even compared, where a mistake in that is noticed.
 */
export function findSharers(victim: number, source: SharerSource): SharerScan {
  const holder = memoryHolder(victim, source);
  if (holder === undefined) return { method: 'none', verified: [], unverified: [] };
  const verified: number[] = [];
  const unverified: number[] = [];
  const mmless = source.sharesVm ? mmlessTask(source) : null;
  let method: SharerScan['method'] = source.sharesVm ? 'kcmp' : 'vmsize';
  for (const pid of candidates(victim, holder, source)) {
    if (pid === victim) continue;
    const answer = compare(victim, holder, pid, mmless, source);
    if (answer === 'ENOSYS') method = 'vmsize';
    if (answer === 'shares') verified.push(pid);
    else if (answer !== 'other' && looksShared(victim, holder, pid, source)) unverified.push(pid);
  }
  return { method, verified, unverified };
}

/** A size is read at one moment and another's a little later: so much of it may have come or gone, besides what is seen to have. */
const SIZE_SLACK = 1 / 8;

/** Whom to compare: those that were just seen with a size that the victim may have had, or everybody. */
function candidates(victim: number, holder: number, source: SharerSource): Iterable<number> {
  const { seen, missesAreNoticed } = source;
  const then = seen?.get(victim);
  if (!missesAreNoticed || !seen || then === undefined) return source.pids();
  const now = source.memory(victim, holder)?.sizePages ?? 0;
  const slack = 2 * Math.abs(now - then) + then * SIZE_SLACK;
  return near(seen, then, slack);
}

function* near(seen: ReadonlyMap<number, number>, pages: number, slack: number): Generator<number> {
  for (const [pid, size] of seen) if (size <= 0 || Math.abs(size - pages) <= slack) yield pid;
}

/** Does `sharer` still have the victim's mm? Asked again before every signal. Null when the victim itself has let go of it. */
export function stillShares(victim: number, sharer: number, source: SharerSource): boolean | null {
  const holder = memoryHolder(victim, source);
  if (holder === undefined) return null;
  const shares = compare(victim, holder, sharer, null, source) === 'shares';
  return !shares && !hasMemory(victim, holder, source) ? null : shares;
}

/** The first thread that has an mm; the leader may be a zombie while others hold it. */
export function memoryHolder(pid: number, source: SharerSource): number | undefined {
  return source.threads(pid).find((tid) => hasMemory(pid, tid, source));
}

type Answer = 'shares' | 'other' | 'unknown' | 'ENOSYS';

function compare(victim: number, holder: number, pid: number, mmless: number | null, source: SharerSource): Answer {
  if (source.sharesVm === null) return 'unknown';
  try {
    if (source.sharesVm(holder, pid)) {
      // Two tasks without an mm compare as equal (a zombie, a kernel thread): both must have one, after the comparison.
      const both = hasMemory(pid, pid, source) && hasMemory(victim, holder, source);
      return both ? 'shares' : 'other';
    }
    // A zombie leader has no mm of its own to compare while its threads may hold ours.
    if (!isBare(pid, mmless, source)) return 'other';
    for (const tid of source.threads(pid)) {
      if (tid === pid || !source.sharesVm(holder, tid)) continue;
      if (hasMemory(pid, tid, source) && hasMemory(victim, holder, source)) return 'shares';
    }
    return 'other';
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ESRCH') return 'other';
    return code === 'ENOSYS' ? 'ENOSYS' : 'unknown';
  }
}

/** Whether the leader of a process has no mm. The cheapest answer comes first: reading a file costs ten comparisons. */
function isBare(pid: number, mmless: number | null, source: SharerSource): boolean {
  if ((source.seen?.get(pid) ?? 0) > 0) return false;
  return mmless !== null ? source.sharesVm!(mmless, pid) : !hasMemory(pid, pid, source);
}

function hasMemory(pid: number, tid: number, source: SharerSource): boolean {
  return (source.memory(pid, tid)?.sizePages ?? 0) > 0;
}

/** A task known to have no mm (kthreadd, where we see and may ask it): comparing with it is cheaper than reading a file. */
function mmlessTask(source: SharerSource): number | null {
  const KTHREADD = 2;
  try {
    if (source.memory(KTHREADD, KTHREADD)?.sizePages !== 0) return null;
    return source.sharesVm?.(KTHREADD, KTHREADD) ? KTHREADD : null;
  } catch {
    return null;
  }
}

function looksShared(victim: number, holder: number, pid: number, source: SharerSource): boolean {
  const ours = source.memory(victim, holder);
  const theirs = source.memory(pid, pid);
  if (ours === null || theirs === null || theirs.sizePages === 0 || theirs.sizePages !== ours.sizePages) return false;
  // One mm read twice: resident differs only by what was touched in between.
  if (Math.abs(theirs.residentPages - ours.residentPages) > ours.residentPages / 8) return false;
  return source.parent(pid) === victim || source.parent(victim) === pid;
}
