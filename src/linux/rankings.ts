/**
 * Stage: table → points → selection → report, beside the rounds. Whom a guard would choose now, for those who ask while it watches:
 * everybody in full, by its scheme and its rules, in an engine of its own and a little at a time, so that neither its table nor its next
 * round is held up.
 */
import * as L from '../../assembly/layout.js';
import { type Engine, openEngine } from '../engine.js';
import { BadnessError } from '../errors.js';
import { explainTask, type Terms } from '../explain.js';
import type { PluginReport } from '../plugin/points-source.js';
import { rankBy, rowBy } from '../policy/rank-by.js';
import type { RowRules } from '../policy/row-rules.js';
import type { Rule } from '../policy/rule.js';
import { type RankedTask, type Ranking, rankOf, type ScoreOptions } from '../rank.js';
import { slotOf } from '../rows.js';
import type { SchemeName } from '../schemes.js';
import type { Chooser } from './chooser.js';
import { type Reading, readTasksInSlices } from './read-all.js';
import { openRules } from './rules.js';

/** A ranking that is so old serves who asks next. */
const LASTS_MS = 1000;
/** The thread is held up no longer than this at a time: about what a round itself takes. */
const SLICE_MS = 2;
/** As many rows as are told; the choice is among all. */
const ROWS_MOST = 1000;

/** What it needs of the one that chooses for the guard. */
export type Choosing = Pick<Chooser, 'options' | 'read' | 'totalPages' | 'plugin'>;

/** The ranking of a guard's domain, read anew. */
export interface RankedNow {
  /** How it was scored, and what was read. */
  readonly options: ScoreOptions & { scheme: SchemeName };
  readonly reading: Reading;
  /** With at most 1,000 rows. Rules with conditions on files are known of the first 64; points behind them are the most that they can be. */
  readonly ranking: Ranking;
  /** Where the policy names a plug-in: whether the points are its. */
  readonly plugin: PluginReport | null;
}

/** Every term of one task's points, as the guard sees them now. */
export interface ExplainedNow extends RankedNow {
  readonly task: RankedTask;
  readonly terms: Terms & { readonly rank: number | null };
}

export interface RankingsOptions {
  /** Those of the policy. */
  readonly rules?: readonly Rule[];
  /** Opened by the first who asks. Default: as large as a guard's. */
  readonly open?: () => Promise<Engine>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Opened {
  readonly engine: Engine;
  readonly rules: RowRules | null;
}

export class Rankings {
  readonly #choosing: Choosing;
  readonly #options: RankingsOptions;
  #opened: Opened | null = null;
  #last: { readonly ranked: RankedNow; readonly atMs: number } | null = null;
  /** One at a time: there is one table. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(choosing: Choosing, options: RankingsOptions = {}) {
    this.#choosing = choosing;
    this.#options = options;
  }

  /** At most a second old. Those who ask at the same time get the same object. */
  rank(): Promise<RankedNow> {
    return this.#alone((opened) => this.#fresh(opened));
  }

  /** Every term of one task's points in a scheme, by default the guard's. Rejects with BadnessError `ESRCH`. */
  explain(tgid: number, scheme: SchemeName = this.#choosing.options.scheme): Promise<ExplainedNow> {
    return this.#alone(async (opened) => {
      const ranked = await this.#fresh(opened);
      const { engine, rules } = opened;
      const slot = slotOf(engine, tgid);
      if (slot < 0) throw new BadnessError('ESRCH', `no task of the domain has the id ${tgid}`);
      const column = new Float64Array(engine.memory.buffer, engine.cell(L.C_POINTS, 0, 8), engine.count);
      const points = column.slice();
      const terms = { ...explainTask(engine, slot, { ...ranked.options, scheme }), rank: rankOf(engine, slot, scheme) };
      // Back to what the guard's scheme, its plug-in and its rules gave, which the task is shown with: nobody is asked twice.
      column.set(points);
      rules?.settle(slot);
      const task = rowBy(engine, slot, ranked.options.scheme, rules);
      task.rank = rankOf(engine, slot, ranked.options.scheme);
      return { ...ranked, task, terms };
    });
  }

  async #fresh(opened: Opened): Promise<RankedNow> {
    const now = this.#options.now ?? (() => performance.now());
    if (this.#last && now() - this.#last.atMs < LASTS_MS) return this.#last.ranked;
    const reading = await readTasksInSlices(opened.engine, this.#choosing.read, SLICE_MS);
    const options = { ...this.#choosing.options, totalPages: this.#choosing.totalPages() };
    const by = { rules: opened.rules, plugin: this.#choosing.plugin };
    const ranked = { options, reading, ...rankBy(opened.engine, { ...options, limit: ROWS_MOST }, by) };
    this.#last = { ranked, atMs: now() };
    return ranked;
  }

  async #open(): Promise<Opened> {
    const { open = () => openEngine({ maxTasks: 32_768 }), rules = [] } = this.#options;
    const engine = await open();
    return { engine, rules: (await openRules(engine, rules, this.#choosing.read)).rules };
  }

  #alone<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    const result = this.#work.then(async () => {
      this.#opened ??= await this.#open();
      return work(this.#opened);
    });
    // Whoever asks next is not refused because this one was.
    this.#work = result.catch(() => {});
    return result;
  }
}
