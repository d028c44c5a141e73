/**
 * Stage: all of them, for a page. The one who works with the engine: opens what is brought in, puts moments into the table, ranks,
 * explains. It runs in a worker or in the thread of the page and does not know which.
 */
import type { Scoring } from '../cli/words.js';
import {
  type Engine,
  explainTask,
  loadTasks,
  openEngine,
  type SchemeName,
  type ScoreOptions,
  type Task,
} from '../index.js';
import { type RowRules, rankColumns, selectBy } from '../policy/index.js';
import type { Choice, DeskCalls, Explained, Ranked } from './desk-calls.js';
import type { PolicyInForce, PolicyVerdict } from './policy-desk.js';
import { storyOf } from './sources.js';
import type { Adjustments, Moment, Source, Story, StoryHead } from './story.js';

const TASKS_USUAL = 16_384;
const NEVER = -1000;
const OLD_NEVER = -17;
const OLD_MOST = 15;

/** A task with another oom_score_adj, and the oom_adj that old kernels make of it. */
function adjusted(task: Task, oomScoreAdj: number): Task {
  const oomAdj = Math.min(Math.trunc((oomScoreAdj * OLD_NEVER) / NEVER), OLD_MOST);
  return { ...task, oomScoreAdj, oomAdj };
}

export class Desk implements DeskCalls {
  #engine: Engine | null = null;
  #capacity = 0;
  #story: Story | null = null;
  #moment: Moment | null = null;
  #adjustments: Adjustments = [];
  #policy: PolicyInForce | null = null;

  async open(source: Source, scoring: Scoring): Promise<StoryHead> {
    const room = { engineFor: (tasks: number) => this.#engineFor(tasks) };
    this.#story = await storyOf(source, room, this.#policy?.policy ?? null, scoring);
    this.#moment = null;
    return this.#story.head;
  }

  async show(index: number): Promise<Moment> {
    if (!this.#story) throw new Error('expected something to be opened first');
    this.#moment = await this.#story.moment(index);
    return this.#moment;
  }

  async adjust(adjustments: Adjustments): Promise<void> {
    this.#adjustments = adjustments;
    const { tasks, machine } = this.#shown();
    const others = new Map(adjustments);
    const loaded = tasks.map((task) => {
      const adj = others.get(task.tgid);
      return adj === undefined ? task : adjusted(task, adj);
    });
    loadTasks(await this.#engineFor(tasks.length), loaded, machine);
  }

  async rank(scoring: Scoring): Promise<Ranked> {
    const engine = await this.#engineFor(0);
    const rules = await this.#rulesOn(engine);
    const from = performance.now();
    const ranked = rankColumns(engine, this.#options(scoring), rules);
    return { ...ranked, tookMs: performance.now() - from, build: engine.build };
  }

  async choose(scheme: SchemeName, scoring: Scoring): Promise<Choice> {
    const engine = await this.#engineFor(0);
    const options = this.#options({ ...scoring, scheme });
    const { outcome, slot } = selectBy(engine, options, { rules: await this.#rulesOn(engine) });
    return { scheme, outcome, slot: Math.max(slot, -1) };
  }

  async explain(slot: number, scoring: Scoring): Promise<Explained> {
    const engine = await this.#engineFor(0);
    const options = this.#options(scoring);
    if (this.#policy) rankColumns(engine, options, await this.#rulesOn(engine));
    const hits = this.#policy?.hitsOf(slot) ?? [];
    return { terms: explainTask(engine, slot, options), hits };
  }

  async setPolicy(text: string): Promise<PolicyVerdict> {
    const had = this.#policy;
    if (text.trim() === '') {
      this.#policy = null;
      if (had && this.#moment) await this.adjust(this.#adjustments);
      return { problems: [], inForce: null };
    }
    // The parser and what it stands on are loaded by the first who has a policy.
    const { readPolicy } = await import('./policy-desk.js');
    const { policy, verdict } = await readPolicy(text);
    if (policy === null) return verdict;
    this.#policy = policy;
    // What rules have excluded stays so in the table.
    if (this.#moment) await this.adjust(this.#adjustments);
    return verdict;
  }

  async #rulesOn(engine: Engine): Promise<RowRules | null> {
    return (await this.#policy?.rulesOn(engine, this.#story?.surroundings ?? undefined)) ?? null;
  }

  #shown(): Moment {
    if (!this.#moment) throw new Error('expected a moment to be shown first');
    return this.#moment;
  }

  #options(scoring: Scoring): ScoreOptions {
    return { ...scoring, totalPages: this.#shown().machine.totalPages };
  }

  /** One with room for so many tasks. */
  async #engineFor(tasks: number): Promise<Engine> {
    if (this.#engine && tasks <= this.#capacity) return this.#engine;
    this.#capacity = Math.max(TASKS_USUAL, tasks);
    this.#engine = await openEngine({ maxTasks: this.#capacity });
    return this.#engine;
  }
}
