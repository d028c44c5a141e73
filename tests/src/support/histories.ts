/** Random machines that change from round to round: tasks grow, shrink, vanish and appear, as a reader would see them. */
import { mkdirSync } from 'node:fs';
import { MAPPINGS_MAX } from '../../../src/linux/bounds.js';
import type { FakeProc, FakeTask } from './fake-proc.js';
import fc from './fast-check.js';

export const ROUNDS = 4;

type Kind = 'process' | 'kthread' | 'zombie' | 'exited leader';

/** What a task has in one round. Shares are of the most that it could have, in thousandths. */
interface State {
  vm: number;
  rssShare: number;
  pteShare: number;
  swapShare: number;
  cpu: number;
  nice: number;
  adj: number;
}

interface Life {
  kind: Kind;
  /** Rounds it is there: from the first, up to but without the other. */
  from: number;
  to: number;
  uid: number;
  caps: string;
  start: number;
  /** Page tables that it never has fewer of, in pages. */
  tables: number;
  states: State[];
}

export interface History {
  lives: Life[];
  swapPages: number;
  firstPid: number;
  uptimeS: number;
}

const pages = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(1, 2, 100, 100, 1000, 5000) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 200_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 31 }) },
);
const share = fc.constantFrom(0, 0, 1, 10, 500, 999, 1000);

const state: fc.Arbitrary<State> = fc.record({
  vm: pages,
  rssShare: share,
  pteShare: fc.constantFrom(0, 0, 1, 1, 10, 1000),
  swapShare: share,
  cpu: fc.constantFrom(0, 0, 100, 10_000, 1_000_000),
  nice: fc.constantFrom(0, 0, 0, 5, -5),
  adj: fc.constantFrom(0, 0, 0, 0, -1000, 300, -300),
});

const life: fc.Arbitrary<Life> = fc.record({
  kind: fc.constantFrom<Kind>(
    'process',
    'process',
    'process',
    'process',
    'process',
    'kthread',
    'zombie',
    'exited leader',
  ),
  from: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
  to: fc.constantFrom(ROUNDS, ROUNDS, ROUNDS, 1, 2, 3),
  uid: fc.constantFrom(0, 1000),
  caps: fc.constantFrom('0', '0', '1ffffffffff', '20000'),
  start: fc.constantFrom(0, 100, 100, 500_000_00, 10_000_000),
  tables: fc.constantFrom(0, 1, 3, 2000, 100_000),
  states: fc.array(state, { minLength: ROUNDS, maxLength: ROUNDS }),
});

export const histories: fc.Arbitrary<History> = fc.record({
  lives: fc.array(life, { minLength: 1, maxLength: 60, size: 'max' }),
  swapPages: fc.constantFrom(0, 0, 1000, 500_000),
  firstPid: fc.constantFrom(1, 2, 100_000),
  uptimeS: fc.constantFrom(10, 5000, 500_000, 50_000_000),
});

/** Page tables that an address space of that size can have at most, all in pages. */
const mostTables = (vm: number) => Math.min(3 * vm + 3, Math.floor(vm / 256) + 6 * MAPPINGS_MAX);

/** The files of a task in one round. */
function taskAt(
  { kind, uid, caps, start, tables, states }: Life,
  pid: number,
  round: number,
  swapPages: number,
): FakeTask {
  const { vm, rssShare, pteShare, swapShare, nice, adj } = states[round]!;
  // What a scanner takes for granted between two full readings: page tables do not more than double and 4 MiB.
  const least = Math.min(tables, ...states.map((each) => mostTables(each.vm)));
  const grown = least + Math.floor(((least + 1024) * pteShare) / 1000);
  const rss = Math.floor((vm * rssShare) / 1000);
  return {
    ...{ pid, uid, caps, start, nice, adj, vm, rss, ppid: 1, sid: pid },
    // A page of the address space is in memory, in swap, or in neither.
    swap: Math.floor((Math.min(swapPages, vm - rss) * swapShare) / 1000),
    pte: 4 * Math.min(grown, mostTables(vm)),
    // CPU time only grows.
    utime: states.slice(0, round + 1).reduce((sum, { cpu }) => sum + cpu, 0),
    ...(kind === 'process' ? {} : { mm: false }),
    ...(kind === 'kthread' ? { flags: 0x208040 } : {}),
    ...(kind === 'zombie' || kind === 'exited leader' ? { state: 'Z', flags: 0x400004 } : {}),
    ...(kind === 'exited leader' ? { threads: 2 } : {}),
  };
}

/** Writes what the machine shows in a round. Returns how many tasks there are. */
export function writeRound(proc: FakeProc, history: History, round: number): number {
  const { lives, swapPages, firstPid, uptimeS } = history;
  proc.machine({ uptimeS: uptimeS + round * 2000, swapTotalKib: 4_000_000, swapFreeKib: 4_000_000 - swapPages * 4 });
  let tasks = 0;
  for (const [index, life] of lives.entries()) {
    const pid = firstPid + index * 3;
    if (round < life.from || round >= life.to) {
      proc.drop(pid);
      continue;
    }
    tasks += 1;
    const task = taskAt(life, pid, round, swapPages);
    proc.put(task);
    if (life.kind !== 'exited leader') continue;
    mkdirSync(`${proc.root}/${pid}/task`, { recursive: true });
    proc.put(task, `${pid}/task/${pid}`);
    proc.put({ ...task, pid: pid + 1, state: 'S', flags: 0x400000, mm: true }, `${pid}/task/${pid + 1}`);
  }
  return tasks;
}
