/** Stage: none (state of a page). Holds what the reader chose, asks the desk, and lets the views show what it answers. */
import { counted } from '../cli/quantities.js';
import { type Scoring, SHOWN_SCHEMES, spelledOut } from '../cli/words.js';
import type { ScoreOptions } from '../index.js';
import { BringView, type ScenarioFile } from './bring-view.js';
import type { Ranked } from './desk-calls.js';
import type { OpenDesk } from './desk-client.js';
import { byId, write } from './elements.js';
import { type LinkState, linkSource } from './link.js';
import { LinkView } from './link-view.js';
import { MemoryView } from './memory-view.js';
import { PolicyView } from './policy-view.js';
import { RankingView } from './ranking-view.js';
import { Rounds, type Step } from './rounds.js';
import { type SchemeRow, SchemesView } from './schemes-view.js';
import { ScoringView } from './scoring-view.js';
import { Shown } from './shown.js';
import type { Adjustments, Moment, Source, StoryHead } from './story.js';
import { StoryView } from './story-view.js';
import { TaskView } from './task-view.js';
import { VerdictView } from './verdict-view.js';

/** A pause after which a scenario is played anew under what was turned. */
const REPLAY_MS = 350;

const SCORING_DEFAULTS = spelledOut({});

type Scenarios = ReadonlyMap<string, ScenarioFile>;

