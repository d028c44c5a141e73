/** Stage: report. What one look at the machine comes to: the rows in their order, the victim in words, memory and pressure. */
import { join } from 'node:path';
import { type Engine, explainTask, type Machine, type RankedTask, type ScoreOptions, type Terms } from '../index.js';
import { LiveRanking, type LiveReading, MeminfoReader, PsiReader } from '../linux/index.js';
import { taskFacts } from './explain.js';
import { stepLines } from './steps.js';
import type { Choices, Sort } from './top-choices.js';
import type { Meters } from './top-meters.js';
import { nobodyWords, spelledOut, victimWords } from './words.js';

export interface Frame {
  readonly machine: Machine;
  readonly tasks: number;
  readonly meters: Meters;
  readonly rows: readonly RankedTask[];
  /** There are more, which have fewer points than these and were not told apart. */
  readonly cut: boolean;
  readonly victim: number | null;
  readonly victimWords: string;
}

/** Where frames come from, and how they are scored but for the scheme. */
export interface FrameOptions {
  readonly engine: Engine;
  readonly root: string;
  readonly scoring: ScoreOptions;
  /** Not chosen: this process, where it is the machine's own /proc. */
  readonly except?: number;
}

const ORDERS: Readonly<Record<Sort, (a: RankedTask, b: RankedTask) => number>> = {
  // Whoever may not be chosen has no points and stands last.
  points: (a, b) => (a.rank ?? Number.POSITIVE_INFINITY) - (b.rank ?? Number.POSITIVE_INFINITY) || a.tgid - b.tgid,
  memory: (a, b) => b.chargePages - a.chargePages,
  age: (a, b) => a.startTimeTicks - b.startTimeTicks,
  cpu: (a, b) => b.utimeJiffies + b.stimeJiffies - a.utimeJiffies - a.stimeJiffies,
  pid: (a, b) => a.tgid - b.tgid,
  name: (a, b) => (a.comm < b.comm ? -1 : a.comm > b.comm ? 1 : a.tgid - b.tgid),
};

export function sorted(tasks: readonly RankedTask[], sort: Sort): RankedTask[] {
  return [...tasks].sort(ORDERS[sort]);
}

const PSI_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'this kernel has no PSI',
  EOPNOTSUPP: 'PSI is switched off (boot with psi=1)',
};

function reasonOf(error: unknown, reasons: Readonly<Record<string, string>> = {}): string {
  const { code, message } = error as { code?: string; message: string };
  return reasons[code ?? ''] ?? message;
}

/** Looks at one machine again and again. */
export class FrameReader {
  readonly #options: FrameOptions;
  #live: LiveRanking | null = null;
  #scoring: ScoreOptions = {};
  #memory: MeminfoReader | null = null;
  #pressure: PsiReader | null = null;

  constructor(options: FrameOptions) {
    this.#options = options;
  }

  /** A fresh look, with the worst `count` at least. Throws what reading /proc throws. */
  read({ scheme, sort }: Choices, count: number, protectedIds: ReadonlySet<number>): Frame {
    const { engine, root, except, scoring } = this.#options;
    if (this.#scoring.scheme !== scheme) {
      this.#live?.close();
      this.#live = null;
      this.#scoring = { ...scoring, scheme };
    }
    this.#live ??= new LiveRanking(engine, { ...this.#scoring, root, ...(except === undefined ? {} : { except }) });
    this.#live.protect(protectedIds);
    const reading = this.#live.read(sort === 'points' ? count : Number.POSITIVE_INFINITY);
    const { machine, tasks, ranking } = reading;
    return {
      ...{ machine, tasks, meters: this.#meters() },
      rows: sorted([...ranking.ranked, ...reading.protected], sort),
      cut: reading.cut,
      victim: ranking.victim?.tgid ?? null,
      victimWords: this.#victimWords(reading),
    };
  }

  /** Of the last look: what a task holds, and every step from there to its points. */
  explain(task: RankedTask, machine: Machine, userName: (uid: number) => string): string[] {
    const scoring = spelledOut(this.#scoring);
    const terms = this.#terms(task, machine);
    return [taskFacts(task, machine, userName), '', ...stepLines({ task, terms, scoring, machine })];
  }

  close(): void {
    this.#live?.close();
    this.#memory?.close();
    this.#pressure?.close();
  }

  #terms({ slot }: RankedTask, { totalPages }: Machine): Terms {
    return explainTask(this.#options.engine, slot, { totalPages, ...this.#scoring });
  }

  #victimWords({ ranking: { victim, outcome }, machine }: LiveReading): string {
    const scoring = spelledOut(this.#scoring);
    if (!victim) return nobodyWords(outcome, scoring.scheme);
    return victimWords(victim, this.#terms(victim, machine), scoring, machine);
  }

  #meters(): Meters {
    return { memory: this.#readMemory(), pressure: this.#readPressure() };
  }

  #readMemory(): Meters['memory'] {
    try {
      this.#memory ??= new MeminfoReader(this.#options.root);
      return this.#memory.read();
    } catch (error) {
      return reasonOf(error);
    }
  }

  #readPressure(): Meters['pressure'] {
    try {
      this.#pressure ??= new PsiReader(join(this.#options.root, 'pressure/memory'));
      return this.#pressure.read();
    } catch (error) {
      return reasonOf(error, PSI_REASONS);
    }
  }
}
