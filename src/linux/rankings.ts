/**
 * Stage: table → points → report, beside the rounds. Whom a guard would choose now, for those who ask while it watches: everybody
 * in full, by its rules, in an engine of its own and a little at a time, so that neither its table nor its next round is held up.
 */
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { explainTask, type Terms } from '../explain.js';
import { type RankedTask, type Ranking, rankedAt, rankOf, rankTasks, type ScoreOptions, scoreTasks } from '../rank.js';
import type { SchemeName } from '../schemes.js';
import type { Chooser } from './chooser.js';
import { type Reading, readTasksInSlices } from './read-all.js';

/** A ranking that is so old serves who asks next. */
const LASTS_MS = 1000;
/** The thread is held up no longer than this at a time: about what a round itself takes. */
const SLICE_MS = 2;
/** As many rows as are told; the choice is among all. */
const ROWS_MOST = 1000;

/** What it needs of the one that chooses for the guard. */
export type Rules = Pick<Chooser, 'options' | 'read' | 'totalPages'>;

export interface RankedNow {
  /** How it was scored, and what was read. */
  readonly options: ScoreOptions & { scheme: SchemeName };
  readonly reading: Reading;
  /** With at most 1,000 rows. */
  readonly ranking: Ranking;
}

export interface ExplainedNow extends RankedNow {
  readonly task: RankedTask;
  readonly terms: Terms & { readonly rank: number | null };
}

export class Rankings {
  readonly #rules: Rules;
  readonly #open: () => Promise<Engine>;
  readonly #now: () => number;
  #engine: Promise<Engine> | null = null;
  #last: { readonly ranked: RankedNow; readonly atMs: number } | null = null;
  /** One at a time: there is one table. */
  #work: Promise<unknown> = Promise.resolve();

  /** The engine is opened by the first who asks; default as large as a guard's. */
  constructor(
    rules: Rules,
    open: () => Promise<Engine> = () => openEngine({ maxTasks: 32_768 }),
    now = () => performance.now(),
  ) {
    this.#rules = rules;
    this.#open = open;
    this.#now = now;
  }

  /** At most a second old. Those who ask at the same time get the same object. */
  rank(): Promise<RankedNow> {
    return this.#alone((engine) => this.#fresh(engine));
  }

  /** Every term of one task's points in a scheme, by default the guard's. Rejects with BadnessError `ESRCH`. */
  explain(tgid: number, scheme: SchemeName = this.#rules.options.scheme): Promise<ExplainedNow> {
    return this.#alone(async (engine) => {
      const ranked = await this.#fresh(engine);
      const slot = slotOf(engine, tgid);
      if (slot < 0) throw new BadnessError('ESRCH', `no task of the domain has the id ${tgid}`);
      const options = { ...ranked.options, scheme };
      const terms = { ...explainTask(engine, slot, options), rank: rankOf(engine, slot, scheme) };
      // Back to the scheme of the guard, whose points and rank the task is shown with.
      scoreTasks(engine, ranked.options);
      const task = rankedAt(engine, slot, ranked.options.scheme);
      task.rank = rankOf(engine, slot, ranked.options.scheme);
      return { ...ranked, task, terms };
    });
  }

  async #fresh(engine: Engine): Promise<RankedNow> {
    const atMs = this.#now();
    if (this.#last && atMs - this.#last.atMs < LASTS_MS) return this.#last.ranked;
    const reading = await readTasksInSlices(engine, this.#rules.read, SLICE_MS);
    const options = { ...this.#rules.options, totalPages: this.#rules.totalPages() };
    const ranked = { options, reading, ranking: rankTasks(engine, { ...options, limit: ROWS_MOST }) };
    this.#last = { ranked, atMs: this.#now() };
    return ranked;
  }

  #alone<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const result = this.#work.then(async () => {
      this.#engine ??= this.#open();
      return work(await this.#engine);
    });
    // Whoever asks next is not refused because this one was.
    this.#work = result.catch(() => {});
    return result;
  }
}

function slotOf(engine: Engine, tgid: number): number {
  for (let slot = 0; slot < engine.count; ++slot) if (engine.u32(L.C_ID, slot) === tgid) return slot;
  return -1;
}
