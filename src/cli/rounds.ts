/**
 * Stage: report. Decides again and again and says what each round cost: `rank --rounds N --stats`. Rounds on a live
 * machine keep descriptors, as a guard would, where the scheme allows it.
 */
import { scoreTasks, selectTask } from '../index.js';
import { BOUNDED_SCHEMES, ProcScanner, type ScanOptions } from '../linux/index.js';
import { counted, memory } from './quantities.js';
import type { Source } from './source.js';
import { spelledOut } from './words.js';

/** Arrays have one entry a round; times are microseconds. */
export interface Statistics {
  scheme: string;
  rounds: number;
  tasks: number[];
  /** Tasks read in full because they could have won; all of them where nothing is kept. */
  refined: number[];
  read_us: number[];
  score_us: number[];
  select_us: number[];
  round_us: number[];
  /** CPU time of this process, user and system. */
  cpu_us: number[];
  /** Descriptors kept open after the last round, and the kernel memory that they take. */
  descriptors: number;
  kernel_bytes: number;
}

type Round = Record<'tasks' | 'refined' | 'readUs' | 'scoreUs' | 'selectUs' | 'roundUs', number>;

function roundInFull(source: Source): Round {
  const began = performance.now();
  source.refill();
  const read = performance.now();
  scoreTasks(source.engine, source.scoring);
  const scored = performance.now();
  selectTask(source.engine, source.scoring);
  const selected = performance.now();
  return {
    tasks: source.engine.count,
    refined: source.engine.count,
    readUs: (read - began) * 1000,
    scoreUs: (scored - read) * 1000,
    selectUs: (selected - scored) * 1000,
    roundUs: (selected - began) * 1000,
  };
}

/** The scanner for a source, or null where its bounds would not hold and everybody is read in full instead. */
function scannerFor(source: Source): ProcScanner | null {
  const { scheme, age, adj } = spelledOut(source.scoring);
  const bounded = BOUNDED_SCHEMES.find((candidate) => candidate === scheme);
  if (source.root === undefined || bounded === undefined || adj === 'kernel' || age === 'spare-young') return null;
  const { totalPages = 0, maxDiscount = 4 } = source.scoring;
  const options: ScanOptions = { scheme: bounded, age, adj, totalPages, maxDiscount, root: source.root };
  return new ProcScanner(source.engine, { ...options, hz: source.machine.hz });
}

function tenths(us: number): number {
  return Math.round(us * 10) / 10;
}

/** Runs `rounds` decisions. The snapshot is left as the last one has it. */
export function measureRounds(source: Source, rounds: number): Statistics {
  const scanner = scannerFor(source);
  const statistics: Statistics = {
    scheme: spelledOut(source.scoring).scheme,
    rounds,
    ...{ tasks: [], refined: [], read_us: [], score_us: [], select_us: [], round_us: [], cpu_us: [] },
    ...{ descriptors: 0, kernel_bytes: 0 },
  };
  try {
    for (let round = 0; round < rounds; ++round) {
      const before = process.cpuUsage();
      const cost = scanner ? scanner.decide() : roundInFull(source);
      const cpu = process.cpuUsage(before);
      statistics.tasks.push(cost.tasks);
      statistics.refined.push(cost.refined);
      statistics.read_us.push(tenths(cost.readUs));
      statistics.score_us.push(tenths(cost.scoreUs));
      statistics.select_us.push(tenths(cost.selectUs));
      statistics.round_us.push(tenths(cost.roundUs));
      statistics.cpu_us.push(cpu.user + cpu.system);
    }
    const kept = scanner?.kernelCost;
    statistics.descriptors = kept?.descriptors ?? 0;
    statistics.kernel_bytes = kept?.bytes ?? 0;
  } finally {
    scanner?.close();
  }
  return statistics;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function time(us: number): string {
  return us < 1000 ? `${us.toFixed(1)} µs` : `${(us / 1000).toFixed(2)} ms`;
}

/** The same for people: medians, and the first round beside them. */
export function statisticsWords(statistics: Statistics): string {
  const { rounds, tasks, refined, read_us, score_us, select_us, round_us, cpu_us } = statistics;
  const parts = `read ${time(median(read_us))}, score ${time(median(score_us))}, select ${time(median(select_us))}`;
  const first = rounds > 1 ? ` (the first ${time(round_us[0]!)})` : '';
  const kept = `${counted(statistics.descriptors, 'descriptor')} kept, ${memory(statistics.kernel_bytes)} of kernel memory`;
  return `${counted(rounds, 'round')}: median ${time(median(round_us))}${first}: ${parts}, CPU ${time(median(cpu_us))}; ${counted(median(tasks), 'task')}, ${median(refined)} read in full; ${kept}`;
}