export class Page {
  readonly #desk: OpenDesk;
  readonly #scenarios: Scenarios;
  readonly #rounds = new Rounds(
    (step) => this.#steps[step](),
    (error) => this.#complain(error),
  );
  readonly #bring = new BringView(
    (source) => void this.bring(source),
    (name) => void this.bringScenario(name),
  );
  readonly #verdict = new VerdictView();
  readonly #memory = new MemoryView((moment) => this.#toMoment(moment));
  readonly #storyView = new StoryView((moment) => this.#toMoment(moment));
  readonly #ranking = new RankingView(byId('ranking', HTMLElement), (row) => this.#selectRow(row));
  readonly #scoringView = new ScoringView((scoring) => this.#setScoring(scoring));
  readonly #task = new TaskView(
    (adj) => this.#setAdj(adj),
    () => this.#resetAdj(),
  );
  readonly #schemes = new SchemesView((scheme) => this.#setScoring({ ...this.#scoring, scheme }));
  readonly #policy = new PolicyView((text) => void this.#setPolicy(text));

  readonly #link = new LinkView(() => ({
    ...{ source: linkSource(this.#source), moment: this.#at, scoring: this.#scoring },
    ...{ adjustments: this.#adjustments, selected: this.#selected, policy: this.#policy.text },
  }));

  #source: Source | null = null;
  #head: StoryHead | null = null;
  #at = 0;
  #moment: Moment | null = null;
  #ranked: Ranked | null = null;
  #shown: Shown | null = null;
  #scoring: Scoring = SCORING_DEFAULTS;
  /** What stories of another kind begin with. */
  #base: Scoring = SCORING_DEFAULTS;
  #adjustments: Adjustments = [];
  /** Whom the reader looks at; null for whoever is the victim. */
  #selected: number | null = null;
  /** What is being opened. */
  #brought: Source | null = null;
  /** What a link wants that is not there before its story is. */
  #asked: LinkState | null = null;
  /** The moment stays where it is when a scenario is played again. */
  #isReplay = false;
  #replayTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #steps: Record<Step, () => Promise<void>> = {
    story: () => this.#openStory(),
    moment: () => this.#showMoment(),
    adjust: () => this.#adjust(),
    rank: () => this.#rank(),
    task: () => this.#explain(),
    schemes: () => this.#compare(),
  };

  constructor(desk: OpenDesk, scenarios: Scenarios) {
    this.#desk = desk;
    this.#scenarios = scenarios;
    this.#bring.showScenarios([...scenarios.values()]);
    this.#scoringView.show(this.#scoring);
    const thread =
      desk.thread === 'worker' ? 'in a thread of its own, with shared memory' : 'in the thread of this page';
    write(byId('engine', HTMLElement), `The engine runs ${thread}.`);
  }

  /** Opens what was brought in. Resolves when it is on the screen, or the page says why it is not; then what was there stays. */
  bring(source: Source): Promise<void> {
    this.#brought = source;
    this.#asked = null;
    this.#isReplay = false;
    if (source.kind === 'scenario' && this.#head?.kind !== 'scenario') this.#scoring = this.#base;
    return this.#rounds.want('story');
  }

  bringScenario(name: string): Promise<void> {
    const scenario = this.#scenarios.get(name);
    this.#bring.reflect('scenario', name);
    if (scenario) return this.bring({ kind: 'scenario', name, scenario });
    this.#bring.complain(`Expected one of the scenarios of this page, got ${name}.`);
    return Promise.resolve();
  }

  /** Shows what a link says. */
  async restore(state: LinkState): Promise<void> {
    const { source, policy, scoring } = state;
    this.#policy.text = policy;
    this.#policy.show(await this.#desk.setPolicy(policy));
    if (source === null) return;
    const opened = source.kind === 'scenario' ? this.bringScenario(source.name) : this.bring(source);
    // After bring, which forgets what was asked before, and before its first step.
    this.#asked = state;
    if (scoring) this.#scoring = scoring;
    await opened;
    if (source.kind !== 'bytes') return;
    if (this.#head?.kind === 'recording') this.#bring.choose('recording');
    else this.#bring.reflect('log', new TextDecoder().decode(source.bytes));
  }

  async #openStory(): Promise<void> {
    const result = byId('result', HTMLElement);
    result.setAttribute('aria-busy', 'true');
    const source = this.#brought ?? this.#source!;
    this.#brought = null;
    try {
      this.#begin(await this.#desk.open(source, this.#scoring), source);
    } finally {
      result.removeAttribute('aria-busy');
    }
    this.#bring.complain('');
    await this.#takePolicy(this.#head!.policy);
    // Before the plot, which takes the width of its place.
    result.hidden = false;
    this.#memory.show(this.#head!);
    this.#storyView.show(this.#head!);
  }

  /** From here on it is this story that is shown. */
  #begin(head: StoryHead, source: Source): void {
    if (!this.#isReplay) {
      if (head.kind !== this.#head?.kind && this.#asked === null) this.#scoring = this.#base;
      this.#adjustments = this.#asked?.adjustments ?? [];
      this.#selected = this.#asked?.selected ?? null;
      this.#at = this.#asked?.moment ?? head.first;
    }
    this.#at = Math.min(this.#at, head.moments.length - 1);
    this.#head = head;
    this.#source = source;
  }

  /** A policy that came along counts unless the reader has one. */
  async #takePolicy(text: string | null): Promise<void> {
    if (text === null || this.#policy.text.trim() !== '') return;
    this.#policy.text = text;
    this.#policy.show(await this.#desk.setPolicy(text));
  }

  async #showMoment(): Promise<void> {
    this.#moment = await this.#desk.show(this.#at);
    if (!this.#isReplay) {
      this.#scoring = { ...this.#scoring, ...known(this.#moment.options), ...(this.#asked?.scoring ?? {}) };
    }
    this.#asked = null;
    this.#isReplay = false;
    this.#scoringView.show(this.#scoring);
    this.#memory.mark(this.#at);
    this.#storyView.showMoment(this.#at, this.#moment);
  }

  async #adjust(): Promise<void> {
    await this.#desk.adjust(this.#adjustments);
  }

  async #rank(): Promise<void> {
    const moment = this.#moment!;
    this.#ranked = await this.#desk.rank(this.#scoring);
    const shown = new Shown(moment, this.#ranked, this.#adjustments);
    this.#shown = shown;
    this.#schemes.stale();
    this.#verdict.show(shown, this.#scoring);
    this.#ranking.show(shown, shown.indexOf(this.#lookedAt()));
    const { tookMs, build } = this.#ranked;
    const how = build === 'shared' ? 'with SIMD' : 'without SIMD';
    write(
      byId('ranking-note', HTMLElement),
      `${counted(shown.count, 'task')}, ranked in ${tookMs.toFixed(1)} ms ${how}`,
    );
    this.#link.changed();
  }

  async #explain(): Promise<void> {
    const shown = this.#shown!;
    const slot = shown.slotOf(this.#lookedAt());
    byId('task-title', HTMLElement).parentElement!.hidden = slot < 0;
    if (slot < 0) return;
    const explained = await this.#desk.explain(slot, this.#scoring);
    const { machine } = shown.moment;
    this.#task.show(shown.taskIn(slot), explained, this.#scoring, machine, this.#adjustments.length);
  }

  async #compare(): Promise<void> {
    const shown = this.#shown!;
    const rows: SchemeRow[] = [];
    for (const scheme of shown.count === 0 ? [] : SHOWN_SCHEMES) {
      const choice = await this.#desk.choose(scheme, this.#scoring);
      rows.push({ choice, task: choice.slot < 0 ? null : shown.taskIn(choice.slot) });
      // In the thread of the page nobody else would get a turn.
      if (this.#desk.thread === 'page') await new Promise((resolve) => setTimeout(resolve));
      if (this.#rounds.isOvertaken('schemes')) return;
    }
    this.#schemes.show(rows, this.#scoring.scheme, shown.ranked.victim, shown.pageSize);
  }

  /** The task that is looked at: the one that was chosen while it is there, else the victim. */
  #lookedAt(): number | null {
    const { moment, ranked } = this.#shown!;
    const isThere = this.#selected !== null && this.#shown!.slotOf(this.#selected) >= 0;
    return isThere ? this.#selected : (moment.tasks[ranked.victim]?.tgid ?? null);
  }

  #toMoment(moment: number): void {
    this.#at = moment;
    this.#memory.mark(moment);
    void this.#rounds.want('moment');
  }

  #setScoring(scoring: Scoring): void {
    this.#scoring = scoring;
    this.#scoringView.show(scoring);
    void this.#rounds.want('rank');
    this.#replaySoon();
  }

  #selectRow(row: number): void {
    this.#selected = this.#shown?.row(row).tgid ?? null;
    void this.#rounds.want('task');
    this.#link.changed();
  }

  #setAdj(adj: number): void {
    const tgid = this.#shown && this.#lookedAt();
    if (tgid === null) return;
    // It stays in sight when somebody else becomes the victim.
    this.#selected = tgid;
    this.#adjustments = [...this.#adjustments.filter(([other]) => other !== tgid), [tgid, adj]];
    void this.#rounds.want('adjust');
  }

  #resetAdj(): void {
    this.#adjustments = [];
    void this.#rounds.want('adjust');
  }

  async #setPolicy(text: string): Promise<void> {
    const verdict = await this.#desk.setPolicy(text);
    this.#policy.show(verdict);
    if (verdict.problems.length > 0) return;
    if (verdict.inForce?.saysScoring) {
      this.#base = { scheme: verdict.inForce.scheme, ...verdict.inForce.parameters };
      this.#setScoring(this.#base);
    } else if (this.#moment) {
      void this.#rounds.want('rank');
      this.#replaySoon();
    }
  }

  /** What the guard of a scenario does follows from the policy, the scheme and its parameters. */
  #replaySoon(): void {
    clearTimeout(this.#replayTimer);
    if (this.#head?.kind !== 'scenario') return;
    this.#replayTimer = setTimeout(() => {
      if (this.#head?.kind !== 'scenario') return;
      this.#isReplay = true;
      void this.#rounds.want('story');
    }, REPLAY_MS);
  }

  #complain(error: unknown): void {
    const words = error instanceof Error ? error.message : String(error);
    this.#bring.complain(`${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`);
  }
}

/** What a moment says of its scoring, without the total of its machine. */
function known({ scheme, maxDiscount, age, adj }: ScoreOptions): Partial<Scoring> {
  const given = Object.entries({ scheme, maxDiscount, age, adj }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
